import type { ChatEvent } from "#protocol/chat-event.ts";
import type { Item } from "#protocol/codex-item.ts";
import type { Turn } from "#protocol/record.ts";

/** What was told of one turn, and so what a lost link swallowed of it. */
export interface ToldEvents {
	note(event: ChatEvent): void;
	/** Events that were not told yet, made from the turn as it reads back; a text that is still open gets its missing end. */
	missed(turn: Turn): ChatEvent[];
}

/** The item as it began: texts empty, nothing known of its end. */
function opened(item: Item): Item {
	switch (item.type) {
		case "agentMessage":
			return { ...item, text: "", completedAtMs: null };
		case "reasoning":
			return { ...item, summary: [], content: [], completedAtMs: null };
		case "commandExecution": {
			const unknown = { aggregatedOutput: null, exitCode: null, durationMs: null, completedAtMs: null };
			return { ...item, ...unknown, status: "inProgress" };
		}
		case "fileChange":
		case "mcpToolCall":
		case "dynamicToolCall":
			return { ...item, status: "inProgress", completedAtMs: null };
		case "plan":
			return { ...item, text: "", completedAtMs: null };
		default:
			return item;
	}
}

const DELTAS: ReadonlyMap<Item["type"], "chat.message.delta" | "chat.plan.delta"> = new Map([
	["agentMessage", "chat.message.delta"],
	["plan", "chat.plan.delta"],
] as const);

function textOf(item: Item): string {
	if (item.type === "agentMessage" || item.type === "plan") return item.text;
	return item.type === "commandExecution" ? (item.aggregatedOutput ?? "") : "";
}

export function createToldEvents(): ToldEvents {
	const told = new Set<string>();
	const chars = new Map<string, number>();

	function note(event: ChatEvent): void {
		switch (event.type) {
			case "chat.turn.started":
				told.add("turn");
				break;
			case "chat.item.started":
				told.add(`started:${event.item_id}`);
				break;
			case "chat.item.completed":
				told.add(`started:${event.item_id}`).add(`completed:${event.item_id}`);
				break;
			case "chat.message.delta":
			case "chat.plan.delta":
			case "chat.command.output":
				chars.set(event.item_id, (chars.get(event.item_id) ?? 0) + event.delta.length);
				break;
			default:
		}
	}

	function missedOf(turn: Turn, item: Item): ChatEvent[] {
		const about = { thread_id: turn.thread_id, turn_id: turn.turn_id, item_id: item.id };
		const isFinished = turn.status !== "inProgress" || Boolean(item.completedAtMs);
		const events: ChatEvent[] = [];
		if (!told.has(`started:${item.id}`))
			events.push({ type: "chat.item.started", ...about, item: opened(item) });
		if (isFinished) {
			if (!told.has(`completed:${item.id}`)) events.push({ type: "chat.item.completed", ...about, item });
			return events;
		}
		const delta = textOf(item).slice(chars.get(item.id) ?? 0);
		if (delta === "") return events;
		return [...events, { type: DELTAS.get(item.type) ?? "chat.command.output", ...about, delta }];
	}

	return {
		note,
		missed(turn) {
			const about = { thread_id: turn.thread_id, turn_id: turn.turn_id };
			const start: ChatEvent = { type: "chat.turn.started", ...about, turn: { ...turn, items: [] } };
			const events = [
				...(told.has("turn") ? [] : [start]),
				...turn.items.flatMap((item) => missedOf(turn, item)),
			];
			events.forEach(note);
			return events;
		},
	};
}
