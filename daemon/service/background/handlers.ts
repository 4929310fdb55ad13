import type { z } from "zod";
import type { BackgroundRunner } from "#daemon/agent/background/background-runner.ts";
import { writeCommitMessage, writeSummary } from "#daemon/agent/background/tasks.ts";
import type { chatBackgroundWrite } from "#protocol/service/background.ts";

type Params = z.output<typeof chatBackgroundWrite.params>;
type Result = z.output<typeof chatBackgroundWrite.result>;

/** Handlers of `chat.background.*`. */
export function createBackgroundHandlers({ background }: { background: BackgroundRunner }): {
	readonly "chat.background.write": (params: Params) => Promise<Result>;
} {
	return {
		async "chat.background.write"({ purpose, text, provider = null }) {
			const written =
				purpose === "summary"
					? await writeSummary(background, { text, provider })
					: await writeCommitMessage(background, { diff: text, provider });
			return { text: written };
		},
	};
}
