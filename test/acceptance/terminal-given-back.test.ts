import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createProduct, type Product, until } from "#test/support/product.ts";
import { type ScriptedModel, startScriptedModel, writeCodexHome } from "#test/support/scripted-model.ts";
import { startTmux, type Tmux, tmuxMissing } from "#test/support/tmux.ts";

if (tmuxMissing) console.warn("skipped: the tmux tests need tmux (apt-get install tmux)");

let product: Product;
let model: ScriptedModel;

beforeEach(async () => {
	product = await createProduct();
	model = await startScriptedModel({
		responses: [
			{ items: [{ type: "text", text: "Hello to you." }] },
			{
				items: [
					{
						type: "function_call",
						name: "exec_command",
						args: {
							cmd: "touch made.txt",
							sandbox_permissions: "require_escalated",
							justification: "May I?",
						},
					},
				],
			},
			{ items: [{ type: "text", text: "It is made." }] },
		],
	});
	writeCodexHome(product.codexHome, model.url);
});
afterEach(async () => {
	await product[Symbol.asyncDispose]();
	await model[Symbol.asyncDispose]();
});

/** What a person would notice if it were not as before. */
async function stateOf(
	tmux: Tmux,
	name: string,
): Promise<{ stty: string; cursor: string; alternate: string; mouse: string }> {
	const file = join(product.dir, name);
	await tmux.run(`stty -a > ${file}`);
	return {
		stty: readFileSync(file, "utf8"),
		cursor: tmux.format("#{cursor_flag}"),
		alternate: tmux.format("#{alternate_on}"),
		mouse: tmux.format("#{mouse_any_flag}#{mouse_sgr_flag}#{keypad_cursor_flag}#{keypad_flag}"),
	};
}

async function openTui(tmux: Tmux, prefix = ""): Promise<void> {
	tmux.type(`${prefix}weave-codex`);
	tmux.keys("Enter");
	await tmux.shows("? help");
	await until(
		"the daemon is connected",
		() => !/connecting|waits for/.test(tmux.screen()) && existsSync(join(product.home, "daemon.json")),
	);
}

describe.skipIf(tmuxMissing)("acceptance: in tmux", () => {
	test.each([
		[40, 12],
		[80, 24],
		[200, 60],
	])(
		"%ix%i: start, chat, approve, attach, detach, quit; the terminal is as it was before",
		async (cols, rows) => {
			using tmux = await startTmux(product, cols, rows);
			await tmux.run("echo before-$((1))");
			const before = await stateOf(tmux, "before");
			await openTui(tmux);
			tmux.type("hello");
			tmux.keys("Enter");
			await tmux.shows("Hello to you.");
			tmux.type("make it");
			tmux.keys("Enter");
			await tmux.shows("approve");
			await tmux.shows(/Ctrl\+X|\^X|y once/i);
			if (!tmux.screen().includes("y once")) tmux.keys("C-x");
			await tmux.shows("y once");
			expect(existsSync(join(product.work, "made.txt"))).toBe(false);
			tmux.keys("y");
			await tmux.shows("It is made.");
			expect(existsSync(join(product.work, "made.txt"))).toBe(true);
			tmux.type("/attach");
			tmux.keys("Enter");
			await tmux.shows(/[#$] ?$/m);
			await until("the attach has the screen", () => tmux.format("#{alternate_on}") === "1");
			tmux.type("echo in-the-shell-$((6*7))");
			tmux.keys("Enter");
			await tmux.shows("in-the-shell-42");
			tmux.keys("C-]", "d");
			await tmux.shows("detached");
			await tmux.shows("? help");
			tmux.keys("C-d");
			await tmux.shows(/^\$ ?$/m);
			const after = await stateOf(tmux, "after");
			expect(after).toEqual(before);
			if (rows >= 24) expect(tmux.screen()).toContain("It is made.");
		},
	);

	test.each([
		["kill -TERM", "SIGTERM"],
		["kill -HUP", "SIGHUP"],
		["a crash", "SIGUSR2"],
	])("after %s the terminal is as it was before", async (_name, signal) => {
		using tmux = await startTmux(product, 80, 24);
		const before = await stateOf(tmux, "before");
		await openTui(tmux, `NODE_OPTIONS='--import ${join(product.root, "test/fixture/throw-on-signal.mjs")}' `);
		tmux.type("a draft");
		await tmux.shows("a draft");
		const pid = Number(tmux.format("#{pane_pid}"));
		const { stdout } = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
		const child = Number(stdout.trim().split("\n")[0]);
		process.kill(child, signal);
		await tmux.shows(/^\$ ?$/m);
		expect(await stateOf(tmux, "after")).toEqual(before);
	});

	test("homie attach in tmux: the main screen comes back, and the shell's exit code is ours", async () => {
		using tmux = await startTmux(product, 80, 24);
		await tmux.run("echo main-screen-$((1))");
		const before = await stateOf(tmux, "before");
		tmux.type("homie attach local");
		tmux.keys("Enter");
		await until("the attach has the screen", () => tmux.format("#{alternate_on}") === "1");
		tmux.type("printf '\\033[?25l\\033[?1000h\\033[?2004h'; exit 5");
		tmux.keys("Enter");
		await tmux.shows("main-screen-1");
		await tmux.run("echo code-$?");
		await tmux.shows("code-5");
		expect(await stateOf(tmux, "after")).toEqual(before);
	});
});
