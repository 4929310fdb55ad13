import type { Item } from "#protocol/codex-item.ts";
import type { Turn } from "#protocol/record.ts";

/** Words that a steer or an interrupt cut off; the reference does not keep them. */
function isCutOff(item: Item): boolean {
	return (item.type === "agentMessage" || item.type === "reasoning") && (item.completedAtMs ?? null) === null;
}

/** A command that was turned down, or that nobody could be asked about, never ran; the reference does not keep it. */
function neverRan(item: Item): boolean {
	if (item.type !== "commandExecution") return false;
	const hasNoEnd = item.status === "failed" && item.source === "agent" && item.exitCode === null;
	return item.status === "declined" || hasNoEnd;
}

/** A compaction ahead of a turn comes before the words that opened it, although those were stored first. */
function compactionFirst(items: readonly Item[]): readonly Item[] {
	const at = items.findIndex((item) => item.type !== "userMessage");
	const compaction = items[at];
	if (compaction?.type !== "contextCompaction") return items;
	return [compaction, ...items.slice(0, at), ...items.slice(at + 1)];
}

/** The turn as the reference keeps it: items in the order in which they were finished, what still runs last. */
export function asFinished(turn: Turn): Turn {
	const isOver = turn.status !== "inProgress";
	const kept = turn.items.filter((item) => !neverRan(item) && !(isOver && isCutOff(item)));
	const at = (item: Item): number => item.completedAtMs ?? Number.POSITIVE_INFINITY;
	const sorted = kept.toSorted((one, other) => (at(one) === at(other) ? 0 : at(one) - at(other)));
	return { ...turn, items: [...compactionFirst(sorted)] };
}
