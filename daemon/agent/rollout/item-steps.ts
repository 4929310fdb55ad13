import type { RolloutStep } from "#daemon/storage/repository/rollout-import.ts";
import { importItem } from "./item-in.ts";
import { legacyItem } from "./legacy-item.ts";
import { type Json, listOf, numberOrNull, objectOf, textOf } from "./line.ts";
import type { TurnBook } from "./turn-book.ts";

/** What the older events tell as well. */
const LEGACY_TYPES: ReadonlySet<string> = new Set([
	"UserMessage",
	"AgentMessage",
	"Reasoning",
	"WebSearch",
	"CommandExecution",
	"FileChange",
	"McpToolCall",
	"ImageView",
	"EnteredReviewMode",
	"ExitedReviewMode",
	"ContextCompaction",
]);
const NO_TIMES = { from: null, to: null };

/** What a program put ahead of what a person said. */
export function isContext(text: string): boolean {
	return text.startsWith("<") || text.startsWith("# AGENTS.md instructions");
}

/** Items that clients saw, out of either generation of events. */
export interface ItemSteps {
	completed(event: Json, atMs: number): void;
	/** False: no event of an item. */
	legacy(event: Json, atMs: number): boolean;
	/** An item as the model knows it, of a file that has nothing else. */
	bare(item: Json, atMs: number): void;
}

interface ItemStepPorts {
	book: TurnBook;
	push(step: RolloutStep): void;
	/** How many turns there were before. */
	turnsBefore: number;
}

export function createItemSteps({ book, push, turnsBefore }: ItemStepPorts): ItemSteps {
	let serial = turnsBefore * 1000;
	/** Null until the file has shown which generation of events it has. */
	let hasItems: boolean | null = null;
	let reasoning: { turnId: string; id: string; item: Json } | null = null;

	function nextId(): string {
		serial += 1;
		return `item-${serial}`;
	}

	function pushItem(turnId: string, item: Json, times: { from: number | null; to: number | null }): void {
		const id = textOf(item, "id") || nextId();
		const made = importItem(item, id, { startedAtMs: times.from, completedAtMs: times.to });
		push({ step: "item", turn_id: turnId, item: made });
	}

	/** Paragraphs of one thought come as an event each. */
	function joinReasoning(turnId: string, item: Json): void {
		if (reasoning?.turnId !== turnId)
			reasoning = { turnId, id: nextId(), item: { summary_text: [], raw_content: [] } };
		const before = reasoning.item;
		const both = (name: string) => [...(before[name] as unknown[]), ...(item[name] as unknown[])];
		const texts = { summary_text: both("summary_text"), raw_content: both("raw_content") };
		reasoning.item = { ...item, id: reasoning.id, ...texts };
		pushItem(turnId, reasoning.item, NO_TIMES);
	}

	/** Without a start of its own, a message of the person begins a turn. */
	function turnOf(event: Json, isMessage: boolean, atMs: number): string {
		const now = book.latest();
		if (isMessage && (now === undefined || (!now.explicit && now.hasMessage))) book.beginUnsaid(atMs);
		const id = textOf(event, "turn_id");
		const turn = id === "" ? book.current(atMs) : book.named(id, atMs);
		turn.hasMessage ||= isMessage;
		return turn.id;
	}

	return {
		completed(event, atMs) {
			const item = objectOf(event, "item");
			const type = textOf(item, "type");
			hasItems ??= LEGACY_TYPES.has(type) ? true : null;
			// Beside the older events only what those cannot say.
			if (hasItems === false && LEGACY_TYPES.has(type)) return;
			const turn = book.named(textOf(event, "turn_id") || book.current(atMs).id, atMs);
			const from = numberOrNull(event, "started_at_ms");
			pushItem(turn.id, item, { from, to: numberOrNull(event, "completed_at_ms") });
		},
		legacy(event, atMs) {
			const item = legacyItem(event);
			if (item === null) return false;
			if (hasItems === true) return true;
			hasItems = false;
			const turnId = turnOf(event, item["type"] === "UserMessage", atMs);
			if (item["type"] === "Reasoning") {
				joinReasoning(turnId, item);
				return true;
			}
			reasoning = null;
			pushItem(turnId, item, NO_TIMES);
			return true;
		},
		bare(item, atMs) {
			if (hasItems !== null || item["type"] !== "message") return;
			const texts = listOf(item, "content").map((part) => textOf(part, "text"));
			if (item["role"] === "user" && !isContext(texts.join(""))) {
				book.beginUnsaid(atMs);
				const content = texts.map((text) => ({ type: "text", text }));
				pushItem(book.current(atMs).id, { type: "UserMessage", content }, NO_TIMES);
			} else if (item["role"] === "assistant") {
				const content = texts.map((text) => ({ type: "Text", text }));
				pushItem(book.current(atMs).id, { type: "AgentMessage", content }, NO_TIMES);
			}
		},
	};
}
