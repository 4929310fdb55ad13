import { toAppError } from "#base/app-error.ts";
import type { LoopPorts, RunTurn, TurnInput, TurnOutcome } from "#daemon/agent/loop-port.ts";
import type { ModelFailure } from "#daemon/agent/model.ts";
import { TURN_ABORTED_TEXT, userItem } from "./history.ts";
import { type ResponseEnd, streamResponse } from "./response.ts";
import { createRetries, finalError, type Retries } from "./retry.ts";
import { createToolCalls, type ToolCalls } from "./tool-calls.ts";
import { addMessages, remember, type Turn } from "./turn.ts";
import { addUsage, fullUsage } from "./usage.ts";

function interruptReason(signal: AbortSignal): string {
	const reason: unknown = signal.reason;
	if (typeof reason === "string") return reason;
	return reason instanceof Error && reason.name !== "AbortError" ? reason.message : "interrupted";
}

async function interrupted(turn: Turn, reason: string): Promise<TurnOutcome> {
	await remember(turn, [userItem(TURN_ABORTED_TEXT)]);
	return { status: "interrupted", reason };
}

async function failed(turn: Turn, failure: ModelFailure): Promise<TurnOutcome> {
	const window = turn.ports.provider.contextWindow;
	if (failure.codexErrorInfo === "contextWindowExceeded" && window !== null) {
		turn.usage = fullUsage(turn.usage, window);
		await turn.ports.emit({ type: "usage_updated", usage: turn.usage });
	}
	const error = finalError(failure);
	await turn.ports.emit({ type: "error", error, willRetry: false });
	return { status: "failed", error };
}

/** One response with the steering that may cut it; messages that arrived before go in first. */
async function nextResponse(turn: Turn, calls: ToolCalls): Promise<ResponseEnd> {
	const cut = new AbortController();
	// Listening starts before the messages are taken, so that none can slip between.
	using _steer = turn.ports.onSteer(() => cut.abort());
	await addMessages(turn, turn.ports.takeSteer());
	// Awaited here, else the listening would end with this function and not with the stream.
	return await streamResponse(turn, calls, cut.signal);
}

async function tellUsage(turn: Turn, end: ResponseEnd): Promise<void> {
	if (end.type !== "completed" || end.usage === null) return;
	turn.usage = addUsage(turn.usage, end.usage, turn.ports.provider.contextWindow);
	await turn.ports.emit({ type: "usage_updated", usage: turn.usage });
}

/** Patience of a retry; false when it is at its end or the turn is interrupted meanwhile. */
async function patience(turn: Turn, retries: Retries, failure: ModelFailure): Promise<boolean> {
	try {
		return await retries.again(failure, turn.signal);
	} catch (error) {
		if (turn.signal.aborted) return false;
		throw error;
	}
}

/** What a failed response leads to: null to try again. */
async function afterFailure(
	turn: Turn,
	retries: Retries,
	failure: ModelFailure,
): Promise<TurnOutcome | null> {
	if (await patience(turn, retries, failure)) return null;
	return turn.signal.aborted ? interrupted(turn, interruptReason(turn.signal)) : failed(turn, failure);
}

/** Whether the turn is at its end; null: the model is to go on. */
async function afterResponse(turn: Turn, end: ResponseEnd, calls: ToolCalls): Promise<TurnOutcome | null> {
	if (end.type === "steered" || calls.count > 0) return null;
	const late = turn.ports.takeSteer();
	await addMessages(turn, late);
	return late.length > 0 ? null : { status: "completed", finalText: turn.finalText };
}

/** One response and its calls, with how often it may be tried again; null: the turn goes on with another response. */
async function step(turn: Turn): Promise<TurnOutcome | null> {
	const { ports, signal } = turn;
	const retries = createRetries(ports);
	for (;;) {
		if (signal.aborted) return interrupted(turn, interruptReason(signal));
		const calls = createToolCalls(turn);
		const end = await nextResponse(turn, calls);
		// A broken stream may have finished a call before it broke: that call has begun, so its output is kept.
		const settled = await calls.settle();
		await tellUsage(turn, end);
		if (signal.aborted) return interrupted(turn, interruptReason(signal));
		if (settled === "stopped") return interrupted(turn, "cancelled by the user");
		if (end.type !== "failed") return afterResponse(turn, end, calls);
		const outcome = await afterFailure(turn, retries, end.failure);
		if (outcome !== null) return outcome;
	}
}

async function loop(turn: Turn): Promise<TurnOutcome> {
	for (;;) {
		const outcome = await step(turn);
		if (outcome !== null) return outcome;
	}
}

/**
 * Runs one turn to its end and says how it ended; never rejects. Touches nothing but its ports. When it is interrupted it
 * returns at once: calls that still run are not awaited, their items complete by themselves.
 */
export const runTurn: RunTurn = async (input: TurnInput, ports: LoopPorts, signal: AbortSignal) => {
	const turn: Turn = {
		input,
		ports,
		signal,
		history: [...input.history],
		usage: input.usageBefore,
		finalText: null,
	};
	const about = { threadId: input.threadId, turnId: input.turnId };
	let outcome: TurnOutcome;
	try {
		await ports.hooks.run("before_agent_start", { ...about, model: input.model });
		await addMessages(turn, input.messages);
		outcome = await loop(turn);
	} catch (error) {
		const { message } = toAppError(error);
		if (signal.aborted) outcome = { status: "interrupted", reason: interruptReason(signal) };
		else outcome = { status: "failed", error: { message, codexErrorInfo: "other", additionalDetails: null } };
	}
	await ports.hooks.run("agent_end", { ...about, status: outcome.status });
	return outcome;
};
