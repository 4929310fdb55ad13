import type { LoopEvent } from "#daemon/agent/loop-port.ts";
import type { Activity, ChatDelta } from "./activity.ts";
import type { Journal } from "./journal.ts";
import type { LiveItems } from "./live-items.ts";

const TEXTS = [
	"message_delta",
	"reasoning_delta",
	"reasoning_text_delta",
	"plan_delta",
	"command_output",
] as const;
const KINDS: ReadonlySet<string> = new Set(TEXTS);

/** A piece of an open item's text. */
export type TextEvent = Extract<LoopEvent, { type: (typeof TEXTS)[number] }>;

export function isText(event: LoopEvent): event is TextEvent {
	return KINDS.has(event.type);
}

interface TextPorts {
	turn: { thread_id: string; turn_id: string };
	activity: Activity;
	journal: Pick<Journal, "textGrew">;
	live: LiveItems;
}

/** Text is told at once and saved twice a second. */
export function createTurnTexts({ turn, activity, journal, live }: TextPorts): {
	say(event: TextEvent): void;
} {
	function grow(event: TextEvent): ChatDelta {
		const { itemId, delta } = event;
		const about = { ...turn, item_id: itemId, delta };
		switch (event.type) {
			case "message_delta":
				live.appendText(itemId, delta);
				return { type: "chat.message.delta", ...about };
			case "plan_delta":
				live.appendText(itemId, delta);
				return { type: "chat.plan.delta", ...about };
			case "reasoning_delta":
				live.appendReasoning(itemId, { member: "summary", index: event.summaryIndex }, delta);
				return { type: "chat.reasoning.delta", ...about, summary_index: event.summaryIndex };
			case "reasoning_text_delta":
				live.appendReasoning(itemId, { member: "content", index: event.contentIndex }, delta);
				return { type: "chat.reasoning.raw", ...about, content_index: event.contentIndex };
			case "command_output":
				live.appendOutput(itemId, delta);
				return { type: "chat.command.output", ...about };
		}
	}
	return {
		say(event) {
			activity.delta(grow(event));
			journal.textGrew();
		},
	};
}
