import { createHash } from "node:crypto";
import { rebuildHistory, summaryItem } from "#daemon/agent/loop/compacted-history.ts";
import { messageText } from "#daemon/agent/loop/history.ts";
import type { LoopEvent } from "#daemon/agent/loop-port.ts";
import type { ModelItem } from "#daemon/agent/model.ts";

/** The program's own bookkeeping on its items; its model never sees it, and neither shall another. */
const BOOKKEEPING = "internal_chat_message_metadata_passthrough";

/** Context that a loop puts into each conversation; whoever goes on with a history makes its own. */
export function isOwnContext(item: ModelItem): boolean {
	if (item.type !== "message") return false;
	if (item["role"] === "developer") return true;
	if (item["role"] !== "user") return false;
	const content: unknown = item["content"];
	const first: unknown = Array.isArray(content) ? content[0] : undefined;
	const said = (first as { text?: unknown } | undefined)?.text;
	return (
		typeof said === "string" &&
		(said.startsWith("<environment_context>") || said.startsWith("# AGENTS.md instructions"))
	);
}

/** How much of our history the program knows, as `count:digest`. */
export function markOf(history: readonly ModelItem[]): string {
	const hash = createHash("sha256");
	for (const item of history) hash.update(`${JSON.stringify(item)}\n`);
	return `${history.length}:${hash.digest("hex").slice(0, 32)}`;
}

/** What of `history` comes after the mark; null when the history is not one that goes on from there. */
export function tailAfter(history: readonly ModelItem[], mark: string): readonly ModelItem[] | null {
	const count = Number.parseInt(mark, 10);
	if (!(count <= history.length) || markOf(history.slice(0, count)) !== mark) return null;
	return history.slice(count);
}

/** What the program says of its history in one turn, as events for ours. */
export interface ToldHistory {
	/** One `rawResponseItem/completed`. `turnId`: the program's id of the turn, where it is known. */
	item(told: unknown, turnId: string | undefined): LoopEvent[];
	/** A summary takes the history's place between these two. */
	compactionBegins(): void;
	compactionEnds(): LoopEvent[];
	/** The whole history as our store has it once these events are stored. */
	readonly known: readonly ModelItem[];
}

function turnOf(item: ModelItem): unknown {
	return (item[BOOKKEEPING] as { turn_id?: unknown } | null | undefined)?.turn_id;
}

function withoutBookkeeping(item: ModelItem): ModelItem {
	const { [BOOKKEEPING]: _own, ...rest } = item;
	return { ...rest, type: item.type };
}

export function createToldHistory(before: readonly ModelItem[], newId: () => string): ToldHistory {
	let known: readonly ModelItem[] = before;
	let summary: ModelItem | null = null;
	let isCompacting = false;

	return {
		get known() {
			return known;
		},
		item(told, turnId) {
			const item = told as ModelItem | null;
			if (typeof item?.type !== "string" || isOwnContext(item)) return [];
			if (isCompacting) {
				summary = withoutBookkeeping(item);
				return [];
			}
			// A reviewer's conversation is a turn inside the turn; the thread keeps what came of it.
			const owner = turnOf(item);
			if (turnId !== undefined && typeof owner === "string" && owner !== turnId) return [];
			const items = [withoutBookkeeping(item)];
			known = [...known, ...items];
			return [{ type: "history", items }];
		},
		compactionBegins() {
			isCompacting = true;
			summary = null;
		},
		compactionEnds() {
			isCompacting = false;
			if (summary === null) return [];
			const ending = summary.type === "message" ? summaryItem(messageText(summary), newId) : summary;
			known = rebuildHistory(known, [ending], { prelude: [], model: null, newId });
			return [{ type: "history_replaced", items: known }];
		},
	};
}
