import type { TurnOutcome } from "#daemon/agent/loop-port.ts";
import type { ModelFailure, ModelItem, ModelRequest } from "#daemon/agent/model.ts";
import { COMPACTION_REQUEST } from "#daemon/agent/prompt/compaction-text.ts";
import type { Item } from "#protocol/codex-item.ts";
import { rebuildHistory, summaryItem, withoutOldest } from "./compacted-history.ts";
import { isBase, requestInput } from "./context.ts";
import { endFailed, endInterrupted, interruptReason, patience } from "./endings.ts";
import { messageText, userItem, withOutputs } from "./history.ts";
import { tellRawItem, tellRawResponse } from "./raw-events.ts";
import { createRetries, type Retries } from "./retry.ts";
import { collectResponse, type ResponseEnd, requestOf } from "./stream.ts";
import { countUsage, replaceHistory, type Turn, tellUsage } from "./turn.ts";
import { compactedUsage, estimateItemTokens } from "./usage.ts";

type Summed = { type: "done"; ending: readonly ModelItem[] } | { type: "ended"; outcome: TurnOutcome };

const isRemote = (turn: Turn): boolean => turn.ports.provider.compaction === "remote";

const NOT_SEALED: ModelFailure = {
	message: "the provider answered a request for compaction without a compaction item",
	codexErrorInfo: "other",
	additionalDetails: null,
	kind: "fatal",
	retryAfterMs: null,
	httpStatusCode: null,
};

function compactionRequest(turn: Turn, history: readonly ModelItem[]): ModelRequest {
	const asked = requestOf(turn, "compaction");
	// A schema is for the answer to the person.
	const request = { ...asked, options: { ...asked.options, outputSchema: undefined } };
	const conversation = requestInput(turn.input.prelude, withOutputs(history));
	if (isRemote(turn)) return { ...request, input: [...conversation, { type: "compaction_trigger" }] };
	const words = turn.input.compactPrompt ?? COMPACTION_REQUEST;
	return { ...request, input: [...conversation, userItem(words)], tools: [] };
}

/** The base stays: it is no part of what was said, and without it the model would not know what it is. */
function trimmed(history: readonly ModelItem[]): ModelItem[] | null {
	const base = history.filter(isBase);
	const rest = withoutOldest(history.filter((item) => !isBase(item)));
	return rest === null ? null : [...base, ...rest];
}

/** What stands for all that was said: the provider's sealed item, or a summary in words. */
function endingOf(turn: Turn, items: readonly ModelItem[]): readonly ModelItem[] | null {
	if (isRemote(turn)) {
		const sealed = items.findLast((item) => item.type === "compaction");
		return sealed === undefined ? null : [sealed];
	}
	const words = items.filter((item) => item.type === "message").map(messageText);
	return [summaryItem(words.at(-1) ?? "", turn.ports.newId)];
}

/** What a remote compaction takes is not told; it would be counted twice there. */
async function takeSummary(
	turn: Turn,
	end: Extract<ResponseEnd, { type: "completed" }>,
	items: readonly ModelItem[],
): Promise<Summed> {
	for (const item of items) await tellRawItem(turn, item, "model");
	await tellRawResponse(turn, end);
	const ending = endingOf(turn, items);
	if (ending === null) return { type: "ended", outcome: await endFailed(turn, NOT_SEALED) };
	if (!isRemote(turn)) {
		countUsage(turn, end.usage);
		await tellUsage(turn);
	}
	return { type: "done", ending };
}

/** The shorter history to try again with, the same one again, or null at the end of patience. */
async function nextTry(
	turn: Turn,
	attempt: { history: readonly ModelItem[]; retries: Retries },
	failure: ModelFailure,
): Promise<{ history: readonly ModelItem[]; retries: Retries } | null> {
	const shorter = failure.codexErrorInfo === "contextWindowExceeded" ? trimmed(attempt.history) : null;
	if (shorter !== null) return { history: shorter, retries: createRetries(turn.ports) };
	return (await patience(turn, attempt.retries, failure)) ? attempt : null;
}

/** Asks for the summary, with the patience of every request; what is too long loses its oldest items until it fits. */
async function summarize(turn: Turn): Promise<Summed> {
	const { signal } = turn;
	let attempt = { history: turn.history as readonly ModelItem[], retries: createRetries(turn.ports) };
	while (!signal.aborted) {
		const { end, items, begun } = await collectResponse(turn, compactionRequest(turn, attempt.history));
		if (begun && !isRemote(turn)) await tellUsage(turn);
		if (end.type === "completed") return takeSummary(turn, end, items);
		if (end.type !== "failed") break;
		const next = await nextTry(turn, attempt, end.failure);
		if (next === null && !signal.aborted)
			return { type: "ended", outcome: await endFailed(turn, end.failure) };
		attempt = next ?? attempt;
	}
	return { type: "ended", outcome: await endInterrupted(turn, interruptReason(signal)) };
}

/** Makes the history short, inside a turn or as a turn of its own; null when it is done and the turn may go on. */
export async function compact(turn: Turn): Promise<TurnOutcome | null> {
	const { clock, emit, hooks, newId } = turn.ports;
	const about = { threadId: turn.input.threadId, turnId: turn.input.turnId };
	await hooks.run("before_compaction", about);
	const startedAtMs = clock.nowMs();
	const item: Item = { type: "contextCompaction", id: newId(), startedAtMs, completedAtMs: null };
	await emit({ type: "item_started", item });
	const summed = await summarize(turn);
	if (summed.type === "ended") return summed.outcome;
	const { prelude, model } = turn.input;
	await replaceHistory(turn, rebuildHistory(turn.history, summed.ending, { prelude, model, newId }));
	turn.usage = compactedUsage(turn.usage, estimateItemTokens(turn.history));
	await tellUsage(turn);
	await emit({ type: "item_completed", item: { ...item, completedAtMs: clock.nowMs() } });
	await hooks.run("after_compaction", { ...about, windowNumber: turn.windowNumber });
	return null;
}

/** Whether the last response, and what came since, took so much that the history has to be made short first. */
export function needsCompaction(turn: Turn): boolean {
	const limit = turn.model.autoCompactTokens;
	return limit !== null && turn.usage !== null && turn.usage.last.totalTokens >= limit;
}
