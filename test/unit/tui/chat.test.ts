import { describe, expect, test } from "vitest";
import type { ChatEvent } from "#protocol/chat-event.ts";
import type { Item } from "#protocol/codex-item.ts";
import {
	AT_MS,
	agentItem,
	commandItem,
	makeAgent,
	makeMessage,
	makeSnapshot,
	makeThread,
	makeTurn,
	patchItem,
	userItem,
} from "../../support/tui-records.ts";
import { createDriver, type Driver } from "./tui-driver.ts";

const IN_TURN = { thread_id: "t1", turn_id: "u1" };

function event(driver: Driver, ...events: ChatEvent[]): void {
	for (const each of events) driver.do({ type: "chat_event", event: each });
}
function started(item: Item): ChatEvent {
	return { type: "chat.item.started", ...IN_TURN, item_id: item.id, item };
}
function completed(item: Item): ChatEvent {
	return { type: "chat.item.completed", ...IN_TURN, item_id: item.id, item };
}
/** Connected, a thread made by the first message, its turn running. */
function chatting(): Driver {
	const driver = createDriver();
	driver.do({ type: "link_changed", link: { kind: "connected", epoch: "e1" } });
	driver.keys("text:why?", "enter");
	driver.do(
		{ type: "thread_created", slotId: "slot", thread: makeThread() },
		{ type: "chat_snapshot", snapshot: makeSnapshot() },
	);
	event(driver, { type: "chat.turn.started", ...IN_TURN, turn: makeTurn() });
	return driver;
}

describe("chat", () => {
	test("chat: the thread is made at the first message, then the message goes with its id", () => {
		const driver = createDriver();
		driver.keys("text:hi", "enter");
		expect(driver.effects()).toEqual([]);
		expect(driver.live()).toContain("waits for the daemon");
		driver.do({ type: "link_changed", link: { kind: "connected", epoch: "e1" } });
		expect(driver.effects()).toEqual([{ kind: "create_thread", slotId: "slot", cwd: "/home/ana/src/shop" }]);
		driver.keys("text:and more", "enter");
		expect(driver.effects()).toEqual([]);
		driver.do({ type: "thread_created", slotId: "slot", thread: makeThread() });
		expect(driver.effects()).toEqual([
			{ kind: "watch_thread", slotId: "slot", threadId: "t1" },
			{ kind: "send_message", threadId: "t1", clientMessageId: "id-1", text: "hi", whenBusy: "steer" },
			{ kind: "send_message", threadId: "t1", clientMessageId: "id-2", text: "and more", whenBusy: "steer" },
		]);
	});

	test("chat: what was not acknowledged goes again under its id after a reconnect", () => {
		const driver = chatting();
		driver.effects();
		driver.do({ type: "message_refused", clientMessageId: "id-1", message: "gone", isRetryable: true });
		driver.do({ type: "link_changed", link: { kind: "reconnecting", attempt: 3, retryAtMs: AT_MS + 4_000 } });
		driver.keys("text:draft");
		expect(driver.live()).toContain("reconnecting · attempt 3 in 4 s · your draft is safe");
		driver.do({ type: "link_changed", link: { kind: "connected", epoch: "e2" } });
		expect(driver.effects()).toEqual([
			{ kind: "send_message", threadId: "t1", clientMessageId: "id-1", text: "why?", whenBusy: "steer" },
		]);
		expect(driver.state().editor.text).toBe("draft");
	});

	test("chat: a message leaves the outbox when its item appears, and is shown once", () => {
		const driver = chatting();
		driver.do({ type: "message_acknowledged", clientMessageId: "id-1", delivery: "started" });
		const item = userItem("i1", "why?", "id-1");
		event(driver, started(item), completed(item));
		expect(driver.state().outbox).toEqual([]);
		expect(driver.printed().match(/why\?/g)).toHaveLength(1);
	});

	test("chat: a refused message comes back as the draft", () => {
		const driver = chatting();
		driver.do({ type: "message_refused", clientMessageId: "id-1", message: "Too big.", isRetryable: false });
		expect(driver.state().editor.text).toBe("why?");
		expect(driver.printed()).toContain("not sent: Too big.");
	});

	test("chat: deltas join to the text, and finished entries leave the live region in order", () => {
		const driver = chatting();
		event(driver, started(agentItem("i2", "")));
		for (const delta of ["Look", "ing ", "first."])
			event(driver, { type: "chat.message.delta", ...IN_TURN, item_id: "i2", delta });
		expect(driver.live()).toContain("ada   Looking first.");
		event(
			driver,
			started(commandItem("i3", { status: "inProgress", exitCode: null, aggregatedOutput: null })),
		);
		event(driver, completed(commandItem("i3")));
		expect(driver.printed()).not.toContain("SameSite");
		event(driver, completed(agentItem("i2", "Looking first.")));
		expect(driver.printed()).toMatch(/Looking first\.[\s\S]*\$ rg -n SameSite src\/ .*0\.1 s {2}✓ 3 lines/);
		expect(driver.state().live).toEqual([]);
	});

	test("chat: a patch shows its diff with line numbers, and at most 12 rows of it", () => {
		const driver = chatting();
		event(driver, completed(patchItem("i4")));
		expect(driver.printed()).toContain("~ src/session.ts +1 −1");
		expect(driver.printed()).toContain("12 −   sameSite: 'none',");
		const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`).join("\n");
		event(
			driver,
			completed(patchItem("i5", { changes: [{ path: "new.txt", kind: { type: "add" }, diff: lines }] })),
		);
		expect(driver.printed().match(/\+ line/g)).toHaveLength(12);
		expect(driver.printed()).toContain("18 more (Ctrl+O)");
		driver.keys("ctrl+o");
		expect(driver.printed()).toContain("line 29");
	});

	test("chat: a failed command shows its last output, control sequences stripped", () => {
		const driver = chatting();
		const output = "\u001b[2Jboom\u001b]0;x\u0007\n";
		event(driver, completed(commandItem("i3", { status: "failed", exitCode: 2, aggregatedOutput: output })));
		expect(driver.printed()).toContain("✕ exit 2");
		expect(driver.printed()).toContain("boom");
		expect(driver.printed()).not.toContain("\u001b");
	});

	test("chat: a step names the command, not the shell around it", () => {
		const driver = chatting();
		event(driver, completed(commandItem("i3", { command: `/bin/bash -c 'echo '\\''hi'\\'''` })));
		expect(driver.printed()).toContain("$ echo 'hi' ");
	});

	test("chat: a late client sees the partial text of a running turn", () => {
		const driver = createDriver();
		driver.do({ type: "thread_opening", threadId: "t1" });
		const turn = makeTurn({ items: [userItem("i1", "why?"), agentItem("i2", "half an ans")] });
		driver.do({
			type: "chat_snapshot",
			snapshot: makeSnapshot({ thread: makeThread({ status: "working" }), turns: [turn] }),
		});
		expect(driver.printed()).toContain("› why?");
		expect(driver.live()).toContain("half an ans");
		event(driver, { type: "chat.message.delta", ...IN_TURN, item_id: "i2", delta: "wer" });
		expect(driver.live()).toContain("half an answer");
		expect(driver.state().turn?.turnId).toBe("u1");
		driver.keys("up");
		expect(driver.state().editor.text).toBe("why?");
	});

	test("chat: a snapshot after a reconnect repeats nothing and tells of the lost turn", () => {
		const driver = chatting();
		event(driver, completed(userItem("i1", "why?", "id-1")));
		driver.do({ type: "link_changed", link: { kind: "reconnecting", attempt: 1, retryAtMs: AT_MS } });
		driver.do({ type: "link_changed", link: { kind: "connected", epoch: "e2" } });
		const turn = makeTurn({
			status: "interrupted",
			reason: "daemon restarted",
			items: [userItem("i1", "why?", "id-1")],
		});
		const snapshot = makeSnapshot({ thread: makeThread({ turn_count: 7 }), turns: [turn] });
		driver.do({ type: "chat_snapshot", snapshot }, { type: "chat_snapshot", snapshot });
		expect(driver.printed().match(/why\?/g)).toHaveLength(1);
		expect(driver.printed().match(/interrupted: daemon restarted/g)).toHaveLength(1);
		expect(driver.live()).toContain(
			"the daemon was restarted; turn 7 was interrupted (enter to continue it)",
		);
		driver.effects();
		driver.keys("enter");
		expect(driver.effects()).toMatchObject([{ kind: "send_message", text: "continue" }]);
	});

	test("chat: a conversation that is left and opened again is shown again", () => {
		const driver = chatting();
		const turn = makeTurn({
			status: "completed",
			items: [userItem("i1", "why?", "id-1"), agentItem("i2", "because")],
		});
		driver.do({ type: "chat_snapshot", snapshot: makeSnapshot({ turns: [turn] }) });
		driver.do({ type: "slot_reset" }, { type: "thread_opening", threadId: "t1" });
		driver.do({ type: "chat_snapshot", snapshot: makeSnapshot({ turns: [turn] }) });
		expect(driver.printed().match(/because/g)).toHaveLength(2);
	});

	test("chat: Enter steers and Tab queues while a turn runs", () => {
		const driver = chatting();
		driver.effects();
		driver.keys("text:faster", "enter", "text:then test", "tab");
		expect(driver.effects()).toMatchObject([
			{ kind: "send_message", text: "faster", whenBusy: "steer" },
			{ kind: "send_message", text: "then test", whenBusy: "queue" },
		]);
		driver.do({ type: "message_acknowledged", clientMessageId: "id-3", delivery: "queued" });
		expect(driver.live()).toContain("queued for the next turn");
	});

	test("chat: Esc interrupts once; Ctrl+C interrupts, clears, then leaves on the second press in time", () => {
		const driver = chatting();
		driver.effects();
		driver.keys("escape", "escape");
		expect(driver.effects()).toEqual([{ kind: "interrupt", threadId: "t1" }]);
		driver.keys("text:draft", "ctrl+c");
		expect(driver.state().editor.text).toBe("");
		driver.keys("ctrl+c");
		expect(driver.live()).toContain("press Ctrl+C again to leave");
		driver.wait(2_001);
		driver.keys("ctrl+c");
		expect(driver.effects()).toEqual([]);
		driver.wait(1_000);
		driver.keys("ctrl+c");
		expect(driver.effects()).toEqual([{ kind: "exit", code: 0 }]);
	});

	test("chat: another key takes a first Ctrl+C back", () => {
		const driver = createDriver();
		driver.keys("ctrl+c", "x", "backspace", "ctrl+c");
		expect(driver.effects()).toEqual([]);
	});

	test("chat: Ctrl+D leaves on an empty line and deletes otherwise", () => {
		const driver = createDriver();
		driver.keys("text:ab", "home", "ctrl+d");
		expect(driver.state().editor.text).toBe("b");
		driver.keys("ctrl+d", "ctrl+d");
		expect(driver.effects()).toEqual([{ kind: "exit", code: 0 }]);
	});

	test("chat: a backslash before Enter makes a new line", () => {
		const driver = createDriver();
		driver.keys("text:one\\", "enter", "text:two", "ctrl+j");
		expect(driver.state().editor.text).toBe("one\ntwo\n");
	});

	test("chat: the live region is never as tall as the window, whatever is in it", () => {
		for (const [columns, rows] of [
			[20, 5],
			[40, 12],
			[80, 24],
			[200, 60],
		] as const) {
			const driver = chatting();
			driver.do({ type: "resized", columns, rows });
			event(driver, started(agentItem("i2", "word ".repeat(5_000))));
			driver.do({ type: "approval_put", approval: { ...approvalOf("a"), command: "x ".repeat(2_000) } });
			driver.do({ type: "paste", text: "line\n".repeat(100) });
			expect(driver.live().split("\n").length).toBeLessThan(rows);
		}
	});
});

function approvalOf(id: string) {
	return {
		approval_id: id,
		thread_id: "t1",
		turn_id: "u1",
		item_id: "i",
		agent_name: "ada",
		machine_id: "m",
		kind: "command" as const,
		command: "x",
		argv: ["x"],
		cwd: "/",
		changes: null,
		reason: null,
		sandbox: "read-only" as const,
		destructive: null,
		confirm_word: null,
		digest: "d",
		status: "pending" as const,
		resolved_by: null,
		resolved_reason: null,
		requested_at_ms: 0,
		resolved_at_ms: null,
	};
}

describe("commands", () => {
	test("command: an unknown one suggests the nearest and is never sent", () => {
		const driver = chatting();
		driver.effects();
		driver.keys("text:/stauts now", "enter");
		expect(driver.effects()).toEqual([]);
		expect(driver.live()).toContain("did you mean /status?");
		expect(driver.state().editor.text).toBe("/stauts now");
	});

	test("command: the popup filters, completes by Tab and runs by Enter", () => {
		const driver = createDriver();
		driver.keys("text:/at");
		expect(driver.live()).toContain("/attach");
		driver.keys("tab");
		expect(driver.state().editor.text).toBe("/attach ");
		driver.keys("text:logs", "enter");
		expect(driver.effects()).toEqual([{ kind: "attach", terminal: "logs" }]);
		driver.keys("text:/sta", "enter");
		expect(driver.effects()).toEqual([{ kind: "read_status" }]);
	});

	test("command: /new keeps the old thread and empties the conversation", () => {
		const driver = chatting();
		driver.effects();
		driver.keys("text:/new", "enter");
		expect(driver.effects()).toEqual([{ kind: "unwatch_thread" }]);
		expect(driver.state().slot).toMatchObject({ status: "empty", threadId: undefined });
		driver.keys("text:again", "enter");
		expect(driver.effects()).toMatchObject([{ kind: "create_thread" }]);
	});

	test("command: /resume picks another thread, filtered by what is typed", () => {
		const driver = createDriver();
		driver.keys("text:/resume", "enter");
		expect(driver.effects()).toEqual([{ kind: "list_threads" }]);
		const row = { glyph: "idle" as const, text: "", right: "" };
		driver.do({
			type: "panel_filled",
			kind: "threads",
			rows: [
				{ ...row, id: "t1", name: "ada" },
				{ ...row, id: "t2", name: "bob" },
			],
		});
		driver.keys("b", "o", "enter");
		expect(driver.effects()).toMatchObject([{ kind: "watch_thread", threadId: "t2" }]);
		expect(driver.state().panel).toBeUndefined();
	});

	test("command: ? on an empty line is help, elsewhere a question mark", () => {
		const driver = createDriver();
		driver.keys("?");
		expect(driver.live()).toContain("keys and commands");
		driver.keys("escape", "a", "?");
		expect(driver.state().editor.text).toBe("a?");
	});

	test("mail: #name goes by the bus, and its state and answer are shown", () => {
		const driver = chatting();
		driver.do({
			type: "agents_snapshot",
			agents: [makeAgent("ada", { thread_id: "t1" }), makeAgent("tester"), makeAgent("terry")],
		});
		driver.effects();
		driver.keys("text:#te");
		expect(driver.live()).toMatch(/tester[\s\S]*terry|terry[\s\S]*tester/);
		driver.keys("text:s", "enter", "text:run the session tests", "enter");
		const [effect] = driver.effects();
		expect(effect).toMatchObject({ kind: "send_mail", to: "tester", text: "run the session tests" });
		driver.do({ type: "mail_changed", clientMessageId: "c", message: makeMessage({ state: "seen" }) });
		expect(driver.live()).toMatch(/→ #tester {2}run the session tests +seen/);
		driver.do({ type: "mail_changed", message: makeMessage({ message_id: "other", state: "seen" }) });
		expect(driver.state().mail).toHaveLength(1);
		driver.do({ type: "mail_changed", message: makeMessage({ state: "answered", answer: "all green" }) });
		expect(driver.printed()).toMatch(
			/→ #tester {2}run the session tests +answered *\n.*← #tester {2}all green/,
		);
	});

	test("mail: an unknown name is told and nothing is sent", () => {
		const driver = chatting();
		driver.do({ type: "agents_snapshot", agents: [makeAgent("tester")] });
		driver.effects();
		driver.keys("text:#nobody do it", "enter");
		expect(driver.effects()).toEqual([]);
		expect(driver.live()).toContain("no agent named nobody");
	});

	test("settings: Shift+Tab cycles the approval mode of the thread", () => {
		const driver = chatting();
		driver.effects();
		driver.keys("shift+tab");
		expect(driver.effects()).toEqual([{ kind: "update_settings", threadId: "t1", policy: "never" }]);
		expect(driver.live()).toContain("refuses what would need asking");
	});
});

describe("first run", () => {
	test("first run: says what answers, what works, and only names commands that exist", () => {
		const driver = createDriver({
			account: { provider: "offline", model: null, login: "none", detail: "Run codex login." },
		});
		expect(driver.live()).toContain("weave-codex 0.1.0 · daemon not reached yet · this machine: porto");
		expect(driver.live()).toContain("It is not a language model.");
		expect(driver.live()).toContain("connecting…");
		expect(driver.live()).not.toContain("/login");
		driver.do({ type: "link_changed", link: { kind: "connected", epoch: "e" } });
		expect(driver.live()).toContain("daemon ready");
		expect(driver.live()).not.toContain("connecting");
	});

	test("first run: a refused link says why and what to do", () => {
		const driver = createDriver();
		driver.do({
			type: "link_changed",
			link: { kind: "refused", message: "This device was revoked.", remedy: "Pair it again." },
		});
		expect(driver.live()).toContain("✕ refused: This device was revoked. Pair it again.");
	});
});
