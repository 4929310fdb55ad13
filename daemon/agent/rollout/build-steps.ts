import type { RolloutStep } from "#daemon/storage/repository/rollout-import.ts";
import { importItem } from "./item-in.ts";
import { legacyItem } from "./legacy-item.ts";
import { type Json, listOf, numberOrNull, objectOf, type RolloutLine, textOf } from "./line.ts";
import { createTurnBook } from "./turn-book.ts";
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

/** Lines that say nothing that we keep: they are the Codex CLI's own bookkeeping. */
const KNOWN: ReadonlySet<string> = new Set([
	"session_meta",
	"world_state",
	"token_usage_record",
	"retained_context",
	"ghost_snapshot",
]);
/** Events for which the same holds. */
const KNOWN_EVENTS: ReadonlySet<string> = new Set([
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
const SAID_BYTES = 80_000;

interface Said {
	add(text: string): void;
	texts(): string[];
}

function createSaid(): Said {
	const kept: string[] = [];
	let bytes = 0;
	return {
		add(text) {
			kept.push(text);
			bytes += text.length;
			while (bytes > SAID_BYTES && kept.length > 1) bytes -= kept.shift()?.length ?? 0;
		},
		texts: () => kept,
	};
}

const NO_TIMES = { from: null, to: null };

/** What a program put ahead of what a person said. */
export function isContext(text: string): boolean {
	return text.startsWith("<") || text.startsWith("# AGENTS.md instructions");
}

const userItem = (text: string): Json => ({
	type: "message",
	role: "user",
	content: [{ type: "input_text", text }],
});

export function createStepBuilder(threadId: string, startAt: { turns: number } = { turns: 0 }): StepBuilder {
	let steps: RolloutStep[] = [];
	const push = (step: RolloutStep): void => void steps.push(step);
	const book = createTurnBook({ threadId, push, startAt: startAt.turns });
	const said = createSaid();
	let context: TurnContext | null = null;
	let clockMs = 0;
	let serial = startAt.turns * 1000;
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

	function itemCompleted(event: Json, atMs: number): void {
		const item = objectOf(event, "item");
		const type = textOf(item, "type");
		hasItems ??= type !== "Plan" && type !== "plan";
		// Beside the older events only what those cannot say.
		if (!hasItems && legacyTypes.has(type)) return;
		const turn = book.named(textOf(event, "turn_id") || book.current(atMs).id, atMs);
		const from = numberOrNull(event, "started_at_ms");
		pushItem(turn.id, item, { from, to: numberOrNull(event, "completed_at_ms") });
	}

	/** Paragraphs of one thought come as an event each. */
	function joinReasoning(turnId: string, item: Json): void {
		if (reasoning?.turnId !== turnId)
			reasoning = { turnId, id: nextId(), item: { summary_text: [], raw_content: [] } };
		const before = reasoning.item;
		const both = (name: string) => [...(before[name] as unknown[]), ...(item[name] as unknown[])];
		reasoning.item = {
			...item,
			id: reasoning.id,
			summary_text: both("summary_text"),
			raw_content: both("raw_content"),
		};
		pushItem(turnId, reasoning.item, NO_TIMES);
	}

	function legacyEvent(event: Json, atMs: number): boolean {
		const item = legacyItem(event);
		if (item === null) return false;
		if (hasItems === true) return true;
		hasItems = false;
		const id = textOf(event, "turn_id");
		const isMessage = item["type"] === "UserMessage";
		if (isMessage) {
			const now = [...book.open.values()].at(-1);
			if (now === undefined || (!now.explicit && now.hasMessage)) book.beginUnsaid(atMs);
		}
		const turn = id === "" ? book.current(atMs) : book.named(id, atMs);
		turn.hasMessage ||= isMessage;
		if (item["type"] === "Reasoning") joinReasoning(turn.id, item);
		else {
			reasoning = null;
			pushItem(turn.id, item, NO_TIMES);
		}
		return true;
	}

	function event(payload: Json, atMs: number): boolean {
		const type = textOf(payload, "type");
		switch (type) {
			case "task_started":
			case "turn_started":
				book.begin(payload, atMs);
				return true;
			case "task_complete":
			case "turn_complete":
				book.end(payload, atMs, "completed");
				return true;
			case "turn_aborted":
				book.end(payload, atMs, "interrupted");
				return true;
			case "item_completed":
				itemCompleted(payload, atMs);
				return true;
			case "token_count": {
				const usage = usageOf(payload);
				const turn = [...book.open.values()].at(-1);
				if (usage !== null && turn !== undefined) push({ step: "usage", turn_id: turn.id, usage });
				return true;
			}
			case "thread_rolled_back":
				book.endAll();
				push({ step: "rollback", turns: Math.max(0, Math.trunc(numberOrNull(payload, "num_turns") ?? 0)) });
				return true;
			default:
				return legacyEvent(payload, atMs) || KNOWN_EVENTS.has(type);
		}
	}

	/** The turn whose history it is: the item says it in newer files. */
	function ownerOf(item: Json): string {
		const id = textOf(objectOf(item, "internal_chat_message_metadata_passthrough"), "turn_id");
		return id !== "" ? id : ([...book.open.values()].at(-1)?.id ?? "");
	}

	function responseItem(item: Json): void {
		if (item["type"] === "message" && item["role"] === "user")
			said.add(
				listOf(item, "content")
					.map((part) => textOf(part, "text"))
					.join("\n"),
			);
		push({ step: "history", turn_id: ownerOf(item), items: [item] });
	}

	/** The oldest files are nothing but items: turns are what follows a person's words. */
	function bareItem(item: Json): void {
		const texts = listOf(item, "content").map((part) => textOf(part, "text"));
		const isUser = item["role"] === "user";
		if (item["type"] === "message" && isUser && !isContext(texts.join(""))) {
			book.beginUnsaid(clockMs);
			const content = texts.map((text) => ({ type: "text", text }));
			pushItem(book.current(clockMs).id, { type: "UserMessage", content }, NO_TIMES);
		} else if (item["type"] === "message" && item["role"] === "assistant") {
			const content = texts.map((text) => ({ type: "Text", text }));
			pushItem(book.current(clockMs).id, { type: "AgentMessage", content }, NO_TIMES);
		}
	}

	function compacted(payload: Json, atMs: number): void {
		const known = payload["replacement_history"];
		const words = [...said.texts().filter((text) => !isContext(text)), textOf(payload, "message")];
		const items = Array.isArray(known) ? known : words.filter((text) => text !== "").map(userItem);
		push({ step: "history_replaced", turn_id: book.current(atMs).id, items });
	}

	return {
		take({ type, payload, atMs }) {
			clockMs = atMs ?? clockMs;
			if (type === "event_msg") return event(payload, clockMs);
			if (type === "response_item") {
				if (atMs === null && hasItems === null) bareItem(payload);
				responseItem(payload);
			} else if (type === "compacted") compacted(payload, clockMs);
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
			return book.open.size;
		},
		get rowsSince() {
			return book.since;
		},
		settle: book.settle,
		finish: () => book.endAll(),
		get context() {
			return context;
		},
	};
}

/** What the older events tell as well. */
const legacyTypes: ReadonlySet<string> = new Set([
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
