import type { CodexRunner } from "#daemon/agent/runner/runner.ts";
import type { TitlePort } from "./titles.ts";

/** Enough to see whether the first completed turn is the only one. */
const TURNS_READ = 3;
const CALL = { label: "titles", clientId: "background", idempotency: undefined };

/** What naming threads needs, of a runner. */
export function titlePortOf(
	runner: Pick<CodexRunner, "onTurnEnded" | "readThread" | "renameThread">,
): TitlePort {
	return {
		onTurnEnded: (listener) => runner.onTurnEnded(listener),
		read: (threadId) => runner.readThread({ thread_id: threadId, limit: TURNS_READ }),
		async setTitle(threadId, title) {
			await runner.renameThread({ thread_id: threadId, title }, CALL);
		},
	};
}
