import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { until } from "../support/product.ts";
import type { ScriptedItem } from "../support/scripted-model.ts";
import { askingCall, commandCall, createTuiStage, onlyThread, say, says } from "../support/tui-product.ts";

const PATCH = "*** Begin Patch\n*** Add File: notes.txt\n+first line\n+second line\n*** End Patch\n";
const WAIT = { timeoutMs: 20_000 };

describe("TUI on the real daemon: approvals", () => {
	test("approval: y runs the command once, n does not; the prompt takes the keys of somebody who waits", async () => {
		await using stage = await createTuiStage([
			{ items: [askingCall("touch one.txt")] },
			says("One is made."),
			{ items: [askingCall("touch two.txt")] },
			says("Then not."),
		]);
		const tui = await stage.open();
		await say(tui, "make one");
		await tui.waitForText("y once", WAIT);
		expect(tui.screen.text()).toContain("$ touch one.txt");
		expect(tui.screen.text()).toContain("run by /bin/bash -lc");
		expect(tui.screen.text()).toContain("outside the sandbox");
		expect(tui.screen.text()).toContain("▲ waits for you");
		expect(existsSync(join(stage.product.work, "one.txt"))).toBe(false);
		tui.send("y");
		await tui.waitForText("One is made.", WAIT);
		expect(existsSync(join(stage.product.work, "one.txt"))).toBe(true);
		await say(tui, "make two");
		await tui.waitForText("y once", WAIT);
		tui.send("n");
		await tui.waitForText("Then not.", WAIT);
		expect(tui.screen.text()).toContain("✕ declined");
		expect(existsSync(join(stage.product.work, "two.txt"))).toBe(false);
	});

	test("approval: a allows the same command for the session, so that it is not asked again", async () => {
		await using stage = await createTuiStage([
			{ items: [askingCall("echo again >> log.txt")] },
			{ items: [askingCall("echo again >> log.txt")] },
			says("Twice."),
		]);
		const tui = await stage.open();
		await say(tui, "log it twice");
		await tui.waitForText("a this session", WAIT);
		tui.send("a");
		await tui.waitForText("Twice.", WAIT);
		expect(readFileSync(join(stage.product.work, "log.txt"), "utf8")).toBe("again\nagain\n");
	});

	test("approval: another client answers, and the TUI says who", async () => {
		await using stage = await createTuiStage([{ items: [askingCall("touch made.txt")] }, says("Done.")]);
		const tui = await stage.open();
		await say(tui, "make it");
		await tui.waitForText("▲ approve", WAIT);
		const { code, stderr } = await stage.product.weave("chat", "approve");
		expect(code, stderr).toBe(0);
		await tui.waitForText("Done.", WAIT);
		expect(tui.screen.text()).toMatch(/✓ approved by \S.*touch made\.txt/);
		expect(tui.screen.text()).not.toContain("▲ approve");
	});

	test("approval: a patch shows what it writes, and is written after y", async () => {
		const patch: ScriptedItem = { type: "custom_tool_call", name: "apply_patch", input: PATCH };
		await using stage = await createTuiStage([{ items: [patch] }, says("Written.")], "gpt-5.5");
		const tui = await stage.open();
		await say(tui, "write notes");
		await tui.waitForText("y once", WAIT);
		const asked = tui.screen.text();
		expect(asked).toContain("~ notes.txt");
		expect(asked).toContain("new file");
		expect(asked).toMatch(/1 \+ first line\n.*2 \+ second line/);
		expect(existsSync(join(stage.product.work, "notes.txt"))).toBe(false);
		tui.send("y");
		await tui.waitForText("Written.", WAIT);
		expect(tui.screen.text()).toMatch(/~ notes\.txt \+2 −0 +✓ applied/);
		expect(readFileSync(join(stage.product.work, "notes.txt"), "utf8")).toBe("first line\nsecond line\n");
	});
});

describe("TUI on the real daemon: more than one", () => {
	test("late joiner: sees the partial text, then the pending approval, and may answer it", async () => {
		await using stage = await createTuiStage([
			{
				items: [
					{ type: "text", chunks: ["The first half, ", { gate: "half" }, "and the second."] },
					askingCall("touch late.txt"),
				],
			},
			says("All done."),
		]);
		const first = await stage.open();
		await say(first, "go on");
		await first.waitForText("The first half,", WAIT);
		const { thread_id: id } = await onlyThread(stage);
		const second = await stage.open({ args: ["tui", id] });
		await second.waitForText("The first half,", WAIT);
		expect(second.screen.text()).not.toContain("and the second.");
		stage.model.release("half");
		for (const tui of [first, second]) await tui.waitForText("The first half, and the second.", WAIT);
		const third = await stage.open({ args: ["tui", id] });
		await third.waitForText("y once", WAIT);
		await third.waitForText("The first half, and the second.", WAIT);
		third.send("y");
		for (const tui of [first, second, third]) await tui.waitForText("All done.", WAIT);
		expect(existsSync(join(stage.product.work, "late.txt"))).toBe(true);
		expect(first.screen.text()).toMatch(/approved by \S/);
		// One message of each side, whoever wrote it.
		await say(second, "from the second");
		for (const tui of [first, second, third]) await tui.waitForText("› from the second", WAIT);
	});

	test("#name: work for another thread goes there, and its answer is shown here", async () => {
		await using stage = await createTuiStage([says("I am here."), says("I am here too.")]);
		const first = await stage.open();
		await say(first, "hello");
		await first.waitForText("I am here.", WAIT);
		const { agent_name: name } = await onlyThread(stage);
		const second = await stage.open();
		await say(second, "hello you");
		await second.waitForText("I am here too.", WAIT);
		stage.model.push(says("The tests pass."));
		second.send(`#${name} run the tests`);
		await second.waitForText(`› #${name} run the tests`);
		second.send("\r");
		await second.waitForText(`→ #${name}  run the tests`, WAIT);
		await second.waitForText(new RegExp(`← #${name} +The tests pass\\.`), WAIT);
		await first.waitForText("The tests pass.", WAIT);
		expect(first.screen.text()).toContain("run the tests");
	});
});

describe("TUI on the real daemon: the daemon comes and goes", () => {
	test("start: a TUI opened while no daemon runs starts one", async () => {
		await using stage = await createTuiStage([says("Here I am.")]);
		expect(stage.product.daemonPid()).toBeUndefined();
		const tui = await stage.open();
		await tui.waitForText("daemon ready", WAIT);
		await say(tui, "hello");
		await tui.waitForText("Here I am.", WAIT);
		expect(stage.product.daemonPid()).toBeDefined();
	});

	test("kill -9: the banner counts attempts and seconds, the draft stays, and after start it goes on without a key", async () => {
		await using stage = await createTuiStage([says("Before."), says("After.")]);
		const tui = await stage.open();
		await say(tui, "hello");
		await tui.waitForText("Before.", WAIT);
		tui.send("half a thought");
		await tui.waitForText("› half a thought");
		const pid = stage.product.daemonPid();
		if (pid === undefined) throw new Error("no daemon");
		process.kill(pid, "SIGKILL");
		await tui.waitForText(/reconnecting · attempt [2-9] in \d+ s · your draft is safe/, WAIT);
		expect((await stage.product.weave("start", "--no-tui")).code).toBe(0);
		await tui.waitForText((screen) => !screen.text().includes("reconnecting"), WAIT);
		expect(tui.screen.text()).toContain("› half a thought");
		tui.send("\r");
		await tui.waitForText("After.", WAIT);
	});

	test("kill -9 in a turn: it is told as interrupted, and Enter continues it", async () => {
		await using stage = await createTuiStage([
			{ items: [commandCall("echo counted"), { type: "gate", name: "never" }] },
		]);
		const tui = await stage.open();
		await say(tui, "count");
		await stage.model.paused("never");
		await tui.waitForText(/● \S+ works/, WAIT);
		const pid = stage.product.daemonPid();
		if (pid === undefined) throw new Error("no daemon");
		process.kill(pid, "SIGKILL");
		await tui.waitForText("reconnecting", WAIT);
		stage.model.push(says("Going on."));
		expect((await stage.product.weave("start", "--no-tui")).code).toBe(0);
		await tui.waitForText("was interrupted (enter to continue it)", WAIT);
		await until("the status says idle", () => /◌ \S+/.test(tui.screen.text()));
		tui.send("\r");
		await tui.waitForText("Going on.", WAIT);
	});
});
