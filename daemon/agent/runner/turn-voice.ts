import type { LoopEvent } from "#daemon/agent/loop-port.ts";
import type { CommandExecutionItem, FileChangeItem, Item } from "#protocol/codex-item.ts";
import type { Activity } from "./activity.ts";
import type { Journal } from "./journal.ts";
import type { LiveItems } from "./live-items.ts";

export type ToolItem = CommandExecutionItem | FileChangeItem;

/** Turns what a loop and its tools say into items in memory, steps for the store and events for clients. */
export interface TurnVoice {
	say(event: Exclude<LoopEvent, { type: "history" }>): void;
	started(item: Item): void;
	output(itemId: string, delta: string): void;
	/** Tells it once it is durable. */
	completeDurably(item: ToolItem): Promise<void>;
	diff(diff: string): void;
}

interface VoicePorts {
	turn: { thread_id: string; turn_id: string };
	activity: Activity;
	journal: Journal;
	live: LiveItems;
	dress(item: Item): Item;
}

export function createTurnVoice({ turn, activity, journal, live, dress }: VoicePorts): TurnVoice {
	function started(told: Item): void {
		const item = dress(told);
		journal.add({ step: "item", ordinal: live.start(item), item, phase: "started" });
		activity.event({ type: "chat.item.started", ...turn, item_id: item.id, item });
	}

	function complete(told: Item): Item {
		const item = dress(told);
		journal.add({ step: "item", ordinal: live.complete(item), item, phase: "completed" });
		return item;
	}

	function announceCompleted(item: Item): void {
		activity.event({ type: "chat.item.completed", ...turn, item_id: item.id, item });
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
		activity.event({ type: "chat.diff.updated", ...turn, diff: text });
	}

	return {
		started,
		output,
		diff,
		async completeDurably(item) {
			activity.flush();
			const done = complete(item);
			await journal.flush();
			announceCompleted(done);
		},
		say(event) {
			switch (event.type) {
				case "item_started":
					started(event.item);
					break;
				case "item_completed":
					announceCompleted(complete(event.item));
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
					activity.event({ type: "chat.usage.updated", ...turn, usage: event.usage });
					break;
				case "error": {
					const { error, willRetry: will_retry } = event;
					journal.add({ step: "error", error, will_retry });
					activity.event({ type: "chat.error", ...turn, error, will_retry });
				}
			}
		},
	};
}
