import { spawnSync } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProduct, type Finished, lines, NODE, type Product } from "#test/support/product.ts";
import { runInPty } from "#test/support/pty-run.ts";
import {
	type ScriptedItem,
	type ScriptedModel,
	startScriptedModel,
	writeCodexHome,
} from "#test/support/scripted-model.ts";

const missing = spawnSync("bwrap", ["--ro-bind", "/", "/", "true"]).status !== 0;
if (missing) console.warn("skipped: half of the boundary tests need bubblewrap (apt-get install bubblewrap)");

let product: Product;
let model: ScriptedModel;

beforeAll(async () => {
	product = await createProduct();
	model = await startScriptedModel({ responses: [] });
	writeCodexHome(product.codexHome, model.url);
	// A starter with a folder open, as editors and shells have them.
	const start = `exec 77<${product.dir}; exec "$0" "$@"`;
	const args = ["-c", start, NODE, join(product.root, "bin/weave-codex.js"), "start", "--no-tui"];
	const started = spawnSync("/bin/bash", args, { cwd: product.work, env: product.env, encoding: "utf8" });
	expect(started.status, started.stderr).toBe(0);
});
afterAll(async () => {
	await product[Symbol.asyncDispose]();
	await model[Symbol.asyncDispose]();
});

function answer(...items: ScriptedItem[]): void {
	model.push(...items.map((item) => ({ items: [item] })));
}

const command = (cmd: string): ScriptedItem => ({
	type: "function_call",
	name: "exec_command",
	args: { cmd },
});

/** One headless turn in the workspace. */
function exec(...options: string[]): Promise<Finished> {
	return product.weave("exec", "-C", product.work, "--approval", "never", ...options, "go");
}

/** What the first command of a `--json` turn printed. */
function outputOf({ stdout }: Finished): string {
	const done = lines<{ type: string; item?: { type: string; aggregatedOutput?: string | null } }>(
		stdout,
	).find((event) => event.type === "chat.item.completed" && event.item?.type === "commandExecution");
	return done?.item?.aggregatedOutput ?? "";
}

describe("acceptance: boundaries", () => {
	test.skipIf(missing)(
		"a descriptor of the daemon's starter reaches no command, sandboxed or not",
		async () => {
			for (const sandbox of ["read-only", "workspace-write", "danger-full-access"]) {
				answer(command("ls /proc/self/fd/77/ && echo REACHED; echo end"), { type: "text", text: "Done." });
				const output = outputOf(await exec("--json", "--sandbox", sandbox));
				expect(output).toMatch(/end\n$/);
				expect(output).not.toContain("REACHED");
			}
		},
	);

	test("a descriptor of the daemon's starter reaches no terminal", async () => {
		await product.json(
			...["call", "terminal.session.start"],
			JSON.stringify({ argv: ["/bin/sh", "-c", `ls /proc/self/fd > ${product.work}/fds; cat`] }),
		);
		await expect.poll(() => existsSync(join(product.work, "fds"))).toBe(true);
		expect(readFileSync(join(product.work, "fds"), "utf8").split("\n")).not.toContain("77");
	});

	test("a link in a repository does not send a key to the model", async () => {
		mkdirSync(join(product.dir, ".ssh"), { recursive: true });
		writeFileSync(join(product.dir, ".ssh/id_ed25519"), "PRIVATE-KEY-OF-THE-PERSON\n");
		symlinkSync(join(product.dir, ".ssh/id_ed25519"), join(product.work, "AGENTS.md"));
		answer({ type: "text", text: "Done." });
		expect((await exec("--sandbox", "read-only")).code).toBe(0);
		rmSync(join(product.work, "AGENTS.md"));
		expect(JSON.stringify(model.requests)).not.toContain("PRIVATE-KEY");
	});

	test("what a model says cannot give orders to a terminal, and reaches a pipe as it is", async () => {
		const text = "before\u001b]0;owned\u0007\u001b[2J\u009b31m\u202eafter";
		answer({ type: "text", text });
		expect((await exec("--sandbox", "read-only")).stdout).toBe(`${text}\n`);
		answer({ type: "text", text });
		const weave = join(product.root, "bin/weave-codex.js");
		await using shown = runInPty({
			argv: [NODE, weave, "exec", "-C", product.work, "--sandbox", "read-only", "go"],
			env: product.env,
			cwd: product.work,
		});
		expect((await shown.exit).exitCode).toBe(0);
		expect(shown.raw()).toContain("before\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\u202eafter");
		expect(shown.raw()).not.toMatch(/[\u001b\u009b\u202e]/);
	});

	test("a secret in a prompt, an answer or a command stays out of the logs", async () => {
		const secret = "sk-proj-Abc123Def456Ghi789Jkl012";
		answer(command(`echo ${secret}`), { type: "text", text: `Bearer ${secret}` });
		const options = ["-C", product.work, "--approval", "never", "--sandbox", "read-only"];
		expect((await product.weave("exec", ...options, `use ${secret}`)).code).toBe(0);
		await product.weave("call", "chat.create", JSON.stringify({ cwd: `/nowhere/${secret}` }));
		const logs = join(product.home, "logs");
		for (const name of readdirSync(logs)) {
			const text = readFileSync(join(logs, name), "utf8");
			expect(text).not.toContain(secret);
			expect(text).not.toContain(readFileSync(join(product.home, "token"), "utf8").trim());
		}
	});
});
