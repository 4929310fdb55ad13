import type { LoopEvent } from "#daemon/agent/loop-port.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";
import type { Item, PlanStep, ToolItem } from "#protocol/codex-item.ts";
import type { Activity } from "./activity.ts";
import { createHeldEvents } from "./held-events.ts";
import type { Journal } from "./journal.ts";
import type { LiveItems } from "./live-items.ts";
import { createTurnTexts, isText } from "./turn-texts.ts";

/** Turns what a loop and its tools say into items in memory, steps for the store and events for clients. */
export interface TurnVoice {
	say(event: Exclude<LoopEvent, { type: "history" | "history_replaced" }>): void;
	started(item: Item): void;
	output(itemId: string, delta: string): void;
	/** Resolves when it is durable and told. */
	completeDurably(item: ToolItem): Promise<void>;
	diff(diff: string): void;
	input(itemId: string, processId: string, stdin: string): void;
	plan(explanation: string | null, plan: readonly PlanStep[]): void;
	/** A Codex notification without an event of ours. */
	note(method: string, params: Readonly<Record<string, unknown>>): void;
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
	const texts = createTurnTexts({ turn, activity, journal, live });

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

	function plan(explanation: string | null, steps: readonly PlanStep[]): void {
		tell({ type: "chat.plan.updated", ...turn, explanation, plan: [...steps] });
	}

	function note(method: string, params: Readonly<Record<string, unknown>>): void {
		const ids = { threadId: turn.thread_id, turnId: turn.turn_id };
		tell({ type: "chat.codex", ...turn, method, params: { ...ids, ...params } });
	}

	function diff(text: string): void {
		tell({ type: "chat.diff.updated", ...turn, diff: text });
	}

	return {
		started,
		output: (itemId, delta) => texts.say({ type: "command_output", itemId, delta }),
		diff,
		plan,
		note,
		input: (itemId, processId, stdin) =>
			tell({ type: "chat.command.input", ...turn, item_id: itemId, process_id: processId, stdin }),
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
			if (isText(event)) {
				texts.say(event);
				return;
			}
			switch (event.type) {
				case "item_started":
					started(event.item);
					break;
				case "item_completed":
					complete(event.item);
					break;
				case "reasoning_part": {
					const place = { item_id: event.itemId, summary_index: event.summaryIndex };
					tell({ type: "chat.reasoning.part", ...turn, ...place });
					break;
				}
				case "plan_updated":
					plan(event.explanation, event.plan);
					break;
				case "note":
					note(event.method, event.params);
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
