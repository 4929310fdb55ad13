import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
	chmodSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { publishDiscovery } from "#daemon/lifecycle/discovery-record.ts";
import { createFlags } from "#daemon/lifecycle/flags.ts";
import { prepareFolders, prepareHome } from "#daemon/lifecycle/home.ts";
import { acquireInstanceLock } from "#daemon/lifecycle/instance-lock.ts";
import { createShutdown, type Shutdown } from "#daemon/lifecycle/shutdown.ts";
import { claimSocket, probeSocket } from "#daemon/lifecycle/socket-claim.ts";
import { readDiscovery } from "#platform/discovery.ts";
import { resolvePaths } from "#platform/paths.ts";
import { createFakeClock, type FakeClock } from "#test/support/fake-clock.ts";
import { createMemoryLogger } from "#test/support/logger.ts";

const coded = (code: string) => expect.objectContaining({ code });
let folder: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "life-"));
});
afterEach(async () => {
	for (const child of children.splice(0)) {
		if (child.exitCode !== null || child.signalCode !== null) continue;
		child.kill("SIGKILL");
		await once(child, "exit");
	}
	await rm(folder, { recursive: true, force: true });
});

function spawnHolder(path: string): ChildProcess {
	const file = fileURLToPath(new URL("../../fixture/hold-lock.ts", import.meta.url));
	const child = spawn(process.execPath, [file, path], { stdio: ["pipe", "pipe", "ignore"] });
	children.push(child);
	return child;
}

async function holdLock(path: string): Promise<ChildProcess> {
	const child = spawnHolder(path);
	if (child.stdout) await once(child.stdout, "data");
	return child;
}

describe("instance lock", () => {
	const options = (path: string) => ({
		path,
		kind: "daemon" as const,
		version: "1",
		home: "/h",
		settleMs: 200,
	});

	it("lock: a second holder is refused by name, and gets it when the first leaves nothing behind", async () => {
		const path = join(folder, "daemon.lock");
		const child = await holdLock(path);
		await expect(acquireInstanceLock(options(path))).rejects.toThrow(`pid ${child.pid}`);
		await expect(acquireInstanceLock(options(path))).rejects.toEqual(coded("DAEMON_ALREADY_RUNNING"));
		await expect(acquireInstanceLock({ ...options(path), version: "2" })).rejects.toEqual(
			coded("DAEMON_VERSION_MISMATCH"),
		);
		await expect(acquireInstanceLock({ ...options(path), kind: "bus" })).rejects.toEqual(
			coded("SOCKET_IN_USE"),
		);
		child.stdin?.end();
		await once(child, "exit");
		expect(readdirSync(folder)).toEqual([]);
		const lock = await acquireInstanceLock(options(path));
		expect(readdirSync(folder).sort()).toEqual(["daemon.lock", "daemon.lock.holder"]);
		lock[Symbol.dispose]();
		expect(readdirSync(folder)).toEqual([]);
	});

	it("lock: kill -9 of the holder frees it, whatever its files say", async () => {
		const path = join(folder, "daemon.lock");
		const child = await holdLock(path);
		child.kill("SIGKILL");
		await once(child, "exit");
		const holder = JSON.parse(readFileSync(`${path}.holder`, "utf8")) as Record<string, unknown>;
		writeFileSync(`${path}.holder`, JSON.stringify({ ...holder, pid: process.pid }));
		const lock = await acquireInstanceLock(options(path));
		lock[Symbol.dispose]();
	});

	it("lock: of many at once exactly one wins", async () => {
		const path = join(folder, "daemon.lock");
		const rivals = [1, 2, 3].map(() => spawnHolder(path));
		const outcomes = rivals.map((child) =>
			Promise.race([
				once(child.stdout ?? child, "data").then(() => "held"),
				once(child, "exit").then(([code]) => `exit ${code}`),
			]),
		);
		expect((await Promise.all(outcomes)).sort()).toEqual(["exit 1", "exit 1", "held"]);
	});
});

describe("home", () => {
	it("home: is made private, with a token and a machine id that stay", () => {
		const paths = resolvePaths({
			HOMIE_HOME: join(folder, "h"),
			WEAVE_HOME: join(folder, "w"),
			CODEX_HOME: join(folder, "c"),
			XDG_RUNTIME_DIR: folder,
		});
		mkdirSync(paths.home, { mode: 0o755 });
		prepareFolders(paths);
		const first = prepareHome(paths, () => "machine-1");
		chmodSync(paths.token, 0o644);
		expect(prepareHome(paths, () => "machine-2")).toEqual(first);
		expect(Buffer.from(first.token, "base64url")).toHaveLength(32);
		expect([paths.home, paths.weaveHome, paths.logs].map((path) => statSync(path).mode & 0o777)).toEqual([
			0o700, 0o700, 0o700,
		]);
		expect([paths.token, paths.machineId].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600]);
		expect(readdirSync(paths.home).sort()).toEqual(["logs", "machine-id", "token"]);
		expect(existsSync(paths.codexHome)).toBe(false);
	});

	it("home: a file in its place is HOME_NOT_WRITABLE", () => {
		writeFileSync(join(folder, "h"), "");
		const paths = resolvePaths({
			HOMIE_HOME: join(folder, "h"),
			WEAVE_HOME: join(folder, "w"),
			CODEX_HOME: folder,
		});
		expect(() => prepareFolders(paths)).toThrow(coded("HOME_NOT_WRITABLE"));
	});

	it("discovery: is written whole, read back, and removed by its own daemon only", () => {
		const paths = resolvePaths({ HOMIE_HOME: folder, WEAVE_HOME: folder, CODEX_HOME: folder });
		const record = {
			version: "1",
			epoch: "e1",
			started_at_ms: 5,
			listeners: [{ kind: "unix", address: "x" }],
			sockets: { daemon: "x" },
			machine_id: "m",
		};
		const first = publishDiscovery(paths, record);
		expect(readDiscovery(paths)).toMatchObject({ ...record, pid: process.pid });
		expect(statSync(paths.discovery).mode & 0o777).toBe(0o600);
		const second = publishDiscovery(paths, { ...record, epoch: "e2" });
		first[Symbol.dispose]();
		expect(readDiscovery(paths)?.epoch).toBe("e2");
		second[Symbol.dispose]();
		expect(readDiscovery(paths)).toBeUndefined();
		writeFileSync(paths.discovery, "{}");
		expect(readDiscovery(paths)).toBeUndefined();
	});
});

describe("socket claim", () => {
	it("socket: a live one is kept and its holder named, a stale one is removed", async () => {
		const path = join(folder, "a.sock");
		expect(await probeSocket(path)).toBe("absent");
		const listen = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
		const child = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
		children.push(child);
		await once(child.stdout, "data");
		await expect(claimSocket(path)).rejects.toEqual(coded("SOCKET_IN_USE"));
		if (process.platform === "linux") await expect(claimSocket(path)).rejects.toThrow(`pid ${child.pid}`);
		expect(existsSync(path)).toBe(true);
		child.kill("SIGKILL");
		await once(child, "exit");
		expect(await probeSocket(path)).toBe("stale");
		await claimSocket(path);
		expect(existsSync(path)).toBe(false);
		const server = createServer().listen(path);
		await once(server, "listening");
		server.close();
	});

	it("socket: something that is no socket is left alone", async () => {
		const path = join(folder, "file");
		writeFileSync(path, "mine");
		await expect(claimSocket(path)).rejects.toEqual(coded("SOCKET_IN_USE"));
		expect(readFileSync(path, "utf8")).toBe("mine");
	});
});

describe("shutdown", () => {
	function setUp(): { shutdown: Shutdown; clock: FakeClock; exits: number[]; ran: string[] } {
		const clock = createFakeClock();
		const exits: number[] = [];
		const shutdown = createShutdown({
			clock,
			logger: createMemoryLogger(),
			exit: (code) => void exits.push(code),
			deadlineMs: 1000,
		});
		return { shutdown, clock, exits, ran: [] };
	}

	it("shutdown: phases run in their order, once, and the first cause stands", async () => {
		const { shutdown, exits, ran } = setUp();
		shutdown.add("remove-records", "c", () => void ran.push("c"));
		shutdown.add("stop-accepting", "a", async () => void ran.push("a"));
		shutdown.add("drain", "bad", () => {
			throw new Error("no");
		});
		shutdown.add("flush", "b", () => void ran.push("b"));
		shutdown.add("flush", "gone", () => void ran.push("gone"))[Symbol.dispose]();
		const first = shutdown.begin({ kind: "fatal", detail: "x", exitCode: 74 });
		expect(shutdown.begin({ kind: "request", detail: "y", exitCode: 0 })).toBe(first);
		shutdown.onSignal("SIGTERM");
		await first;
		expect(ran).toEqual(["a", "b", "c"]);
		expect([exits, shutdown.cause?.detail, shutdown.signal.reason]).toEqual([
			[74],
			"x",
			coded("DAEMON_STOPPING"),
		]);
	});

	it("shutdown: a step that hangs is left behind at the deadline, the rest still runs", async () => {
		const { shutdown, clock, exits, ran } = setUp();
		const entered = Promise.withResolvers<void>();
		shutdown.add("drain", "hangs", () => {
			entered.resolve();
			return new Promise<void>(() => undefined);
		});
		shutdown.add("remove-records", "last", () => void ran.push("last"));
		const done = shutdown.begin({ kind: "request", detail: "stop", exitCode: 0 });
		await entered.promise;
		await Promise.resolve();
		clock.advance(1000);
		await done;
		expect([ran, exits]).toEqual([["last"], [0]]);
	});

	it("shutdown: a second signal leaves at once", async () => {
		const { shutdown, exits } = setUp();
		const hanging = Promise.withResolvers<void>();
		shutdown.add("drain", "hangs", () => hanging.promise);
		shutdown.onSignal("SIGINT");
		shutdown.onSignal("SIGINT");
		expect(exits).toEqual([130]);
		hanging.resolve();
		await shutdown.begin({ kind: "request", detail: "", exitCode: 0 });
		expect(exits).toEqual([130]);
	});
});

describe("flags", () => {
	it("flags: the environment switches them, an unknown one is refused", () => {
		expect(createFlags({}).isEnabled("trace_spans")).toBe(true);
		expect(createFlags({ WEAVE_FLAGS: " -trace_spans" }).list()).toEqual([
			{ name: "record_runs", stage: "experimental", enabled: false },
			{ name: "trace_spans", stage: "beta", enabled: false },
		]);
		expect(() => createFlags({ WEAVE_FLAGS: "nope" })).toThrow(coded("CONFIG_INVALID"));
	});
});
