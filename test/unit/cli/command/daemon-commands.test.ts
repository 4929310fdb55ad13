import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "#base/app-error.ts";
import { logsCommand } from "#cli/command/logs.ts";
import { serviceInstallCommand, serviceUninstallCommand } from "#cli/command/service.ts";
import { startCommand } from "#cli/command/start.ts";
import { statusCommand } from "#cli/command/status.ts";
import { stopCommand } from "#cli/command/stop.ts";
import { publishDiscovery } from "#daemon/lifecycle/discovery-record.ts";
import { readProcessIdentity } from "#platform/identity.ts";
import { VERSION } from "#protocol/limits.ts";
import { createTestContext, type TestContext } from "#test/support/cli-context.ts";

let folder: string;
let env: Record<string, string>;
const children: ChildProcess[] = [];
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "cmd-"));
	env = {
		HOME: folder,
		PATH: "/nonexistent",
		HOMIE_HOME: join(folder, "h"),
		WEAVE_HOME: join(folder, "w"),
		CODEX_HOME: join(folder, "c"),
	};
	mkdirSync(join(folder, "h", "logs"), { recursive: true });
});
afterEach(async () => {
	for (const child of children.splice(0)) {
		if (child.exitCode !== null || child.signalCode !== null) continue;
		child.kill("SIGKILL");
		await once(child, "exit");
	}
	await rm(folder, { recursive: true, force: true });
});

const STATUS = {
	...{
		pid: 42,
		version: VERSION,
		epoch: "e",
		machine_id: "m",
		home: "/h",
		weave_home: "/w",
		codex_home: "/c",
	},
	...{ started_at_ms: 1, uptime_ms: 3_723_000, rss_bytes: 5_242_880, counts: { threads: 2 }, flags: [] },
	listeners: [{ kind: "http", address: "http://127.0.0.1:9800" }],
	pty_host: { state: "running", pid: 43, version: "1" },
	sandbox: { kind: "bubblewrap", available: true, detail: null },
	provider: { name: "offline", model: null, detail: "no login" },
	store: { state: "ok", detail: null, size_bytes: 2048, schema_version: 4 },
};

/** Answers the daemon's calls on its socket. */
async function serve(context: TestContext, answer: (method: string) => unknown): Promise<AsyncDisposable> {
	const server = createServer((request, response) => {
		request.resume().on("end", () => {
			response.setHeader("content-type", "application/json");
			response.end(JSON.stringify(answer(request.url?.split("/").at(-1) ?? "")));
		});
	});
	server.listen(context.paths.daemonSocket);
	await once(server, "listening");
	return {
		async [Symbol.asyncDispose]() {
			server.closeAllConnections();
			server.close();
			await once(server, "close");
		},
	};
}

async function spawnIdle(script = "process.stdin.resume(); console.log('up')"): Promise<ChildProcess> {
	const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
	children.push(child);
	if (child.stdout) await once(child.stdout, "data");
	return child;
}

describe("status", () => {
	it("status: nothing running is exit 69 and says so in JSON too", async () => {
		const context = createTestContext(env);
		expect(await statusCommand.run(context, { args: [], options: {} })).toBe(69);
		expect(context.printed[0]?.value).toEqual({ running: false });
	});

	it("status: prints the daemon's answer, aligned for people", async () => {
		const context = createTestContext(env);
		await using _server = await serve(context, () => STATUS);
		expect(await statusCommand.run(context, { args: [], options: {} })).toBe(0);
		expect(context.printed[0]?.value).toEqual({ running: true, ...STATUS });
		const lines = context.printed[0]?.human?.split("\n") ?? [];
		expect(lines).toContain("uptime      1h 2m");
		expect(lines).toContain("store       ok, 2.0 KiB, schema 4");
		expect(lines).toContain("listener    http://127.0.0.1:9800 (http)");
	});
});

describe("start", () => {
	it("start: a daemon that runs already is success, one of another version is not", async () => {
		const context = createTestContext(env);
		let version: string = VERSION;
		await using _server = await serve(context, () => ({ ...STATUS, version }));
		expect(await startCommand.run(context, { args: [], options: {} })).toBe(0);
		expect(context.printed[0]?.human).toMatch(
			/already runs \(pid 42\), listening on http:\/\/127\.0\.0\.1:9800/,
		);
		version = "0.0.1";
		await expect(startCommand.run(context, { args: [], options: {} })).rejects.toMatchObject({
			code: "DAEMON_VERSION_MISMATCH",
		});
		await expect(startCommand.run(context, { args: [], options: { port: "x" } })).rejects.toMatchObject({
			code: "USAGE",
		});
	});
});

describe("stop", () => {
	it("stop: nothing running is success", async () => {
		const context = createTestContext(env);
		expect(await stopCommand.run(context, { args: [], options: { terminals: true } })).toBe(0);
		expect(context.printed[0]).toEqual({
			value: { stopped: false, pid: null, terminals_ended: false },
			human: "No daemon was running.",
		});
	});

	it("stop: asks, and returns when the process is gone", async () => {
		const context = createTestContext(env);
		const child = await spawnIdle();
		const record = {
			version: VERSION,
			epoch: "e",
			started_at_ms: 1,
			listeners: [],
			sockets: {},
			machine_id: "m",
		};
		publishDiscovery(context.paths, record);
		writeFileSync(
			context.paths.discovery,
			JSON.stringify({ ...record, ...readProcessIdentity(child.pid ?? 0) }),
		);
		const asked: string[] = [];
		await using _server = await serve(context, (method) => {
			asked.push(method);
			child.stdin?.end();
			return { stopping: true, pty_host_pid: null };
		});
		await stopCommand.run(context, { args: [], options: {} });
		expect(asked).toEqual(["daemon.stop"]);
		expect(readProcessIdentity(child.pid ?? 0)).toBeUndefined();
		expect(context.printed[0]?.value).toMatchObject({ stopped: true, pid: child.pid });
	});

	it("stop: a daemon that lives and does not answer is told by signal; another process with its number is not", async () => {
		const context = createTestContext(env);
		const child = await spawnIdle();
		writeFileSync(context.paths.discovery, JSON.stringify({ pid: child.pid, start_time: "another" }));
		await stopCommand.run(context, { args: [], options: {} });
		expect(context.printed[0]?.value).toMatchObject({ stopped: false });
		expect(readProcessIdentity(child.pid ?? 0)).toBeDefined();
		writeFileSync(context.paths.discovery, JSON.stringify(readProcessIdentity(child.pid ?? 0)));
		const exit = once(child, "exit");
		await stopCommand.run(context, { args: [], options: {} });
		expect(context.printed[1]?.value).toMatchObject({ stopped: true });
		expect(await exit).toEqual([null, "SIGTERM"]);
	});
});

describe("logs", () => {
	const line = (n: number): string =>
		`${JSON.stringify({ level: "info", time: `t${n}`, msg: `m${n}`, n })}\n`;

	it("logs: the newest lines, across a rotation, for people and as stored", async () => {
		const context = createTestContext(env);
		const path = join(context.paths.logs, "daemon.log");
		writeFileSync(`${path}.1`, line(1) + line(2));
		writeFileSync(path, line(3));
		await logsCommand.run(context, { args: [], options: { lines: "2" } });
		expect(context.written()).toBe("t2 INFO  m2 n=2\nt3 INFO  m3 n=3\n");
		const raw = createTestContext(env, { json: true });
		await logsCommand.run(raw, { args: [], options: { lines: "1" } });
		expect(raw.written()).toBe(line(3));
		await expect(logsCommand.run(context, { args: [], options: { lines: "-1" } })).rejects.toMatchObject({
			code: "USAGE",
		});
	});

	it("logs: -f goes on through appends and a rotation until interrupted", async () => {
		const context = createTestContext(env);
		const path = join(context.paths.logs, "daemon.log");
		writeFileSync(path, line(1));
		const running = logsCommand.run(context, { args: [], options: { lines: "1", follow: true } });
		await expect.poll(() => context.written()).toContain("m1");
		appendFileSync(path, line(2));
		await expect.poll(() => context.written()).toContain("m2");
		renameSync(path, `${path}.1`);
		writeFileSync(path, line(3));
		await expect.poll(() => context.written(), { timeout: 5000 }).toContain("m3");
		context.abort(new AppError("CANCELLED"));
		await expect(running).rejects.toMatchObject({ code: "CANCELLED" });
		expect(context.written().match(/m\d/g)).toEqual(["m1", "m2", "m3"]);
	});
});

describe("service", () => {
	it.skipIf(process.platform !== "linux")(
		"service: install writes the unit and says what is left to type, uninstall removes it",
		async () => {
			const context = createTestContext(env);
			await serviceInstallCommand.run(context, { args: [], options: { print: true } });
			const unit = join(folder, ".config/systemd/user/weave-codex.service");
			expect(existsSync(unit)).toBe(false);
			await serviceInstallCommand.run(context, { args: [], options: {} });
			expect(readFileSync(unit, "utf8")).toBe(context.printed[0]?.human);
			expect(context.printed[1]?.human).toContain("systemctl --user daemon-reload");
			await serviceUninstallCommand.run(context, { args: [], options: {} });
			expect(existsSync(unit)).toBe(false);
			await serviceUninstallCommand.run(context, { args: [], options: {} });
			expect(context.printed[3]?.value).toMatchObject({ removed: false });
		},
	);
});
