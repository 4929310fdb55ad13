import { REPLACED_REASON, type TurnOutcome } from "#daemon/agent/loop-port.ts";
import type { ModelFailure } from "#daemon/agent/model.ts";
import { TURN_ABORTED_TEXT, userItem } from "./history.ts";
import { finalError, type Retries } from "./retry.ts";
import { remember, type Turn, tellFullWindow } from "./turn.ts";

/** Why a turn was stopped, in the words of whoever stopped it; "interrupted" where they gave none. */
export function interruptReason(signal: AbortSignal): string {
	const reason: unknown = signal.reason;
	if (typeof reason === "string") return reason;
	return reason instanceof Error && reason.name !== "AbortError" ? reason.message : "interrupted";
}

/** The turn ends here; the model is told in the next one. */
export async function endInterrupted(turn: Turn, reason: string): Promise<TurnOutcome> {
	if (reason !== REPLACED_REASON)
		await remember(turn, [userItem(TURN_ABORTED_TEXT, `msg_${turn.ports.newId()}`)]);
	return { status: "interrupted", reason };
}

/** The turn ends here with an error, which is told. */
export async function endFailed(turn: Turn, failure: ModelFailure): Promise<TurnOutcome> {
	if (failure.codexErrorInfo === "contextWindowExceeded") await tellFullWindow(turn);
	const error = finalError(failure);
	await turn.ports.emit({ type: "error", error, willRetry: false });
	return { status: "failed", error };
}

/** Whether the request is to be sent again; false at the end of patience, or when the turn is interrupted meanwhile. */
export async function patience(turn: Turn, retries: Retries, failure: ModelFailure): Promise<boolean> {
	try {
		return await retries.again(failure, turn.signal);
	} catch (error) {
		if (turn.signal.aborted) return false;
		throw error;
	}
}
