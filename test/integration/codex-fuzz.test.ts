import { readdir, readFile, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { expect, test } from "vitest";
import { connectCodexSocket } from "#test/support/codex-client.ts";
import { codexShot } from "#test/support/fuzz/codex.ts";
import { createRandom } from "#test/support/fuzz/random.ts";
import { type RunnerDaemon, startRunnerDaemon } from "#test/support/runner-daemon.ts";

const SEED = Number(process.env["WEAVE_FUZZ_SEED"] ?? 20_261_120);
const ROUNDS = 10_000;
const BATCH = 250;
const MB = 1024 * 1024;
/** The daemon's own 150 MB, its store's cache and what a batch of answers needs. */
const RESIDENT_MAX_BYTES = 700 * MB;

async function daemonPid(daemon: RunnerDaemon): Promise<number> {
	const said: unknown = JSON.parse(await readFile(join(daemon.home, "daemon.json"), "utf8"));
	return Number((said as { pid: unknown }).pid);
}

async function residentBytes(pid: number): Promise<number> {
	const status = await readFile(`/proc/${pid}/status`, "utf8");
	return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

interface Foe {
	readonly socket: Socket;
	readonly lines: Interface;
	/** Sends them all, and resolves when the daemon has read them. */
	say(shots: readonly string[]): Promise<void>;
}

async function openFoe(path: string): Promise<Foe> {
	const socket = connect(path);
	socket.on("error", () => undefined);
	const lines = createInterface({ input: socket });
	lines.on("error", () => undefined);
	let serial = 0;
	async function say(shots: readonly string[]): Promise<void> {
		serial += 1;
		const id = `sentinel ${serial}`;
		const read = new Promise<void>((resolve, reject) => {
			lines.on("line", (line) => void (line.includes(`"${id}"`) && resolve()));
			socket.once("close", () => reject(new Error("the daemon ended the connection")));
		});
		socket.write(`${shots.join("\n")}\n${JSON.stringify({ id, method: "configRequirements/read" })}\n`);
		await read;
		lines.removeAllListeners("line");
		socket.removeAllListeners("close");
	}
	const clientInfo = { name: "foe", title: null, version: "0" };
	const capabilities = { experimentalApi: true };
	await say([JSON.stringify({ id: 1, method: "initialize", params: { clientInfo, capabilities } })]);
	return { socket, lines, say };
}

test(`codex.sock: the daemon lives, stays small and serves others after ${ROUNDS} broken messages of every method (seed ${SEED})`, async () => {
	await using daemon = await startRunnerDaemon("embedded");
	const path = join(daemon.home, "codex.sock");
	const pid = await daemonPid(daemon);
	const token = await readFile(join(daemon.home, "token"), "utf8");
	const jwt = `eyJhbGciOiJub25lIn0.${Buffer.from('{"email":"a@b"}').toString("base64url")}.forgedsignature`;
	const tokens = { id_token: jwt, access_token: jwt, refresh_token: "rt-of-the-fuzz", account_id: "a" };
	await writeFile(join(daemon.codexHome, "auth.json"), JSON.stringify({ OPENAI_API_KEY: null, tokens }));
	using friend = await connectCodexSocket(path);
	const started = await friend.request<{ thread: { id: string } }>("thread/start", {
		cwd: await daemon.newFolder(),
	});
	const known = [started.thread.id, join(daemon.home, "token"), daemon.home, "/proc/none", [], "replace", 1];
	const random = createRandom(SEED);
	let foe = await openFoe(path);
	for (let round = 0; round < ROUNDS; round += BATCH) {
		await foe.say(Array.from({ length: BATCH }, (_, at) => codexShot(random, round + at, known)));
		if (random(8) === 0) {
			// Gone in the middle of a line, with answers on their way.
			foe.socket.write('{"id":1,"method":"thread/li');
			foe.socket.destroy();
			foe = await openFoe(path);
		}
	}
	foe.socket.destroy();
	expect(await daemonPid(daemon)).toBe(pid);
	expect(await readFile(join(daemon.home, "token"), "utf8")).toBe(token);
	expect(await residentBytes(pid)).toBeLessThan(RESIDENT_MAX_BYTES);
	expect(friend.isClosed).toBe(false);
	const logs = await readdir(join(daemon.home, "logs"), { recursive: true, withFileTypes: true });
	const texts = logs.flatMap((entry) =>
		entry.isFile() ? [readFile(join(entry.parentPath, entry.name), "utf8")] : [],
	);
	const told = [...(await Promise.all(texts)), JSON.stringify(friend.inbox)].join("\n");
	for (const secret of [jwt, "forgedsignature", "rt-of-the-fuzz", token.trim()])
		expect(told.includes(secret)).toBe(false);
	const read = await friend.request<{ thread: { id: string } }>("thread/read", {
		threadId: started.thread.id,
	});
	expect(read.thread.id).toBe(started.thread.id);
});
