import { expect, test } from "vitest";
import { makeSnapshot, makeThread } from "../../support/tui-records.ts";
import { createDriver, type Driver } from "./tui-driver.ts";

/** Connected, with a conversation of a provider that is a model. */
function chatting(): Driver {
	const driver = createDriver();
	const thread = makeThread({ provider: "codex" });
	driver.do({ type: "link_changed", link: { kind: "connected", epoch: "e1" } });
	driver.keys("text:hi", "enter");
	driver.do(
		{ type: "thread_created", slotId: "slot", thread },
		{ type: "chat_snapshot", snapshot: makeSnapshot({ thread }) },
	);
	driver.effects();
	return driver;
}

test("tui: ! runs a command of one's own when a model answers", () => {
	const driver = chatting();
	driver.keys("text:! git status", "enter");
	const [effect] = driver.effects();
	expect(effect).toMatchObject({ kind: "run_command", threadId: "t1", command: "git status" });
	const clientMessageId = effect?.kind === "run_command" ? effect.clientMessageId : "";
	expect(driver.state().outbox.some((entry) => entry.clientMessageId === clientMessageId)).toBe(true);
	driver.do({ type: "command_started", clientMessageId });
	expect(driver.state().outbox.some((entry) => entry.clientMessageId === clientMessageId)).toBe(false);
});

test("tui: a ! alone stays a message, and the offline agent gets its commands as messages", () => {
	const driver = chatting();
	driver.keys("text:!", "enter");
	expect(driver.effects()[0]).toMatchObject({ kind: "send_message", text: "!" });
	const offline = createDriver({ thread: makeThread({ provider: "offline" }) });
	offline.do({ type: "link_changed", link: { kind: "connected", epoch: "e1" } });
	offline.keys("text:!ls", "enter");
	offline.do({ type: "thread_created", slotId: "slot", thread: makeThread({ provider: "offline" }) });
	expect(offline.effects()).toContainEqual(expect.objectContaining({ kind: "send_message", text: "!ls" }));
});

test("tui: compact, review, fork and undo go to the thread, and say so when there is none", () => {
	const driver = chatting();
	for (const [typed, task, text] of [
		["/compact", "compact", ""],
		["/review the tests", "review", "the tests"],
		["/fork", "fork", ""],
		["/undo", "rollback", ""],
	] as const) {
		driver.keys(`text:${typed}`, "enter");
		expect(driver.effects()).toContainEqual(
			expect.objectContaining({ kind: "thread_task", threadId: "t1", task, text }),
		);
	}
	const fresh = createDriver();
	fresh.do({ type: "link_changed", link: { kind: "connected", epoch: "e1" } });
	fresh.keys("text:/compact", "enter");
	expect(fresh.effects()).toEqual([]);
	expect(fresh.live()).toContain("no conversation yet");
});
