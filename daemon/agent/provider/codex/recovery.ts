import type { RecoveryStep } from "#daemon/agent/account/credentials.ts";
import type { ModelEvent } from "#daemon/agent/model.ts";
import { fatalFailure } from "./failure.ts";

const REFUSED = 401;

/**
 * Tries again what was refused for its login, as long as `recovery` has another one: before the first answer, so that
 * nothing is told twice. When the login is dead, the failure says so and is final.
 */
export async function* withRecovery(
	attempt: () => AsyncIterable<ModelEvent>,
	recovery: { next(): Promise<RecoveryStep> },
	signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
	let again = true;
	while (again && !signal.aborted) {
		again = false;
		for await (const event of attempt()) {
			if (event.type !== "failed" || event.failure.httpStatusCode !== REFUSED) {
				yield event;
				continue;
			}
			const step = await recovery.next();
			again = step.kind === "retry";
			if (step.kind === "end") yield { type: "failed", failure: endOf(event.failure, step.message) };
		}
	}
}

function endOf(failure: Extract<ModelEvent, { type: "failed" }>["failure"], message: string | null) {
	return message === null ? failure : fatalFailure(message, "unauthorized");
}
