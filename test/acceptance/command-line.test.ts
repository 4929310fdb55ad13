import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMANDS } from "#cli/command/index.ts";
import { createProduct, NODE, type Product, ROOT } from "#test/support/product.ts";
import { runInPty } from "#test/support/pty-run.ts";

const UNREACHABLE = 69;
/** A shell's own `$`. */
const D = "$";
const ESCAPE = "\x1b";

function hasProgram(name: string): boolean {
	return spawnSync(name, ["--version"]).status === 0;
}

/** Runs a shell line in which weave-codex and homie are on the PATH. */
function shell(
	product: Product,
	line: string,
	program = "bash",
): { code: number | null; stdout: string; stderr: string } {
	const { status, stdout, stderr } = spawnSync(program, ["-c", line], {
		cwd: product.work,
		env: { ...product.env, PATH: `${join(product.dir, "bin")}:${product.env["PATH"] ?? ""}` },
		encoding: "utf8",
		timeout: 30_000,
	});
	return { code: status, stdout, stderr };
}

async function installed(): Promise<Product> {
	const product = await createProduct();
	spawnSync("mkdir", [join(product.dir, "bin")]);
	for (const name of ["weave-codex", "homie"]) {
		const script = `#!/bin/sh\nexec "${NODE}" "${join(ROOT, "bin", `${name}.js`)}" "$@"\n`;
		await writeFile(join(product.dir, "bin", name), script, { mode: 0o755 });
	}
	return product;
}

describe("acceptance: manners without a daemon", () => {
	let product: Product;
	beforeAll(async () => {
		product = await installed();
	});
	afterAll(async () => {
		await product[Symbol.asyncDispose]();
	});

	test("--help of both programs and of a command goes to stdout, plain in a pipe, with examples", () => {
		for (const line of [
			"weave-codex --help",
			"homie --help",
			"weave-codex help chat approve",
			"homie new -h",
		]) {
			const { code, stdout, stderr } = shell(product, line);
			expect(code, line).toBe(0);
			expect(stderr).toBe("");
			expect(stdout).toMatch(/^Usage: /);
			expect(stdout).not.toContain(ESCAPE);
		}
		expect(shell(product, "weave-codex help chat approve").stdout).toContain("$ weave-codex chat approve");
	});

	test("what is not understood exits 64, says what was meant, and prints nothing to stdout", () => {
		const wrong: [string, string][] = [
			["weave-codex staus", "Did you mean status?"],
			["weave-codex chat aprove", "Did you mean approve?"],
			["weave-codex status --jsn", "Did you mean --json?"],
			["weave-codex logs --lines many", "--lines takes a whole number"],
			["weave-codex config get nope", "gateway.port"],
			["weave-codex exec ''", "no text"],
			["weave-codex completion tcsh", "bash, zsh, fish"],
			["weave-codex", "needs a terminal"],
			["weave-codex service", "install"],
			["homie rename local:x 'a b'", "letters, digits"],
			["homie new --name größe", "letters, digits"],
		];
		for (const [line, says] of wrong) {
			const { code, stdout, stderr } = shell(product, `${line} </dev/null`);
			expect(stderr, line).toContain(says);
			expect(code, line).toBe(64);
			expect(stdout, line).toBe("");
		}
	});

	test("a setting that is given a wrong value says what it takes, and where to read more", () => {
		const { code, stderr } = shell(product, "weave-codex config set gateway.port abc");
		expect(stderr).toContain("a number from 1 to 65535, not abc");
		expect(stderr).toContain("--help");
		expect(code).toBe(78);
	});

	test("who asks for JSON gets errors as JSON", () => {
		for (const [line, name] of [
			["weave-codex staus --json", "USAGE"],
			["weave-codex chat list --json", "DAEMON_UNAVAILABLE"],
		] as const) {
			const { stderr } = shell(product, line);
			expect(JSON.parse(stderr)).toMatchObject({ error: { name }, remedy: expect.any(String) });
		}
	});

	test("commands that ask a daemon exit 69 and say how to start one", () => {
		for (const words of ["chat list", "agent list", "session list", "inbox", "tail", "call daemon.status"]) {
			const { code, stderr } = shell(product, `weave-codex ${words}`);
			expect(code, words).toBe(UNREACHABLE);
			expect(stderr, words).toContain("weave-codex start");
		}
		expect(shell(product, "weave-codex status --json").stdout).toBe('{"running":false}\n');
		expect(shell(product, "weave-codex doctor").code).toBe(0);
		expect(shell(product, "weave-codex logs").code).toBe(0);
	});

	test("service install --print shows the unit and writes nothing", () => {
		const { code, stdout } = shell(product, "weave-codex service install --print");
		expect(code).toBe(0);
		expect(stdout).toContain("dist/daemon.js");
		expect(stdout).toContain(product.home);
	});

	test("output that cannot be written is an error", () => {
		const { code, stderr } = shell(product, "weave-codex api schema > /dev/full");
		expect(code).toBe(74);
		expect(stderr).toContain("disk is full");
	});

	test("a reader that stops reading ends a command quietly", () => {
		const { stdout, stderr } = shell(
			product,
			`weave-codex api schema --json | head -c 5; echo " ${D}{PIPESTATUS[0]}"; weave-codex --help | head -1`,
		);
		expect(stdout).toMatch(/^\{"ver (0|141)\nUsage: /);
		expect(stderr).toBe("");
	});

	test("a command that follows exits 130 on Ctrl+C, 143 on SIGTERM", async () => {
		for (const [signal, code] of [
			["SIGINT", 130],
			["SIGTERM", 143],
		] as const) {
			const running = product.start("weave-codex", ["logs", "-f"]);
			await running.printed((_stdout, stderr) => stderr.includes("no log yet"));
			running.child.kill(signal);
			expect((await running.finished).code).toBe(code);
		}
	});

	test.skipIf(!hasProgram("man"))("the man pages render without a warning (skipped without man)", () => {
		for (const name of ["weave-codex", "homie"]) {
			const page = join(ROOT, "man", `${name}.1`);
			const { code, stdout, stderr } = shell(product, `man --warnings -E UTF-8 ${page} | cat`);
			expect(code).toBe(0);
			expect(stderr).toBe("");
			expect(stdout.replace(/.\x08/g, "")).toContain("EXIT STATUS");
		}
	});
});

describe("acceptance: manners with a daemon", () => {
	let product: Product;
	beforeAll(async () => {
		product = await installed();
		for (const words of [
			["start", "--no-tui", "--no-web"],
			["exec", "--agent", "ada", "help"],
		])
			expect((await product.weave(...words)).code).toBe(0);
		expect((await product.homie("new", "--name", "work", "--detach", "--", "cat")).code).toBe(0);
	});
	afterAll(async () => {
		await product[Symbol.asyncDispose]();
	});

	test("--json prints one object to stdout and nothing else, wherever data is printed", () => {
		const lines = [
			...["status", "doctor", "account", "models", "inbox", "session list", "agent list", "chat list"],
			...["chat read ada", "chat approvals", "config get", "config path", "api schema", "start --no-tui"],
			...["call daemon.status", "subscribe chats.state --count 1", "logs --lines 1", "session create größe"],
		].map((words) => `weave-codex ${words}`);
		for (const line of [...lines, "homie ls", "homie machines", "homie preview work"]) {
			const { code, stdout, stderr } = shell(product, `${line} --json`);
			expect(code, `${line}: ${stderr}`).toBe(0);
			expect(stderr, line).toBe("");
			expect(() => JSON.parse(stdout), line).not.toThrow();
			expect(stdout.trim().split("\n"), line).toHaveLength(1);
		}
	});

	test("commands that print data take --json", () => {
		const without = COMMANDS.filter((command) => !command.json && !command.hidden).map((command) =>
			`${command.program} ${command.name}`.trim(),
		);
		// They print a script, a screen or a protocol of their own, or nothing.
		expect(without.sort()).toEqual(
			[
				...["homie attach", "homie kill", "homie rename", "homie send"],
				...["weave-codex", "weave-codex app-server", "weave-codex completion", "weave-codex tui"],
			].sort(),
		);
	});

	test("a program in a terminal gets the piped stdin and gives its exit code", () => {
		const { stdout } = shell(
			product,
			`echo go | homie new -- sh -c 'read word; echo got $word; exit 3' | cat; echo "code \${PIPESTATUS[1]}"`,
		);
		expect(stdout).toContain("got go");
		expect(stdout).toContain("code 3");
	});

	test("a reader that stops reading ends an attach, and the program goes on", () => {
		const { stdout, stderr } = shell(
			product,
			`homie new -- sh -c "seq 300000; sleep 600" | head -1; echo "${D}{PIPESTATUS[0]}"`,
		);
		expect(stdout.replaceAll("\r", "")).toBe("1\n141\n");
		expect(stderr).toBe("");
		expect(shell(product, "homie ls").stdout).toContain("seq 300000");
	});

	test("--port that a running daemon does not serve is told", () => {
		const { code, stderr } = shell(product, "weave-codex start --no-tui --port 4");
		expect(code).toBe(0);
		expect(stderr).toContain("weave-codex restart");
	});

	test("the prefix key of config.json is the one that attach uses", async () => {
		expect((await product.weave("config", "set", "terminal.prefix", "^X")).code).toBe(0);
		await using attached = runInPty({
			argv: [NODE, join(ROOT, "bin/homie.js"), "attach", "local:work"],
			env: product.env,
		});
		attached.send("echoed\r");
		await attached.waitForText("echoed");
		attached.send("\x18d");
		await attached.waitForText("detached from local:work");
		expect((await attached.exit).exitCode).toBe(0);
	});

	const shells: [string, string][] = [
		[
			"bash",
			`eval "$(weave-codex completion bash)"; go() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _${D}{1//-/_}_complete; echo ${D}{COMPREPLY[*]}; }; go weave-codex agent rename ad; go homie attach wo; go weave-codex exec --sandbox read`,
		],
		[
			"fish",
			"weave-codex completion fish | source; complete -C 'weave-codex agent rename ad'; complete -C 'homie attach wo'; complete -C 'weave-codex exec --sandbox read'",
		],
		[
			"zsh",
			`autoload -Uz compinit; compinit -u -d $HOME/zcomp; eval "$(weave-codex completion zsh)"; _describe() { print -l -- ${D}{(P)2%%:*} }; go() { words=("$@"); CURRENT=$#; _${D}{1//-/_}_complete; }; go weave-codex agent rename ad; go homie attach wo; go weave-codex exec --sandbox read`,
		],
	];
	for (const [name, line] of shells) {
		test.skipIf(!hasProgram(name))(
			`completion in ${name} asks the daemon (skipped where ${name} is absent)`,
			() => {
				const { stdout, stderr } = shell(product, line, name);
				expect(stderr).toBe("");
				expect(stdout.split("\n").map((found) => found.split("\t")[0])).toEqual([
					"ada",
					"work",
					"read-only",
					"",
				]);
			},
		);
	}

	test("Ctrl+C ends a command that follows", async () => {
		const running = product.start("weave-codex", ["tail"]);
		await running.printed((_stdout, stderr) => stderr.includes("following"));
		running.child.kill("SIGINT");
		expect((await running.finished).code).toBe(130);
	});
});
