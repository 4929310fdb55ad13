import { createConnection } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createDeferred } from "#base/deferred.ts";
import { ERROR_TABLE } from "#base/error-table.ts";
import { LIMITS } from "#protocol/limits.ts";
import { METHODS } from "#protocol/service/index.ts";
import { type GatewayFixture, startGateway } from "./gateway-fixture.ts";

/** Frames in all; `npm run soak` sets more. */
const ROUNDS = Number(process.env["WEAVE_FUZZ_ROUNDS"] ?? 10_000);
const SEED = Number(process.env["WEAVE_FUZZ_SEED"] ?? 20_260_101);

/** mulberry32: small, seeded, good enough to pick frames. */
function createRandom(seed: number): (below: number) => number {
	let state = seed >>> 0;
	return (below) => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
	};
}

type Random = (below: number) => number;

function pick<T>(random: Random, list: readonly T[]): T {
	const found = list[random(list.length)];
	if (found === undefined) throw new Error("nothing to pick from");
	return found;
}

function junkValue(random: Random, depth = 0): unknown {
	const simple = [null, true, -1, 1e308, "", "x".repeat(random(300)), "\u0000\ud800", "__proto__", [], {}];
	const kind = random(depth > 3 ? simple.length : simple.length + 2);
	if (kind === simple.length) return Array.from({ length: random(4) }, () => junkValue(random, depth + 1));
	if (kind > simple.length)
		return { [pick(random, ["name", "constructor", "thread_id", "a"])]: junkValue(random, depth + 1) };
	return simple[kind];
}

const FOREIGN = [
	"no.such",
	"",
	"__proto__",
	"constructor",
	"toString",
	"x".repeat(99),
	"x".repeat(200),
	"chat..list",
];

const SHOTS: readonly ((random: Random, id: number) => string | Uint8Array)[] = [
	(random) =>
		pick(random, ["", "{", "null", "[]", "1", '"hello"', "{}}", "\u0000", '{"type":"request"', "NaN"]),
	(random) => JSON.stringify({ type: pick(random, ["hello", "respons", "event", "", "ping"]), topic: "a" }),
	(random) => JSON.stringify({ type: junkValue(random) }),
	(random, id) =>
		JSON.stringify({ type: "request", id, method: pick(random, FOREIGN), params: junkValue(random) }),
	(random, id) =>
		JSON.stringify({
			type: "request",
			id,
			method: pick(random, METHODS).name,
			params: { no_such_member: junkValue(random) },
		}),
	(random, id) =>
		JSON.stringify({
			type: "request",
			id,
			method: pick(random, METHODS).name,
			params: pick(random, [1, "a", [], false]),
		}),
	(random, id) =>
		JSON.stringify({
			type: "request",
			id: pick<unknown>(random, [id, null, {}, [], 1.5, "", "x".repeat(101)]),
			method: junkValue(random),
			extra: 1,
		}),
	(random, id) =>
		JSON.stringify({
			type: "request",
			id,
			method: "chat.list",
			idempotency_key: pick<unknown>(random, ["", 1, null, "k".repeat(201)]),
		}),
	(_random, id) =>
		`{"type":"request","id":${id},"method":"chat.list","params":${"[".repeat(LIMITS.depth + 2)}${"]".repeat(LIMITS.depth + 2)}}`,
	(_random, id) =>
		JSON.stringify({ type: "request", id, method: "events.subscribe", params: { topics: [`no.${id}`] } }),
	(random) => Uint8Array.from({ length: random(40) }, () => random(256)),
	(random) => Uint8Array.from([1, random(7), 0, 0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, random(256), 1, 2, 3]),
];

const HELLO = JSON.stringify({
	type: "hello",
	protocol: { min: 1, max: 1 },
	client: { name: "fuzz", version: "0", kind: "test" },
});

interface Peer {
	send(data: string | Uint8Array): void;
	/** The next message, or the close. */
	next(): Promise<{ message?: Record<string, unknown>; closed?: number }>;
	end(): void;
}

function dial(socketPath: string): Promise<Peer> {
	const socket = new WebSocket("ws://localhost/ws", {
		createConnection: () => createConnection(socketPath),
		perMessageDeflate: false,
	});
	const queue: { message?: Record<string, unknown>; closed?: number }[] = [];
	let waiter = createDeferred<undefined>();
	function add(entry: (typeof queue)[number]): void {
		queue.push(entry);
		waiter.resolve(undefined);
	}
	socket.on("message", (data) => add({ message: JSON.parse(String(data)) as Record<string, unknown> }));
	socket.on("close", (code) => add({ closed: code }));
	const opened = createDeferred<Peer>();
	socket.on("error", (error) => opened.reject(error));
	socket.on("open", () =>
		opened.resolve({
			send: (data) => socket.send(data),
			async next() {
				for (;;) {
					const entry = queue.shift();
					if (entry) return entry;
					waiter = createDeferred();
					await waiter.promise;
				}
			},
			end: () => socket.terminate(),
		}),
	);
	return opened.promise;
}

function codeOf(message: Record<string, unknown> | undefined): string {
	const error = message?.["error"];
	if (message?.["type"] === "reject") return String(message["code"]);
	return typeof error === "object" && error !== null && "name" in error
		? String(error.name)
		: `no error in ${JSON.stringify(message).slice(0, 200)}`;
}

describe("gateway: fuzzed", () => {
	let fixture: GatewayFixture;
	beforeAll(async () => {
		fixture = await startGateway({ "daemon.status": () => ({ ok: true }) }, { web: false });
	});
	afterAll(() => fixture[Symbol.asyncDispose]());

	async function greet(): Promise<Peer> {
		const peer = await dial(fixture.socketPath);
		peer.send(HELLO);
		expect((await peer.next()).message).toMatchObject({ type: "hello" });
		return peer;
	}

	test(`gateway: gives each of ${ROUNDS} broken frames a code and lives on (seed ${SEED})`, {
		timeout: 600_000,
	}, async () => {
		const random = createRandom(SEED);
		let peer = await greet();
		let closes = 0;
		for (let round = 1; round <= ROUNDS; round += 1) {
			const shot = pick(random, SHOTS)(random, round);
			peer.send(shot);
			const { message, closed } = await peer.next();
			if (closed !== undefined) {
				expect(closed).toBe(1008);
				closes += 1;
				peer = await greet();
				continue;
			}
			const code = codeOf(message);
			expect(Object.hasOwn(ERROR_TABLE, code), `${code} for ${String(shot).slice(0, 300)}`).toBe(true);
			expect(code, String(shot).slice(0, 300)).not.toBe("INTERNAL");
		}
		peer.end();
		expect(closes).toBeGreaterThan(0);
		await expectUnharmed();
	});

	test("gateway: answers whatever comes in place of a hello with a reject and 4001", {
		timeout: 120_000,
	}, async () => {
		const random = createRandom(SEED + 1);
		for (let round = 1; round <= Math.max(100, ROUNDS / 50); round += 1) {
			const peer = await dial(fixture.socketPath);
			const kind = random(4);
			if (kind === 0)
				peer.send(JSON.stringify({ type: "hello", protocol: junkValue(random), client: junkValue(random) }));
			else if (kind === 1)
				peer.send(
					JSON.stringify({
						type: "hello",
						protocol: { min: 7, max: 9 },
						client: { name: "a", version: "", kind: "a" },
					}),
				);
			else if (kind === 2) peer.send(`{"type":"hello","x":"${"y".repeat(LIMITS.first_frame_bytes)}"}`);
			else peer.send(pick(random, SHOTS)(random, round));
			const { message } = await peer.next();
			expect(message).toMatchObject({ type: "reject" });
			expect(Object.hasOwn(ERROR_TABLE, codeOf(message))).toBe(true);
			expect((await peer.next()).closed).toBe(4001);
			peer.end();
		}
		await expectUnharmed();
	});

	test("gateway: answers an oversized frame with a code, and cuts one that is far too large", async () => {
		const peer = await greet();
		peer.send(
			JSON.stringify({
				type: "request",
				id: 1,
				method: "daemon.status",
				params: { a: "x".repeat(LIMITS.frame_bytes) },
			}),
		);
		expect(codeOf((await peer.next()).message)).toBe("PROTOCOL_LIMIT");
		peer.send(new Uint8Array(LIMITS.frame_bytes + 1));
		expect(codeOf((await peer.next()).message)).toBe("PROTOCOL_LIMIT");
		peer.send(new Uint8Array(LIMITS.frame_bytes * 2 + 1));
		expect((await peer.next()).closed).toBe(1009);
		await expectUnharmed();
	});

	async function expectUnharmed(): Promise<void> {
		const peer = await greet();
		peer.send(JSON.stringify({ type: "request", id: "last", method: "daemon.status", params: {} }));
		expect((await peer.next()).message).toEqual({ type: "response", id: "last", result: { ok: true } });
		peer.end();
		await expect.poll(() => fixture.gateway.connections).toBe(0);
		expect(fixture.gateway.inFlight).toBe(0);
		expect(fixture.log.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
	}
});
