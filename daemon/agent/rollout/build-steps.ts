import type { RolloutStep } from "#daemon/storage/repository/rollout-import.ts";
import { createItemSteps, isContext } from "./item-steps.ts";
import { type Json, listOf, numberOrNull, objectOf, type RolloutLine, textOf } from "./line.ts";
import { createTurnBook, type TurnBook } from "./turn-book.ts";
import { type TurnContext, turnContextOf } from "./turn-context.ts";
import { usageOf } from "./usage-in.ts";

/** Turns what a file says, line by line, into steps for the store. */
export interface StepBuilder {
	/** False: a line of a kind that nothing is taken from because nobody here knows it. */
	take(line: RolloutLine): boolean;
	/** Steps since the last call. */
	drain(): RolloutStep[];
	/** Turns that have begun and not ended; at zero the file can be read on from here later. */
	readonly openTurns: number;
	/** Rows of turns made since that was zero. */
	readonly rowsSince: number;
	/** Everything up to here is whole. */
	settle(): void;
	/** The file is over. */
	finish(): void;
	/** What the last turn ran with. */
	readonly context: TurnContext | null;
}

/** Lines and events that say nothing that we keep: the Codex CLI's own bookkeeping, and what other lines say again. */
const KNOWN: ReadonlySet<string> = new Set([
	"session_meta",
	"world_state",
	"token_usage_record",
	"retained_context",
	"ghost_snapshot",
	"thread_settings_applied",
	"thread_name_updated",
	"exec_command_begin",
	"patch_apply_begin",
	"mcp_tool_call_begin",
	"web_search_begin",
	"error",
	"stream_error",
	"warning",
	"turn_diff",
	"plan_update",
	"undo_completed",
]);

/** People's words up to this size survive a compaction of a file that does not say what came of it. */
const SAID_CHARACTERS = 80_000;

const userItem = (text: string): Json => ({
	type: "message",
	role: "user",
	content: [{ type: "input_text", text }],
});

/** What the model knows: its items, and what replaced them. */
function createHistorySteps(book: TurnBook, push: (step: RolloutStep) => void) {
	let said: string[] = [];
	let characters = 0;

	function hear(item: Json): void {
		if (item["type"] !== "message" || item["role"] !== "user") return;
		const text = listOf(item, "content")
			.map((part) => textOf(part, "text"))
			.join("\n");
		if (isContext(text)) return;
		said.push(text);
		characters += text.length;
		while (characters > SAID_CHARACTERS && said.length > 1) characters -= said.shift()?.length ?? 0;
	}

	return {
		item(item: Json): void {
			hear(item);
			const owner = textOf(objectOf(item, "internal_chat_message_metadata_passthrough"), "turn_id");
			push({ step: "history", turn_id: owner || (book.latest()?.id ?? ""), items: [item] });
		},
		compacted(payload: Json, atMs: number): void {
			const known = payload["replacement_history"];
			const words = [...said, textOf(payload, "message")].filter((text) => text !== "");
			const items: readonly unknown[] = Array.isArray(known) ? known : words.map(userItem);
			said = [];
			characters = 0;
			push({ step: "history_replaced", turn_id: book.current(atMs).id, items });
		},
	};
}

export function createStepBuilder(
	threadId: string,
	{ turnsBefore = 0 }: { turnsBefore?: number } = {},
): StepBuilder {
	let steps: RolloutStep[] = [];
	const push = (step: RolloutStep): void => void steps.push(step);
	const book = createTurnBook({ threadId, push, turnsBefore });
	const items = createItemSteps({ book, push, turnsBefore });
	const history = createHistorySteps(book, push);
	let context: TurnContext | null = null;
	let clockMs = 0;

	function tokenCount(event: Json): void {
		const usage = usageOf(event);
		const turn = book.latest();
		if (usage !== null && turn !== undefined) push({ step: "usage", turn_id: turn.id, usage });
	}

	function rolledBack(event: Json): void {
		book.endAll();
		push({ step: "rollback", turns: Math.max(0, Math.trunc(numberOrNull(event, "num_turns") ?? 0)) });
	}

	const events: Readonly<Record<string, (event: Json, atMs: number) => void>> = {
		task_started: book.begin,
		turn_started: book.begin,
		task_complete: (event, atMs) => book.end(event, atMs, "completed"),
		turn_complete: (event, atMs) => book.end(event, atMs, "completed"),
		turn_aborted: (event, atMs) => book.end(event, atMs, "interrupted"),
		item_completed: items.completed,
		token_count: tokenCount,
		thread_rolled_back: rolledBack,
	};

	function event(payload: Json, atMs: number): boolean {
		const type = textOf(payload, "type");
		const handle = Object.hasOwn(events, type) ? events[type] : undefined;
		if (handle === undefined) return items.legacy(payload, atMs) || KNOWN.has(type);
		handle(payload, atMs);
		return true;
	}

	return {
		take({ type, payload, atMs }) {
			clockMs = atMs ?? clockMs;
			if (type === "event_msg") return event(payload, clockMs);
			if (type === "response_item") {
				if (atMs === null) items.bare(payload, clockMs);
				history.item(payload);
			} else if (type === "compacted") history.compacted(payload, clockMs);
			else if (type === "turn_context") context = turnContextOf(payload);
			else return KNOWN.has(type);
			return true;
		},
		drain() {
			const taken = steps;
			steps = [];
			return taken;
		},
		get openTurns() {
			return book.openCount();
		},
		get rowsSince() {
			return book.rowsSince();
		},
		settle: book.settle,
		finish: () => book.endAll(),
		get context() {
			return context;
		},
	};
}
