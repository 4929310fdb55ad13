import { waitMs } from "#base/clock.ts";
import type { LoopPorts } from "#daemon/agent/loop-port.ts";
import type { ModelFailure } from "#daemon/agent/model.ts";
import type { TurnError } from "#protocol/codex-item.ts";

/** First and longest pause, as observed of Codex: about 200 and 400 ms for the first two (codex.md section 2). */
const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 5_000;
/** Without a network, as observed of Codex: 5, 10 and 20 s between what is told, each after its silent attempts. */
const FIRST_NETWORK_DELAY_MS = 5_000;
const MAX_NETWORK_DELAY_MS = 60_000;

export type RetryPorts = Pick<LoopPorts, "clock" | "random" | "emit" | "provider">;

/** Doubling, within a tenth up or down so that clients of one server do not come back in step. */
export function retryDelayMs(attempt: number, random: () => number): number {
	return jittered(Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.max(0, attempt - 1)), random);
}

function networkDelayMs(attempt: number, random: () => number): number {
	return jittered(Math.min(MAX_NETWORK_DELAY_MS, FIRST_NETWORK_DELAY_MS * 2 ** (attempt - 1)), random);
}

function jittered(ms: number, random: () => number): number {
	return Math.round(ms * (0.9 + 0.2 * random()));
}

/** The error of the turn when nothing is tried again. */
export function finalError(failure: ModelFailure): TurnError {
	const { message, codexErrorInfo, additionalDetails } = failure;
	return { message, codexErrorInfo, additionalDetails };
}

/** Counts the attempts of one model response; a new one per response. */
export interface Retries {
	/** Waits and resolves true when the request shall be sent again; false at the end of patience. Rejects when aborted. */
	again(failure: ModelFailure, signal: AbortSignal): Promise<boolean>;
}

/**
 * Request failures are retried silently up to `retries.request` times, and each such series counts as one stream failure;
 * stream failures are told and retried up to `retries.stream` times; without a network such series have no limit but the
 * signal.
 */
export function createRetries(ports: RetryPorts): Retries {
	const { clock, random, provider } = ports;
	let requestAttempts = 0;
	let streamAttempts = 0;
	let networkAttempts = 0;

	function tell(message: string, failure: ModelFailure): Promise<void> {
		const codexErrorInfo = { responseStreamDisconnected: { httpStatusCode: failure.httpStatusCode } };
		const error = {
			message: `Reconnecting... ${message}`,
			codexErrorInfo,
			additionalDetails: failure.message,
		};
		return ports.emit({ type: "error", error, willRetry: true });
	}
	return {
		async again(failure, signal) {
			if (failure.kind === "fatal") return false;
			const isUnanswered = failure.kind === "request" || failure.kind === "network";
			if (isUnanswered && requestAttempts < provider.retries.request) {
				requestAttempts += 1;
				await waitMs(clock, failure.retryAfterMs ?? retryDelayMs(requestAttempts, random), signal);
				return true;
			}
			requestAttempts = 0;
			if (failure.kind === "network") {
				networkAttempts += 1;
				await tell("waiting for network", failure);
				await waitMs(clock, networkDelayMs(networkAttempts, random), signal);
				return true;
			}
			if (streamAttempts >= provider.retries.stream) return false;
			streamAttempts += 1;
			await tell(`${streamAttempts}/${provider.retries.stream}`, failure);
			await waitMs(clock, failure.retryAfterMs ?? retryDelayMs(streamAttempts, random), signal);
			return true;
		},
	};
}
