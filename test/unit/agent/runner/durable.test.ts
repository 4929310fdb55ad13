import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { createActivity } from "#daemon/agent/runner/activity.ts";
import { createJournal } from "#daemon/agent/runner/journal.ts";
import { createLiveItems } from "#daemon/agent/runner/live-items.ts";
import { createTurnVoice, type TurnVoice } from "#daemon/agent/runner/turn-voice.ts";
import type { TurnStep } from "#daemon/storage/repository/chat-turn.ts";
import type { Store } from "#daemon/storage/store.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";
import type { AgentMessageItem, Item } from "#protocol/codex-item.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";
import { call, createHarness } from "./harness.ts";

test("durable: whatever item is told as completed is in the store by then", async () => {
	await using h = await createHarness({
		script: [["I will. ", { gate: "g" }, "Now.", { call: {}, id: "c1" }], ["more ", { gate: "h" }], ["done"]],
	});
	const threadId = await h.thread();
	const missing: Item[] = [];
	const seen: string[] = [];
	using _listening = h.runner.subscribeEvents(threadId, (event) => {
		if (event.type !== "chat.item.completed") return;
		seen.push(event.item.type);
		const row = h.store.get<{ open: number; json: string }>(
			"SELECT open, json FROM chat_item WHERE turn_id = ? AND item_id = ?",
			event.turn_id,
			event.item_id,
		);
		const stored = row?.open === 0 ? (JSON.parse(row.json) as Item) : undefined;
		if (stored === undefined || stored.type !== event.item.type) missing.push(event.item);
		else if (stored.type === "agentMessage") expect(stored).toEqual(event.item);
	});
	const message = { thread_id: threadId, text: "go", when_busy: "steer" as const };
	const { turn_id } = await h.runner.sendMessage(message, call());
	await h.gates.reached("g");
	h.gates.open("g");
	await h.gates.reached("h");
	await h.runner.sendMessage({ ...message, text: "and this" }, call());
	await h.when("chat.turn.completed", turn_id);
	expect(missing).toEqual([]);
	expect(seen[0]).toBe("userMessage");
	expect(seen.toSorted()).toEqual([
		...["agentMessage", "agentMessage", "commandExecution", "userMessage", "userMessage"],
	]);
});

const about = { thread_id: "t", turn_id: "u" };
const said = (text: string, id = "m"): AgentMessageItem => ({ type: "agentMessage", id, text, phase: null });

/** A turn's voice and journal over a store whose commits the test lets through, or refuses. */
function createParts() {
	const clock = createFakeClock();
	const events: ChatEvent[] = [];
	const batches: { steps: readonly TurnStep[]; done: PromiseWithResolvers<null> }[] = [];
	const store = {
		write(_command: unknown, args: { steps: readonly TurnStep[] }) {
			const done = Promise.withResolvers<null>();
			batches.push({ steps: args.steps, done });
			return done.promise;
		},
	} as unknown as Store;
	const live = createLiveItems([]);
	const journal = createJournal({
		...{ store, clock, turn: about, partials: () => [], onFailure: () => undefined },
		onSettled: (batch) => voice.settled(batch),
		onLost: (batch) => voice.lost(batch),
	});
	const activity = createActivity(clock, (event) => events.push(event));
	const voice: TurnVoice = createTurnVoice({
		...{ turn: about, activity, journal, live, dress: (item: Item) => item, stored: new Set(["own"]) },
	});
	return { clock, events, batches, live, journal, voice, types: () => events.map((event) => event.type) };
}

const settle = async (): Promise<void> => {
	for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

test("durable: a finished item waits for its commit, what follows stays behind it, a snapshot shows it open", async () => {
	const { clock, events, batches, live, voice, types } = createParts();
	voice.say({ type: "item_started", item: said("") });
	voice.say({ type: "message_delta", itemId: "m", delta: "He" });
	voice.say({ type: "item_completed", item: said("Hello") });
	voice.say({ type: "diff_updated", diff: "d" });
	expect(live.list()).toMatchObject([{ text: "He" }]);
	expect(voice.isHolding).toBe(true);
	clock.advance(5);
	await settle();
	expect(batches).toHaveLength(1);
	expect(types()).toEqual(["chat.item.started"]);
	batches[0]?.done.resolve(null);
	await settle();
	expect(types().slice(1)).toEqual(["chat.message.delta", "chat.item.completed", "chat.diff.updated"]);
	expect(events[2]).toMatchObject({ item: { text: "Hello" } });
	expect(live.list()).toMatchObject([{ text: "Hello" }]);
	expect(voice.isHolding).toBe(false);
});

test("durable: the message that opened the turn is stored already and told at once", () => {
	const { voice, types } = createParts();
	voice.say({ type: "item_completed", item: said("hi", "own") });
	expect(types()).toEqual(["chat.item.completed"]);
});

test("durable: on a full disk the steps stay in line for the next commit, and the item stays untold until then", async () => {
	const { batches, journal, voice, types } = createParts();
	voice.say({ type: "item_completed", item: said("a") });
	const refused = journal.flush();
	await settle();
	batches[0]?.done.reject(new AppError("STORAGE_FULL"));
	await expect(refused).rejects.toMatchObject({ code: "STORAGE_FULL" });
	expect(types()).toEqual([]);
	const ended = journal.commitWith(async (steps) => steps.length);
	expect(await ended).toBe(1);
	expect(types()).toEqual(["chat.item.completed"]);
});

test("durable: an item that the store refused for good is never told as completed", async () => {
	const { batches, journal, voice, types } = createParts();
	voice.say({ type: "item_completed", item: said("a") });
	const refused = journal.flush();
	await settle();
	batches[0]?.done.reject(new AppError("STORAGE_FAILED"));
	await expect(refused).rejects.toMatchObject({ code: "STORAGE_FAILED" });
	voice.say({ type: "diff_updated", diff: "d" });
	expect(types()).toEqual(["chat.diff.updated"]);
});
