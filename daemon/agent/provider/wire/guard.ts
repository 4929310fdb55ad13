import type { ModelEvent } from "#daemon/agent/model.ts";
import { redactFailure } from "../codex/failure.ts";

/**
 * Events of one request with the promises of `ModelProvider.stream` kept: nothing after an abort, no secret in a failure,
 * and the request ended where it was left early.
 */
export async function* guardStream(
	start: (signal: AbortSignal) => AsyncIterable<ModelEvent>,
	signal: AbortSignal,
	secrets: () => readonly string[],
): AsyncGenerator<ModelEvent> {
	const left = new AbortController();
	try {
		for await (const event of start(AbortSignal.any([signal, left.signal]))) {
			if (signal.aborted) return;
			if (event.type === "failed") yield { type: "failed", failure: redactFailure(event.failure, secrets()) };
			else yield event;
		}
	} finally {
		left.abort();
	}
}
