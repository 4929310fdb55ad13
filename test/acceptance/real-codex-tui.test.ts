import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "#test/support/product.ts";
import {
	addFile,
	call,
	escalated,
	type RealTuiStage,
	realTuiMissing,
	say,
	startRealTuiStage,
	startTui,
	TITLE,
	text,
} from "#test/support/real-codex-tui.ts";
import type { ScriptedResponse } from "#test/support/scripted-model.ts";
import type { Tmux } from "#test/support/tmux.ts";

const missing = realTuiMissing();
if (missing !== null) console.warn(`skipped: the real TUI as a client: ${missing}`);

let stage: RealTuiStage;
const opened: Tmux[] = [];

async function open(responses: readonly ScriptedResponse[], name = "one"): Promise<Tmux> {
	stage = await startRealTuiStage(responses);
	return openAnother(name);
}
async function openAnother(name: string): Promise<Tmux> {
	const tmux = await stage.openTerminal(name);
	opened.push(tmux);
	return tmux;
}
afterEach(async () => {
	for (const tmux of opened.splice(0)) tmux[Symbol.dispose]();
	await stage[Symbol.asyncDispose]();
});

interface ListedThread {
	thread_id: string;
	title: string | null;
	turn_count: number;
	status: string;
}
async function threads(): Promise<ListedThread[]> {
	return (await stage.product.json<{ threads: ListedThread[] }>("chat", "list", "--json")).threads;
}

function member(body: unknown, name: string): unknown {
	return (body as Readonly<Record<string, unknown>>)[name];
}

/** The real TUI marks what went wrong with a square, and warnings with a sign. */
function hasNoErrorLine(tmux: Tmux): void {
	expect(tmux.screen()).not.toMatch(/^\s*(■|⚠)/mu);
}

const held = (before: string, gate: string): ScriptedResponse =>
	call({ type: "text", chunks: [before, { gate }, "never said"] });

describe.skipIf(missing !== null)("acceptance: the real Codex TUI", () => {
	test("by codex.sock: command approval, patch approval, steer, Esc, /new, exit", async () => {
		const tmux = await open([
			escalated("touch made.txt", "May I make it?"),
			text("The file is there."),
			addFile("note.txt", "one line"),
			text("The note is there."),
			held("Slow beginning. ", "slow"),
			text("Steered to the end."),
			held("Another beginning. ", "slower"),
			text("A fresh start."),
		]);
		const { product, model } = stage;
		await startTui(tmux, `${stage.bySocket()} -C "$PWD" -s read-only`);

		await say(tmux, "make it");
		await tmux.shows("May I make it?");
		tmux.keys("y");
		await tmux.shows("The file is there.");
		await until("the command ran", () => existsSync(join(product.work, "made.txt")));
		await tmux.shows(TITLE);

		await say(tmux, "patch it");
		await tmux.shows("Would you like to make the following edits?");
		expect(existsSync(join(product.work, "note.txt"))).toBe(false);
		tmux.keys("y");
		await tmux.shows("The note is there.");
		expect(existsSync(join(product.work, "note.txt"))).toBe(true);

		await say(tmux, "go slow");
		await model.paused("slow");
		await say(tmux, "go fast");
		await tmux.shows("Steered to the end.");
		hasNoErrorLine(tmux);

		await say(tmux, "once more");
		await model.paused("slower");
		await tmux.shows("Another beginning.");
		tmux.keys("Escape");
		await tmux.shows("Conversation interrupted");

		await say(tmux, "/new");
		await until("the screen is fresh", () => !tmux.screen().includes("Conversation interrupted"));
		await say(tmux, "begin again");
		await tmux.shows("A fresh start.");
		hasNoErrorLine(tmux);

		await say(tmux, "/exit");
		await tmux.shows("codex --remote");
		await until("both threads are idle", async () =>
			(await threads()).every(({ status }) => status === "idle"),
		);
		expect((await threads()).map(({ turn_count }) => turn_count).sort((a, b) => a - b)).toEqual([1, 4]);
	});

	test("by TCP with a token: rewinds, forks, resumes from the list, and asks a side question", async () => {
		const tmux = await open([
			text("The first answer."),
			text("The second answer."),
			text("Aside."),
			text("More."),
		]);
		await startTui(tmux, `${stage.byTcp()} -C "$PWD"`);
		await say(tmux, "say one");
		await tmux.shows("The first answer.");
		await tmux.shows(TITLE);
		await say(tmux, "say two");
		await tmux.shows("The second answer.");

		// Twice Esc; the first one shows nothing on a screen with other hints.
		await until("the transcript is browsed", async () => {
			tmux.keys("Escape");
			return tmux.shows("↵ rewind", 500).then(
				() => true,
				() => false,
			);
		});
		tmux.keys("Enter");
		await tmux.shows("Conversation reverted to this point");
		expect((await threads()).map(({ turn_count }) => turn_count)).toEqual([1]);
		tmux.keys("C-u");

		await say(tmux, "/fork");
		await tmux.shows("Thread forked from");
		expect((await threads()).length).toBe(2);
		await say(tmux, "/side what is it");
		await tmux.shows("Aside.");
		// What is said aside is kept nowhere.
		expect((await threads()).length).toBe(2);
		tmux.keys("C-c");
		await until("the side is closed", () => !tmux.screen().includes("Aside."));

		await say(tmux, "/resume");
		await tmux.shows("Resume a previous session");
		await tmux.shows(/› .*Scripted work/u);
		tmux.keys("Enter");
		await tmux.shows("The first answer.");
		await say(tmux, "go on");
		await tmux.shows("More.");
		hasNoErrorLine(tmux);
	});

	test("its commands are answered: /status, /mcp, /diff, /review, /compact, /model, @file", async () => {
		const tmux = await open([
			addFile("note.txt", "one line"),
			text("The note is there."),
			text("Nothing to complain about."),
			text("A summary."),
		]);
		await startTui(tmux, `${stage.bySocket()} -C "$PWD"`);
		await say(tmux, "patch it");
		await tmux.shows("The note is there.");
		await say(tmux, "/status");
		await tmux.shows(/Model provider:\s+scripted/u);
		await tmux.shows(/Directory:\s+~\/work/u);
		await say(tmux, "/mcp");
		await tmux.shows("No MCP servers configured");
		await say(tmux, "/diff");
		await tmux.shows("q close");
		expect(tmux.screen()).toContain("+one line");
		tmux.keys("q");
		await tmux.shows("? for shortcuts");
		await say(tmux, "/model");
		await tmux.shows("Select Model and Effort");
		tmux.keys("Escape");
		await tmux.shows("? for shortcuts");
		tmux.type("look at @alph");
		await tmux.shows("alpha-file.ts");
		tmux.keys("Escape");
		await until("the list is closed", () => !tmux.screen().includes("enter/tab insert"));
		tmux.keys("C-u");
		await tmux.shows("Ask Codex to do anything");
		await say(tmux, "/review");
		await tmux.shows("Select a review preset");
		tmux.keys("2");
		await tmux.shows("Nothing to complain about.");
		await tmux.shows("Code review finished");
		await say(tmux, "/compact");
		await tmux.shows("Context compacted");
		hasNoErrorLine(tmux);
	});

	test("permissions and model change while it runs, and it goes on after the daemon was restarted", async () => {
		const tmux = await open([
			call({ type: "function_call", name: "exec_command", args: { cmd: "touch unfenced.txt" } }),
			text("Done without a wall."),
			text("Still here."),
		]);
		const { product, model } = stage;
		await startTui(tmux, `${stage.bySocket()} -C "$PWD"`);
		// Its first screen comes before its thread; until then it takes no permissions.
		await until("its thread is there", async () => {
			await say(tmux, "/status");
			return /Session:\s+[0-9a-f-]{36}/u.test(tmux.screen());
		});
		await say(tmux, "/permissions");
		await tmux.shows("Update Model Permissions");
		tmux.keys("3");
		await tmux.shows("Enable full access?");
		tmux.keys("1");
		await until("it is chosen", () => !tmux.screen().includes("Enable full access?"));
		await say(tmux, "/status");
		await tmux.shows(/Permissions:\s+(?!Workspace)\S/u);
		await say(tmux, "touch it");
		await tmux.shows("Done without a wall.");
		expect(existsSync(join(product.work, "unfenced.txt"))).toBe(true);

		await say(tmux, "/model");
		await tmux.shows("Select Model and Effort");
		tmux.keys("Up");
		await tmux.shows(/› 8\./u);
		tmux.keys("Enter");
		await tmux.shows("Select Reasoning Level");
		tmux.keys("s");
		await tmux.shows(/Luna medium · /u);
		await say(tmux, "/exit");
		await tmux.shows("codex --remote");

		await product.weave("stop");
		expect((await product.weave("start", "--no-tui")).code).toBe(0);
		tmux.type(`clear; codex resume --last ${stage.bySocket()}`);
		tmux.keys("Enter");
		await tmux.shows("Done without a wall.", 30_000);
		await say(tmux, "are you there");
		await tmux.shows("Still here.");
		expect(member(model.requests.at(-1)?.body, "model")).toBe("gpt-5.6-luna");
		hasNoErrorLine(tmux);
	});

	test("what it started others watch and answer, and it shows what others start and answer", async () => {
		const tmux = await open([
			escalated("touch by-cli.txt", "May the command line say yes?"),
			text("Answered elsewhere."),
			escalated("touch by-tui.txt", "May the TUI say yes?"),
			text("Answered in the TUI."),
		]);
		const { product } = stage;
		await startTui(tmux, `${stage.bySocket()} -C "$PWD"`);
		await say(tmux, "ask me");
		await tmux.shows("May the command line say yes?");
		const [thread] = await threads();
		if (thread === undefined) throw new Error("the thread of the real TUI is not listed");
		const ours = await openAnother("two");
		ours.type(`weave-codex tui ${thread.thread_id}`);
		ours.keys("Enter");
		await ours.shows("touch by-cli.txt");
		await until("the approval waits", async () =>
			(await product.weave("chat", "approvals")).stdout.includes("pending"),
		);
		expect((await product.weave("chat", "approve")).code).toBe(0);
		await tmux.shows("Answered elsewhere.");
		expect(tmux.screen()).not.toContain("Yes, proceed");
		await ours.shows("Answered elsewhere.");
		expect(existsSync(join(product.work, "by-cli.txt"))).toBe(true);

		const sent = product.start("weave-codex", ["chat", "send", thread.thread_id, "ask the other one"]);
		await tmux.shows("ask the other one");
		await tmux.shows("May the TUI say yes?");
		tmux.keys("y");
		expect((await sent.finished).stdout).toContain("Answered in the TUI.");
		await tmux.shows("Answered in the TUI.");
		await ours.shows("Answered in the TUI.");
		expect(existsSync(join(product.work, "by-tui.txt"))).toBe(true);
		hasNoErrorLine(tmux);
	});
});
