import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AppError } from "#base/app-error.ts";
import { type SpawnDaemonOptions, type SpawnedDaemon, spawnDaemon } from "#platform/daemon-process.ts";
import { isSameProcess, readProcessIdentity } from "#platform/identity.ts";
import { resolvePaths } from "#platform/paths.ts";

let folder: string;
const pids: number[] = [];
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "spawn-"));
});
afterEach(async () => {
	for (const pid of pids.splice(0)) {
		const identity = readProcessIdentity(pid);
		if (!identity) continue;
		process.kill(pid, "SIGTERM");
		await expect.poll(() => isSameProcess(identity), { timeout: 5000 }).toBe(false);
	}
	await rm(folder, { recursive: true, force: true });
});

async function start(mode: string, options: Partial<SpawnDaemonOptions> = {}): Promise<SpawnedDaemon> {
	const env = {
		PATH: process.env["PATH"],
		HOMIE_HOME: folder,
		WEAVE_HOME: folder,
		CODEX_HOME: folder,
		TINY_DAEMON: mode,
	};
	const entry = new URL("../../fixture/tiny-daemon.ts", import.meta.url);
	const daemon = await spawnDaemon({ paths: resolvePaths(env), env, entry, ...options });
	pids.push(daemon.pid);
	return daemon;
}

async function refusal(promise: Promise<unknown>): Promise<AppError> {
	const error: unknown = await promise.then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	if (!(error instanceof AppError)) throw new Error(`expected an AppError, got ${String(error)}`);
	return error;
}

it("daemon process: starts detached with its options and tells where it listens", async () => {
	const daemon = await start("ok", { port: 4711, web: false });
	expect(daemon.listeners[0]?.address).toMatch(/daemon\.sock --port 4711 --no-web$/);
	expect(readProcessIdentity(daemon.pid)).toBeDefined();
});

it("daemon process: of two starts one wins, and the loser can connect", async () => {
	const outcomes = await Promise.allSettled([start("ok"), start("ok")]);
	const lost = outcomes
		.filter((outcome) => outcome.status === "rejected")
		.map((outcome) => outcome.reason as AppError);
	expect(lost.map((error) => error.code)).toEqual(["DAEMON_ALREADY_RUNNING"]);
});

it("daemon process: the child's own reason is ours", async () => {
	const error = await refusal(start("fail"));
	expect([error.code, error.message]).toEqual(["PORT_IN_USE", "port 9 is taken"]);
});

it("daemon process: a child that dies silently is told with what it last said", async () => {
	const error = await refusal(start("crash"));
	expect(error.code).toBe("DAEMON_UNAVAILABLE");
	expect(error.message).toContain("boom while starting");
});

it("daemon process: a child that never gets ready is ended", async () => {
	expect((await refusal(start("hang", { timeoutMs: 1500 }))).code).toBe("TIMEOUT");
	const socket = resolvePaths({ HOMIE_HOME: folder, WEAVE_HOME: folder, CODEX_HOME: folder }).daemonSocket;
	await expect
		.poll(async () => (await import("#daemon/lifecycle/socket-claim.ts")).probeSocket(socket), {
			timeout: 5000,
		})
		.not.toBe("live");
	const server = createServer().listen(join(folder, "free.sock"));
	await once(server, "listening");
	server.close();
});
