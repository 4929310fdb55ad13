import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createProduct, isAlive, type Product, ROOT, until } from "#test/support/product.ts";

let product: Product;
beforeEach(async () => {
	product = await createProduct();
});
afterEach(async () => {
	await product[Symbol.asyncDispose]();
});

const isRoot = process.getuid?.() === 0;
const OLD_NODE = "/usr/bin/node";

/** The system's Node where it is too old to run the bundle itself: then the shim starts the pinned one. */
function findOldNode(): string | undefined {
	const { status, stdout } = spawnSync(OLD_NODE, ["-p", "process.versions.node"], { encoding: "utf8" });
	return status === 0 && Number(stdout.split(".")[0]) < 24 ? OLD_NODE : undefined;
}
const oldNode = findOldNode();
const whyNoShim = oldNode === undefined ? " (skipped: no Node older than 24 at /usr/bin/node)" : "";

async function listenSomewhere(): Promise<{ server: Server; port: number }> {
	const server = createServer();
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const address = server.address();
	if (address === null || typeof address === "string") throw new Error("no port");
	return { server, port: address.port };
}

function system(program: string, ...args: string[]): { ok: boolean; stderr: string } {
	const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
	return { ok: status === 0, stderr };
}

/** A file system with those options, mounted at `folder` until disposed. */
function mountTmpfs(folder: string, options: string): Disposable {
	const { ok, stderr } = system("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder);
	if (!ok) throw new Error(`mount: ${stderr}`);
	return { [Symbol.dispose]: () => void system("umount", "-l", folder) };
}

/** Writes until there is no room left. */
function fillDisk(path: string): void {
	const file = openSync(path, "w");
	const block = Buffer.alloc(4096);
	try {
		for (;;) writeSync(file, block);
	} catch (error) {
		if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
	} finally {
		closeSync(file);
	}
}
const canMount = isRoot && system("unshare", "-m", "true").ok;
const whyNoMount = canMount ? "" : " (skipped: mounting a tmpfs needs root)";

describe("acceptance: daemon lifecycle errors", () => {
	test("start: says which port is taken, exits 69 and leaves no daemon, when the port it was given is", async () => {
		const { server, port } = await listenSomewhere();
		try {
			const flag = await product.weave("start", "--no-tui", "--port", String(port));
			expect(flag.code).toBe(69);
			expect(flag.stderr).toContain(String(port));
			expect(flag.stderr).toContain("--port");
			expect((await product.weave("config", "set", "gateway.port", String(port))).code).toBe(0);
			const json = await product.weave("start", "--no-tui", "--json");
			expect(json.code).toBe(69);
			expect(JSON.parse(json.stderr).error.name).toBe("PORT_IN_USE");
			expect((await product.weave("status")).code).toBe(69);
		} finally {
			server.close();
		}
	});

	test("start: exits 78 with a remedy when the home is a file", async () => {
		await writeFile(product.home, "");
		for (const args of [
			["start", "--no-tui"],
			["exec", "help"],
			["config", "set", "log.level", "debug"],
		]) {
			const { code, stderr } = await product.weave(...args);
			expect(stderr).toContain("cannot be written");
			expect(stderr).toContain("HOMIE_HOME");
			expect(code).toBe(78);
		}
	});

	test.skipIf(isRoot)("start: exits 78 when the home may not be written (skipped as root)", async () => {
		await mkdir(product.home);
		await chmod(product.home, 0o500);
		expect((await product.weave("start", "--no-tui")).code).toBe(78);
		await chmod(product.home, 0o700);
	});

	test.skipIf(!canMount)(
		`start: exits 78 when the home's file system is read-only${whyNoMount}`,
		async () => {
			await mkdir(product.home);
			using _ = mountTmpfs(product.home, "ro,size=1m,mode=700");
			const started = await product.weave("start", "--no-tui");
			expect(started.code, started.stderr).toBe(78);
			expect((await product.weave("config", "set", "log.level", "debug")).code).toBe(78);
		},
	);

	test.skipIf(!canMount)(
		`a full disk: start and writes exit 74, and go on when there is room again${whyNoMount}`,
		async () => {
			await mkdir(product.home);
			using _ = mountTmpfs(product.home, "size=3m,mode=700");
			const fill = join(product.home, "fill");
			fillDisk(fill);
			expect((await product.weave("start", "--no-tui")).code).toBe(74);
			await writeFile(fill, "");
			const started = await product.weave("start", "--no-tui");
			expect(started.code, started.stderr).toBe(0);
			fillDisk(fill);
			const refused = await product.weave("session", "create", "late");
			expect(refused.stderr).toContain("disk is full");
			expect(refused.code).toBe(74);
			expect((await product.weave("status")).code).toBe(0);
			await writeFile(fill, "");
			expect((await product.weave("session", "create", "late")).code).toBe(0);
			expect((await product.weave("stop")).code).toBe(0);
		},
	);

	test("start: a second one finds the first, whatever flags it has, and says that they do not apply", async () => {
		expect((await product.weave("start", "--no-tui", "--no-web")).code).toBe(0);
		const pid = product.daemonPid();
		const again = await product.weave("start", "--no-tui", "--port", "9");
		expect(again.code).toBe(0);
		expect(again.stdout).toContain(`already runs (pid ${pid})`);
		expect(again.stderr).toContain("restart");
		expect(product.daemonPid()).toBe(pid);
	});

	test("restart: a daemon that was started without TCP stays without, and --port opens it", async () => {
		expect((await product.weave("start", "--no-tui", "--no-web")).code).toBe(0);
		const quiet = await product.json<{ listeners: { kind: string }[] }>("restart", "--json");
		expect(quiet.listeners.map((listener) => listener.kind)).not.toContain("http");
		const open = await product.json<{ listeners: { kind: string }[] }>("restart", "--json", "--port", "0");
		expect(open.listeners.map((listener) => listener.kind)).toContain("http");
	});

	test("start: two at once leave one daemon", async () => {
		const started = await Promise.all([
			product.weave("start", "--no-tui"),
			product.weave("start", "--no-tui"),
		]);
		expect(started.map(({ code, stderr }) => [code, stderr])).toEqual([
			[0, ""],
			[0, ""],
		]);
		const pids = started.map(({ stdout }) => /pid (\d+)/.exec(stdout)?.[1]);
		expect(pids[0]).toBe(pids[1]);
	});

	test("start: another home with the same bus is refused and told who has it", async () => {
		expect((await product.weave("start", "--no-tui")).code).toBe(0);
		const other = await product.start("weave-codex", ["start", "--no-tui"], {
			env: { HOMIE_HOME: join(product.dir, "other") },
		}).finished;
		expect(other.code).toBe(69);
		expect(other.stderr).toContain(String(product.daemonPid()));
		expect(other.stderr).toContain(product.home);
	});

	test("kill -9: status and stop see nothing running, doctor names the traces, start takes them over", async () => {
		expect((await product.weave("start", "--no-tui")).code).toBe(0);
		const pid = product.daemonPid();
		if (pid === undefined) throw new Error("no pid");
		process.kill(pid, "SIGKILL");
		await until("it is gone", () => !isAlive(pid));
		expect(existsSync(join(product.home, "daemon.sock"))).toBe(true);
		expect((await product.weave("status")).code).toBe(69);
		expect((await product.weave("stop")).code).toBe(0);
		const doctor = await product.weave("doctor");
		expect(doctor.stdout).toContain(`(pid ${pid}) died`);
		expect((await product.weave("start", "--no-tui")).code).toBe(0);
		expect(product.daemonPid()).not.toBe(pid);
		expect((await product.weave("status")).code).toBe(0);
	});

	test("a lock file and a socket file of nobody are taken over", async () => {
		await mkdir(product.home, { mode: 0o700 });
		await writeFile(join(product.home, "daemon.lock"), "");
		await writeFile(join(product.home, "daemon.json"), '{"pid":1,"start_time":"1"}');
		const server = createServer().listen(join(product.home, "daemon.sock"));
		await once(server, "listening");
		// A socket whose listener is gone, as a crash leaves it.
		const stale = spawn(process.execPath, [
			"-e",
			`require("net").createServer().listen(${JSON.stringify(join(product.home, "pty.sock"))}, () => process.kill(process.pid, "SIGKILL"))`,
		]);
		await once(stale, "exit");
		server.close();
		await once(server, "close");
		expect((await product.weave("start", "--no-tui")).code).toBe(0);
		expect((await product.weave("status")).code).toBe(0);
	});

	test("SIGTERM is stop: the daemon's files are gone and its exit is clean", async () => {
		const foreground = product.start("weave-codex", ["start", "--foreground"]);
		await until("it answers", async () => (await product.weave("status")).code === 0);
		const pid = product.daemonPid();
		expect(pid).toBe(foreground.child.pid);
		foreground.child.kill("SIGTERM");
		expect((await foreground.finished).code).toBe(0);
		expect(foreground.stderr()).toContain('"msg":"ready"');
		for (const name of ["daemon.sock", "daemon.json", "daemon.lock"])
			expect(existsSync(join(product.home, name))).toBe(false);
	});

	test("a daemon of another version is named, and restart is the remedy", async () => {
		await mkdir(product.home, { mode: 0o700 });
		// What an older daemon answers; its wire is the same, its version is not.
		const old = createHttpServer((_request, response) => {
			response.setHeader("content-type", "application/json");
			response.end(JSON.stringify({ pid: process.pid, version: "0.0.1", listeners: [] }));
		});
		old.listen(join(product.home, "daemon.sock"));
		await once(old, "listening");
		try {
			const { code, stderr } = await product.weave("start", "--no-tui");
			expect(stderr).toContain("0.0.1");
			expect(stderr).toContain("weave-codex restart");
			expect(code).toBe(69);
		} finally {
			old.closeAllConnections();
			old.close();
		}
	});

	test("a home whose socket path would be too long works", async () => {
		const home = join(product.dir, "long".repeat(30));
		const run = (...args: string[]) =>
			product.start("weave-codex", args, { env: { HOMIE_HOME: home } }).finished;
		try {
			const started = await run("start", "--no-tui", "--no-web");
			expect(started.code, started.stderr).toBe(0);
			expect((await run("exec", "help")).code).toBe(0);
		} finally {
			expect((await run("stop", "--terminals")).code).toBe(0);
		}
	});
});

describe.skipIf(oldNode === undefined)(`acceptance: started by an older Node${whyNoShim}`, () => {
	function shim(...args: string[]) {
		return spawn(oldNode ?? "", [join(ROOT, "bin/weave-codex.js"), ...args], {
			env: product.env,
			stdio: ["ignore", "pipe", "pipe"],
		});
	}
	async function exitCode(...args: string[]): Promise<number | null> {
		const child = shim(...args);
		child.stdout.resume();
		child.stderr.resume();
		const [code] = (await once(child, "close")) as [number | null];
		return code;
	}

	test("exit codes are mirrored, and a daemon started in the background stays when the shim has left", async () => {
		expect(await exitCode("status")).toBe(69);
		expect(await exitCode("no-such-command")).toBe(64);
		expect(await exitCode("start", "--no-tui")).toBe(0);
		const pid = product.daemonPid();
		expect((await product.weave("session", "list")).code).toBe(0);
		expect(await exitCode("exec", "help")).toBe(0);
		expect(product.daemonPid()).toBe(pid);
		expect(isAlive(pid)).toBe(true);
	});

	test("kill -9 of a shim in the foreground ends the daemon too, as a stop", async () => {
		const child = shim("start", "--foreground");
		await until("it answers", async () => (await product.weave("status")).code === 0);
		const pid = product.daemonPid();
		expect(pid).not.toBe(child.pid);
		child.kill("SIGKILL");
		await until("the daemon has ended", () => !isAlive(pid));
		expect(existsSync(join(product.home, "daemon.sock"))).toBe(false);
		expect(readFileSync(join(product.home, "logs/daemon.log"), "utf8")).toContain("the starter is gone");
	});

	test("SIGTERM to a shim in the foreground is stop, and its exit code is the daemon's", async () => {
		const child = shim("start", "--foreground");
		await until("it answers", async () => (await product.weave("status")).code === 0);
		const pid = product.daemonPid();
		child.kill("SIGTERM");
		const [code] = (await once(child, "exit")) as [number | null];
		expect(code).toBe(0);
		expect(isAlive(pid)).toBe(false);
	});
});
