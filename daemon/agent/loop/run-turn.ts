import { toAppError } from "#base/app-error.ts";
import type { LoopPorts, RunTurn, TurnInput, TurnOutcome } from "#daemon/agent/loop-port.ts";
import { compact, needsCompaction } from "./compaction.ts";
import { contextItems } from "./context.ts";
import { endFailed, endInterrupted, interruptReason, patience } from "./endings.ts";
import { tellRawItem } from "./raw-events.ts";
import { streamResponse } from "./response.ts";
import { createRetries } from "./retry.ts";
import { runReview } from "./review.ts";
import type { ResponseEnd, Streamed } from "./stream.ts";
import { createToolCalls, type ToolCalls } from "./tool-calls.ts";
import { countUsage, createTurn, remember, type Turn, tellUsage } from "./turn.ts";
import { addMessages } from "./user-input.ts";

/** One response with the steering that may cut it; messages that arrived before go in first. */
async function nextResponse(turn: Turn, calls: ToolCalls): Promise<Streamed> {
	const cut = new AbortController();
	if (turn.apart) return streamResponse(turn, calls, cut.signal);
	// Listening starts before the messages are taken, so that none can slip between.
	using _steer = turn.ports.onSteer(() => cut.abort());
	await remember(turn, turn.ports.takeAside?.() ?? []);
	await addMessages(turn, turn.ports.takeSteer());
	// Awaited here, else the listening would end with this function and not with the stream.
	return await streamResponse(turn, calls, cut.signal);
}

/** Whether the turn is at its end; null: the model is to go on. */
async function afterResponse(turn: Turn, end: ResponseEnd, calls: ToolCalls): Promise<TurnOutcome | null> {
	if (end.type !== "steered" && calls.count === 0) {
		const late = turn.apart ? [] : turn.ports.takeSteer();
		if (late.length === 0) return { status: "completed", finalText: turn.finalText };
		await addMessages(turn, late);
	}
	return !turn.apart && needsCompaction(turn) ? compact(turn) : null;
}

/** One response with its calls and their outputs, told to the end. */
async function exchange(turn: Turn): Promise<{ end: ResponseEnd; calls: ToolCalls; stopped: boolean }> {
	const calls = createToolCalls(turn);
	const { end, begun } = await nextResponse(turn, calls);
	// A broken stream may have finished a call before it broke: that call has begun, so its output is kept.
	const settled = await calls.settle();
	if (end.type === "completed") countUsage(turn, end.usage);
	if (begun) await tellUsage(turn);
	return { end, calls, stopped: settled === "stopped" };
}

/** One response, with how often it may be tried again; null: the turn goes on with another response. */
async function step(turn: Turn): Promise<TurnOutcome | null> {
	const { ports, signal } = turn;
	const retries = createRetries(ports);
	while (!signal.aborted) {
		const { end, calls, stopped } = await exchange(turn);
		if (signal.aborted) break;
		if (stopped) return endInterrupted(turn, "cancelled by the user");
		if (end.type !== "failed") return afterResponse(turn, end, calls);
		const again = await patience(turn, retries, end.failure);
		if (!again && !signal.aborted) return endFailed(turn, end.failure);
	}
	return endInterrupted(turn, interruptReason(signal));
}

/** Response after response, until the model has nothing more to do. */
export async function converse(turn: Turn): Promise<TurnOutcome> {
	for (;;) {
		const outcome = await step(turn);
		if (outcome !== null) return outcome;
	}
}

/** What of the context the model does not know yet, ahead of what is said next. */
async function tellContext(turn: Turn): Promise<void> {
	const { prelude, model } = turn.input;
	const items = contextItems(turn.history, { prelude, model, newId: turn.ports.newId });
	const first = turn.history.length === 0;
	await remember(turn, items);
	// The base instructions themselves are told to no client.
	for (const item of first ? items.slice(1) : items) await tellRawItem(turn, item, "ours");
}

async function regular(turn: Turn): Promise<TurnOutcome> {
	const compacted = needsCompaction(turn) ? await compact(turn) : null;
	if (compacted !== null) return compacted;
	await tellContext(turn);
	await addMessages(turn, turn.input.messages);
	return converse(turn);
}

async function runKind(input: TurnInput, ports: LoopPorts, signal: AbortSignal): Promise<TurnOutcome> {
	if (input.kind === "review") return runReview(input, ports, signal, converse);
	const turn = createTurn(input, ports, signal);
	if (input.kind !== "compact") return regular(turn);
	return (await compact(turn)) ?? { status: "completed", finalText: null };
}

/**
 * Runs one turn to its end and says how it ended; never rejects. Touches nothing but its ports. When it is interrupted it
 * returns at once: calls that still run are not awaited, their items complete by themselves.
 */
export const runTurn: RunTurn = async (input: TurnInput, ports: LoopPorts, signal: AbortSignal) => {
	const about = { threadId: input.threadId, turnId: input.turnId };
	let outcome: TurnOutcome;
	try {
		await ports.hooks.run("before_agent_start", { ...about, model: input.model });
		outcome = await runKind(input, ports, signal);
	} catch (error) {
		const { message } = toAppError(error);
		if (signal.aborted) outcome = { status: "interrupted", reason: interruptReason(signal) };
		else outcome = { status: "failed", error: { message, codexErrorInfo: "other", additionalDetails: null } };
	}
	await ports.hooks.run("agent_end", { ...about, status: outcome.status });
	return outcome;
};
