import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { createDeferred } from "#base/deferred.ts";
import { runChatTurn } from "#cli/command/chat-turn.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";
import type { AgentMessageItem, CommandExecutionItem, Item } from "#protocol/codex-item.ts";
import { createTestContext } from "#test/support/cli-context.ts";
import { connectedState, createFakeDaemonClient } from "#test/support/fake-daemon-client.ts";

const TOPIC = "chats.activity:t1";
const about = { thread_id: "t1", turn_id: "u1" };
const request = { threadId: "t1", text: "go", whenBusy: "queue" as const };

const said = (text: string, completedAtMs: number | null = null): AgentMessageItem => ({
	...{ type: "agentMessage", id: "m1", text, phase: null, startedAtMs: 1, completedAtMs },
});
const ran = (output: string | null, completedAtMs: number | null): CommandExecutionItem => ({
	...{ type: "commandExecution", id: "c1", command: "ls", cwd: "/", processId: null, source: "agent" },
	...{ status: completedAtMs === null ? "inProgress" : "completed", commandActions: [] },
	...{ aggregatedOutput: output, exitCode: completedAtMs === null ? null : 0, durationMs: null },
	...{ startedAtMs: 1, completedAtMs },
});
const turn = (status: "inProgress" | "completed", items: Item[]) => ({
	...{ ...about, status, reason: null, error: null, started_at_ms: 1, completed_at_ms: null, items },
});
const snapshot = (turns: unknown[]) => ({ thread: {}, turns, has_more: false, approvals: [] });

function setUp(json: boolean, send: () => unknown = () => ({ ...about, delivery: "started" })) {
	const context = createTestContext({ HOME: "/nowhere" }, { json });
	const sent = createDeferred<void>();
	const client = createFakeDaemonClient({
		initial: connectedState(),
		firstSnapshot: () => snapshot([]),
		answer(method) {
			if (method !== "chat.message.send") return about;
			sent.resolve();
			return send();
		},
	});
	const event = (payload: ChatEvent): void => client.event(TOPIC, payload);
	const printed = () => context.printed.map((line) => line.value as ChatEvent);
	return { context, client, event, printed, sent: sent.promise };
}

test("exec --json: events that a lost link swallowed are made up for from the thread as it reads back, none twice", async () => {
	const { context, client, event, printed, sent } = setUp(true);
	const code = runChatTurn(context, client, request);
	await sent;
	await setImmediate();
	event({ type: "chat.turn.started", ...about, turn: turn("inProgress", []) });
	event({ type: "chat.item.started", ...about, item_id: "m1", item: said("") });
	event({ type: "chat.message.delta", ...about, item_id: "m1", delta: "one " });
	// The link was lost here, and is back.
	client.snapshot(TOPIC, snapshot([turn("inProgress", [said("one two ", 2), ran("a\n", null)])]));
	client.snapshot(TOPIC, snapshot([turn("inProgress", [said("one two ", 2), ran("a\nb\n", null)])]));
	client.snapshot(TOPIC, snapshot([turn("completed", [said("one two ", 2), ran("a\nb\n", 3)])]));
	expect(await code).toBe(0);
	expect(printed().map((line) => [line.type, "item_id" in line ? line.item_id : null])).toEqual([
		["chat.turn.started", null],
		["chat.item.started", "m1"],
		["chat.message.delta", "m1"],
		["chat.item.completed", "m1"],
		["chat.item.started", "c1"],
		["chat.command.output", "c1"],
		["chat.command.output", "c1"],
		["chat.item.completed", "c1"],
		["chat.turn.completed", null],
	]);
	expect(printed()[4]).toMatchObject({ item: { status: "inProgress", aggregatedOutput: null } });
	expect(printed()[6]).toMatchObject({ delta: "b\n" });
});

test("exec: Ctrl+C takes back the message it sent, also one whose answer was still on its way", async () => {
	const answer = createDeferred<unknown>();
	const { context, client, sent } = setUp(false, () => answer.promise);
	const code = runChatTurn(context, client, request);
	await sent;
	context.abort(new AppError("CANCELLED"));
	answer.resolve({ thread_id: "t1", turn_id: "u9", delivery: "queued" });
	await expect(code).rejects.toMatchObject({ code: "CANCELLED" });
	expect(client.calls.at(-1)).toMatchObject({
		...{ method: "chat.cancel", params: { thread_id: "t1", turn_id: "u9" } },
	});
});

test("exec: Ctrl+C before anything was sent cancels nobody's turn", async () => {
	const { context, client } = setUp(false);
	context.abort(new AppError("CANCELLED"));
	await expect(runChatTurn(context, client, request)).rejects.toMatchObject({ code: "CANCELLED" });
	expect(client.calls).toEqual([]);
});
