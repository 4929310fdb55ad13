import type { LoopEvent } from "#daemon/agent/loop-port.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";
import type { CommandExecutionItem, FileChangeItem, Item } from "#protocol/codex-item.ts";
import type { Activity } from "./activity.ts";
import { createHeldEvents } from "./held-events.ts";
import type { Journal } from "./journal.ts";
import type { LiveItems } from "./live-items.ts";

export type ToolItem = CommandExecutionItem | FileChangeItem;

/** Turns what a loop and its tools say into items in memory, steps for the store and events for clients. */
export interface TurnVoice {
	say(event: Exclude<LoopEvent, { type: "history" }>): void;
	started(item: Item): void;
	output(itemId: string, delta: string): void;
	/** Resolves when it is durable and told. */
	completeDurably(item: ToolItem): Promise<void>;
	diff(diff: string): void;
	/** Whether something waits to be durable before it is told; what follows it must wait too. */
	readonly isHolding: boolean;
	/** Tells what waited for this batch of the journal. */
	settled(batch: number): void;
	/** Forgets what waited for a batch that will never be on disk. */
	lost(batch: number): void;
}

interface VoicePorts {
	turn: { thread_id: string; turn_id: string };
	activity: Activity;
	journal: Journal;
	live: LiveItems;
	dress(item: Item): Item;
	/** Ids of items that were stored before the turn began. */
	stored: ReadonlySet<string>;
}

/** The order in which things were said is the order in which they are told, and no item is told as finished before it is on disk. */
export function createTurnVoice({ turn, activity, journal, live, dress, stored }: VoicePorts): TurnVoice {
	const events = createHeldEvents(activity.event);
	const { tell } = events;

	function started(told: Item): void {
		const item = dress(told);
		const ordinal = live.start(item);
		if (!stored.has(item.id)) journal.add({ step: "item", ordinal, item, phase: "started" });
		tell({ type: "chat.item.started", ...turn, item_id: item.id, item });
	}

	function complete(told: Item): void {
		const item = dress(told);
		const ordinal = live.complete(item);
		const needs = stored.has(item.id)
			? 0
			: journal.add({ step: "item", ordinal, item, phase: "completed" }, true);
		const event: ChatEvent = { type: "chat.item.completed", ...turn, item_id: item.id, item };
		tell(event, needs, () => live.reveal(ordinal));
	}

	function output(itemId: string, delta: string): void {
		live.appendOutput(itemId, delta);
		activity.delta({ type: "chat.command.output", ...turn, item_id: itemId, delta });
		journal.textGrew();
	}

	function text(itemId: string, delta: string): void {
		live.appendText(itemId, delta);
		activity.delta({ type: "chat.message.delta", ...turn, item_id: itemId, delta });
		journal.textGrew();
	}

	function reasoning(itemId: string, summaryIndex: number, delta: string): void {
		live.appendReasoning(itemId, summaryIndex, delta);
		const place = { item_id: itemId, summary_index: summaryIndex };
		activity.delta({ type: "chat.reasoning.delta", ...turn, ...place, delta });
		journal.textGrew();
	}

	function diff(text: string): void {
		tell({ type: "chat.diff.updated", ...turn, diff: text });
	}

	return {
		started,
		output,
		diff,
		async completeDurably(item) {
			complete(item);
			await journal.flush();
		},
		get isHolding() {
			return events.isHolding;
		},
		settled: events.settled,
		lost: events.lost,
		say(event) {
			switch (event.type) {
				case "item_started":
					started(event.item);
					break;
				case "item_completed":
					complete(event.item);
					break;
				case "message_delta":
					text(event.itemId, event.delta);
					break;
				case "reasoning_delta":
					reasoning(event.itemId, event.summaryIndex, event.delta);
					break;
				case "command_output":
					output(event.itemId, event.delta);
					break;
				case "diff_updated":
					diff(event.diff);
					break;
				case "usage_updated":
					journal.add({ step: "usage", usage: event.usage });
					tell({ type: "chat.usage.updated", ...turn, usage: event.usage });
					break;
				case "error": {
					const { error, willRetry: will_retry } = event;
					journal.add({ step: "error", error, will_retry });
					tell({ type: "chat.error", ...turn, error, will_retry });
				}
			}
		},
	};
}
