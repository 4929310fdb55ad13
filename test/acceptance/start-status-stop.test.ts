import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VERSION } from "#protocol/limits.ts";
import { createProduct, isAlive, leftBelow, NODE, type Product, ROOT, until } from "#test/support/product.ts";

interface Status {
	pid: number;
	version: string;
	listeners: { kind: string; address: string }[];
	uptime_ms: number;
	counts: Record<string, number>;
}

let product: Product;
beforeEach(async () => {
	product = await createProduct();
});
afterEach(async () => {
	await product[Symbol.asyncDispose]();
});

const TRACES = /\.(sock|lock)(-\w+)?$|\.tmp|^daemon\.json$|^pty-host\.json$/;

describe("acceptance: start, status, stop", () => {
	test("npm start without a terminal exits 0 with the daemon answering; status --json shows pid, version, listeners, uptime, counts", async () => {
		const started = spawnSync("npm", ["start", "--silent"], {
			cwd: ROOT,
			env: { ...product.env },
			input: "",
			encoding: "utf8",
		});
		expect(started.status, started.stderr).toBe(0);
		expect(started.stdout).toMatch(/127\.0\.0\.1:\d+/);
		const status = await product.json<Status>("status", "--json");
		expect(status.pid).toBe(product.daemonPid());
		expect(status.version).toBe(VERSION);
		expect(status.listeners.length).toBeGreaterThanOrEqual(3);
		expect(status.uptime_ms).toBeGreaterThan(0);
		expect(Object.keys(status.counts)).toEqual(expect.arrayContaining(["threads", "terminals", "agents"]));
	});

	test("stop leaves no socket, lock or temp file and no process", async () => {
		expect((await product.weave("start", "--no-tui")).code).toBe(0);
		const pid = product.daemonPid();
		expect(isAlive(pid)).toBe(true);
		expect((await product.weave("stop")).code).toBe(0);
		expect(isAlive(pid)).toBe(false);
		expect(
			[...leftBelow(product.home), ...leftBelow(product.weaveHome)].filter((path) => TRACES.test(path)),
		).toEqual([]);
		expect((await product.weave("status")).code).toBe(69);
		expect((await product.weave("stop")).code).toBe(0);
	});

	test("stop leaves only the pty-host while a terminal is open, and stop --terminals ends it", async () => {
		expect((await product.weave("start", "--no-tui", "--no-web")).code).toBe(0);
		const attached = product.start("homie", ["attach", "local"], {
			input: "echo $((40+2))is-here; exit 7\n",
		});
		expect((await attached.finished).code).toBe(7);
		expect(attached.stdout()).toContain("42is-here");
		const started = await product.json<{ terminal: { terminal_id: string } }>(
			"call",
			"terminal.session.start",
			"{}",
		);
		expect(started.terminal.terminal_id).toBeTruthy();
		const host = product.hostPid();
		expect(isAlive(host)).toBe(true);
		expect((await product.weave("stop")).code).toBe(0);
		expect(isAlive(host)).toBe(true);
		expect((await product.weave("stop", "--terminals")).code).toBe(0);
		await until("the pty-host has ended", () => !isAlive(host));
		expect(
			[...leftBelow(product.home), ...leftBelow(product.weaveHome)].filter((path) => TRACES.test(path)),
		).toEqual([]);
	});

	test("start --no-tui --no-web listens on Unix sockets only", async () => {
		expect((await product.weave("start", "--no-tui", "--no-web")).code).toBe(0);
		const { listeners } = await product.json<Status>("status", "--json");
		expect(
			listeners.map((listener) => listener.address).filter((address) => address.includes("127.0.0.1")),
		).toEqual([]);
	});

	test("man ./man/homie.1 renders every command", () => {
		const { status, stdout, stderr } = spawnSync("man", [join(ROOT, "man/homie.1")], {
			encoding: "utf8",
			env: { ...process.env, MANPAGER: "cat", MANWIDTH: "100" },
		});
		expect(status, stderr).toBe(0);
		for (const word of ["attach", "new", "ls", "EXIT STATUS"]) expect(stdout).toContain(word);
	});

	test("completion in bash offers commands, options and living terminals", async () => {
		expect((await product.weave("start", "--no-tui", "--no-web")).code).toBe(0);
		await product.json("call", "terminal.session.start", '{"name":"build"}');
		const script = `
			weave-codex() { "${NODE}" "${ROOT}/bin/weave-codex.js" "$@"; }
			homie() { "${NODE}" "${ROOT}/bin/homie.js" "$@"; }
			eval "$(weave-codex completion bash)"
			try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_\${1//-/_}_complete"; echo "\${COMPREPLY[*]}"; }
			try weave-codex st
			try weave-codex start --no
			try homie kill bu`;
		const { status, stdout, stderr } = spawnSync("bash", ["-c", script], {
			encoding: "utf8",
			env: product.env,
		});
		expect(status, stderr).toBe(0);
		const [commands = "", options = "", terminals = ""] = stdout.split("\n");
		for (const word of ["start", "status", "stop"]) expect(commands.split(" ")).toContain(word);
		for (const word of ["--no-tui", "--no-web"]) expect(options.split(" ")).toContain(word);
		expect(terminals).toContain("build");
	});

	test("config set and get work; a wrong value is refused and changes nothing", async () => {
		expect((await product.weave("config", "set", "gateway.port", "9871")).code).toBe(0);
		expect((await product.weave("config", "get", "gateway.port")).stdout.trim()).toBe("9871");
		const wrong = await product.weave("config", "set", "gateway.port", "banana");
		expect(wrong.code).toBe(78);
		expect(wrong.stderr).toContain("gateway.port");
		expect((await product.weave("config", "get", "gateway.port")).stdout.trim()).toBe("9871");
		expect((await product.weave("config", "set", "no.such", "1")).code).toBe(64);
		const path = (await product.weave("config", "path")).stdout.trim();
		expect(existsSync(path)).toBe(true);
		expect(JSON.parse(readFileSync(path, "utf8")).gateway.port).toBe(9871);
	});
});
