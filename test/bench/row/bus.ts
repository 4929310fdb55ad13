import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemClock } from "#base/clock.ts";
import { createClient } from "#client/create-client.ts";
import { createUnixTransport } from "#client/transport/unix.ts";
import { connectRedis, type RedisClient, type Reply } from "../../fixture/bench/redis-client.ts";
import { createProduct, until } from "../../support/product.ts";
import { type BenchRow, interleaved, median, ms } from "../bench.ts";

const MESSAGE_BYTES = 256;
const TEXT = "m".repeat(MESSAGE_BYTES);
const WINDOW = 256;
/** One by one: enough for a median, few enough for a slow disk. */
const SINGLES = 150;
const BURST_MS = 1_500;
const WARM_MS = 400;

/** A broker under the bench: one producer, one consumer that acknowledges at once. */
interface Broker extends AsyncDisposable {
	/** Resolves when the message was stored, delivered and acknowledged, and all of that is on disk. */
	pass(): Promise<void>;
}

/** p50 in ms of one message after the other. */
async function single(broker: Broker): Promise<number> {
	const times: number[] = [];
	for (let n = 0; n < SINGLES; n += 1) {
		const startedMs = performance.now();
		await broker.pass();
		times.push(performance.now() - startedMs);
	}
	return median(times);
}

/** Messages per second with WINDOW of them under way. */
async function burst(broker: Broker): Promise<number> {
	let done = 0;
	let running = true;
	async function lane(): Promise<void> {
		while (running) {
			await broker.pass();
			done += 1;
		}
	}
	const lanes = Array.from({ length: WINDOW }, lane);
	await new Promise((resolve) => setTimeout(resolve, WARM_MS));
	const before = done;
	const startedMs = performance.now();
	await new Promise((resolve) => setTimeout(resolve, BURST_MS));
	const perSecond = ((done - before) / (performance.now() - startedMs)) * 1000;
	running = false;
	await Promise.all(lanes);
	return perSecond;
}

interface Envelope {
	type: string;
	id: string;
	corr?: string;
	status?: string;
	error?: unknown;
	payload?: { actions?: { message_id: string }[] };
}

/** One agent on coord.sock, as a program outside would be. */
async function joinCoord(path: string, id: string, onMail: (id: string) => void) {
	const socket: Socket = connect(path);
	const answers = new Map<string, (envelope: Envelope) => void>();
	let lastId = 0;
	createInterface({ input: socket }).on("line", (line) => {
		const envelope = JSON.parse(line) as Envelope;
		if (envelope.type === "message.send") onMail(envelope.id);
		else if (envelope.corr !== undefined) answers.get(envelope.corr)?.(envelope);
	});
	function say(type: string, members: Record<string, unknown>): string {
		lastId += 1;
		const own = `${id}-${lastId}`;
		const ts = new Date().toISOString();
		socket.write(`${JSON.stringify({ v: 1, type, id: own, ts, src: id, session: "default", ...members })}\n`);
		return own;
	}
	function ask(type: string, payload: unknown): Promise<Envelope> {
		return new Promise((resolve, reject) => {
			const own = say(type, { payload });
			answers.set(own, (envelope) => {
				answers.delete(own);
				if (envelope.status === "error") reject(new Error(JSON.stringify(envelope.error)));
				else resolve(envelope);
			});
		});
	}
	await ask("agent.add", { id, name: id });
	return { say, ask, close: () => socket.destroy() };
}

/**
 * The installed daemon: sent and acknowledged over coord.sock. `seen` on the session's topic is told after its commit, and
 * is how a sender learns of the acknowledgement.
 */
async function startOurs(): Promise<Broker> {
	const product = await createProduct();
	const { code, stderr } = await product.weave("start", "--no-tui", "--no-web");
	if (code !== 0) throw new Error(stderr);
	const owned = new AsyncDisposableStack();
	owned.use(product);
	const client = owned.use(
		createClient({
			transport: createUnixTransport({ socketPath: join(product.home, "daemon.sock"), clock: systemClock }),
			client: { name: "bench", version: "0", kind: "bench" },
			clock: systemClock,
			random: Math.random,
		}),
	);
	const { sessions } = await client.call("weave.session.list", {});
	const sessionId = sessions.find(({ name }) => name === "default")?.session_id ?? "";
	const seen = new Set<string>();
	const waiting = new Map<string, () => void>();
	const subscribed = Promise.withResolvers<void>();
	client.subscribe(`sessions.activity:${sessionId}`, {
		onSnapshot: () => subscribed.resolve(),
		onEvent(payload) {
			const { message } = payload as { message: { message_id: string; state: string } };
			if (message.state !== "seen") return;
			const wake = waiting.get(message.message_id);
			if (wake) wake();
			else seen.add(message.message_id);
		},
	});
	await subscribed.promise;
	const path = join(product.weaveHome, "coord.sock");
	const taker = await joinCoord(path, "taker", (id) => void taker.say("message.ack", { corr: id }));
	const giver = await joinCoord(path, "giver", () => undefined);
	owned.defer(() => {
		giver.close();
		taker.close();
	});
	return {
		async pass() {
			const answer = await giver.ask("action.submit", {
				actions: [{ type: "message", dst: "taker", text: TEXT }],
			});
			const messageId = answer.payload?.actions?.[0]?.message_id ?? "";
			if (seen.delete(messageId)) return;
			await new Promise<void>((resolve) => waiting.set(messageId, resolve));
			waiting.delete(messageId);
		},
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
}

const REDIS = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].find((path) => existsSync(path));

/** Stream and field of one XREADGROUP entry; Redis nests them four deep. */
function entriesOf(reply: Reply): { id: string; key: string }[] {
	const stream = Array.isArray(reply) ? reply[0] : undefined;
	const entries = Array.isArray(stream) ? stream[1] : undefined;
	if (!Array.isArray(entries)) return [];
	return entries.flatMap((entry) => {
		const [id, fields] = Array.isArray(entry) ? entry : [];
		return typeof id === "string" && Array.isArray(fields) ? [{ id, key: String(fields[1]) }] : [];
	});
}

async function consume(
	reader: RedisClient,
	acker: RedisClient,
	onAcked: (key: string) => void,
): Promise<void> {
	for (;;) {
		const reply = await reader.ask(
			...["XREADGROUP", "GROUP", "g", "c", "COUNT", "256", "BLOCK", "1000", "STREAMS", "s", ">"],
		);
		for (const { id, key } of entriesOf(reply))
			acker.ask("XACK", "s", "g", id).then(
				() => onAcked(key),
				() => undefined,
			);
	}
}

/** Redis streams with a consumer group, `appendfsync always`: the same promises from a broker in C. */
async function startRedis(): Promise<Broker> {
	const dir = await mkdtemp(join(tmpdir(), "rb-"));
	const path = join(dir, "r.sock");
	const args = ["--port", "0", "--unixsocket", path, "--dir", dir, "--save", "", "--appendonly", "yes"];
	const server = spawn(REDIS ?? "", [...args, "--appendfsync", "always"], { stdio: "ignore" });
	await until("Redis answers", async () => {
		try {
			(await connectRedis(path)).close();
			return true;
		} catch {
			return false;
		}
	});
	const [producer, reader, acker] = await Promise.all([
		connectRedis(path),
		connectRedis(path),
		connectRedis(path),
	]);
	await producer.ask("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM");
	const acked = new Map<string, () => void>();
	consume(reader, acker, (key) => acked.get(key)?.()).catch(() => undefined);
	let lastKey = 0;
	return {
		async pass() {
			lastKey += 1;
			const key = String(lastKey).padEnd(MESSAGE_BYTES, "m");
			const done = new Promise<void>((resolve) => acked.set(key, resolve));
			await producer.ask("XADD", "s", "*", "d", key);
			await done;
			acked.delete(key);
		},
		async [Symbol.asyncDispose]() {
			for (const client of [producer, reader, acker]) client.close();
			const gone = new Promise((resolve) => server.once("exit", resolve));
			server.kill("SIGTERM");
			await gone;
			await rm(dir, { recursive: true, force: true });
		},
	};
}

const available = (): true | string =>
	REDIS === undefined ? "redis-server is not installed (apt-get install redis-server)" : true;

export const busRows: readonly BenchRow[] = [
	{
		name: "bus, 256 B stored with fsync → delivered → acked, window 1",
		bar: "p50 ≤ 1.4 × Redis `always`",
		available,
		async measure({ rounds }) {
			await using ours = await startOurs();
			await using redis = await startRedis();
			const result = await interleaved(
				rounds,
				() => single(ours),
				() => single(redis),
			);
			return {
				ours: ms(result.ours),
				baseline: ms(result.baseline),
				value: result.ratio,
				unit: "×",
				ok: result.ratio <= 1.4,
				note: "coord.sock, until `seen` is told; Redis until XACK is answered",
			};
		},
	},
	{
		name: "bus, 256 B stored with fsync → delivered → acked, window 256",
		bar: "≥ 0.9 × Redis `always`",
		available,
		async measure({ rounds }) {
			await using ours = await startOurs();
			await using redis = await startRedis();
			const result = await interleaved(
				Math.min(3, rounds),
				() => burst(ours),
				() => burst(redis),
			);
			const rate = (perSecond: number): string => `${Math.round(perSecond)}/s`;
			return {
				ours: rate(result.ours),
				baseline: rate(result.baseline),
				value: result.ratio,
				unit: "×",
				ok: result.ratio >= 0.9,
				note: "one producer, one consumer",
			};
		},
	},
];
