import type { ModelItem } from "#daemon/agent/model.ts";
import { COMPACTION_PREFACE } from "#daemon/agent/prompt/compaction-text.ts";
import { isSaid, wholeContext } from "./context.ts";
import { messageText, parseToolCall, userItem } from "./history.ts";

/** What people said is kept up to this size, newest first: 20,000 tokens of four bytes, as the real one does. */
const KEPT_BYTES = 80_000;

interface Rebuild {
	readonly prelude: readonly ModelItem[];
	readonly model: string | null;
	readonly newId: () => string;
}

function isSummary(item: ModelItem): boolean {
	return messageText(item).startsWith(COMPACTION_PREFACE);
}

function cutItem(item: ModelItem, bytes: number): ModelItem {
	const kept = Buffer.from(messageText(item)).subarray(0, bytes).toString("utf8");
	const id = item["id"];
	return userItem(`${kept}\n[the rest was left out]`, typeof id === "string" ? id : undefined);
}

/** What was said to the agent, oldest first, without its context and former summaries, in bounds. */
function keptMessages(history: readonly ModelItem[]): ModelItem[] {
	const kept: ModelItem[] = [];
	let left = KEPT_BYTES;
	for (const item of history.toReversed()) {
		if (!isSaid(item) || isSummary(item)) continue;
		const bytes = Buffer.byteLength(messageText(item));
		if (left <= 0) break;
		kept.unshift(bytes > left ? cutItem(item, left) : item);
		left -= bytes;
	}
	return kept;
}

/** The new history: base, what people said with the whole context ahead of the last of it, then `ending`. */
export function rebuildHistory(
	history: readonly ModelItem[],
	ending: readonly ModelItem[],
	input: Rebuild,
): ModelItem[] {
	const { base, sections } = wholeContext(history, input);
	const said = keptMessages(history);
	return [...base, ...said.slice(0, -1), ...sections, ...said.slice(-1), ...ending];
}

/** The summary as the next requests begin with it. */
export function summaryItem(summary: string, newId: () => string): ModelItem {
	const text = summary.trim() === "" ? "(no summary available)" : summary;
	return userItem(`${COMPACTION_PREFACE}\n${text}`, `msg_${newId()}`);
}

/** The history without its oldest item, and without the other half of a call that this parts; null when nothing is left. */
export function withoutOldest(history: readonly ModelItem[]): ModelItem[] | null {
	const [oldest, ...rest] = history;
	if (oldest === undefined || rest.length === 0) return null;
	if (parseToolCall(oldest) === null) return rest;
	return rest.filter((item) => item["call_id"] !== oldest["call_id"]);
}
