import type { z } from "zod";
import type { RolloutLibrary } from "#daemon/agent/rollout/port.ts";
import type { CodexRunner } from "#daemon/agent/runner/runner.ts";
import type { chatExport, chatImport } from "#protocol/service/rollout.ts";

type ImportResult = z.output<typeof chatImport.result>;
type ExportResult = z.output<typeof chatExport.result>;

const NOTHING = { files: 0, added: 0, updated: 0, skipped: [], skipped_count: 0 };

/** Handlers of `chat.import` and `chat.export`. */
export function createRolloutHandlers({
	library,
	runner,
}: {
	library: RolloutLibrary;
	runner: Pick<CodexRunner, "readThread">;
}): {
	readonly "chat.import": (params: z.output<typeof chatImport.params>) => Promise<ImportResult>;
	readonly "chat.export": (params: z.output<typeof chatExport.params>) => Promise<ExportResult>;
} {
	return {
		async "chat.import"({ path }) {
			if (path !== undefined) {
				const { threadId, skippedLines } = await library.importFile(path);
				const { thread } = runner.readThread({ thread_id: threadId, limit: 1 });
				return { ...NOTHING, files: 1, thread, skipped_lines: skippedLines };
			}
			const { files, added, updated, skipped, skippedCount } = await library.scan();
			const reasons = skipped.map((entry) => ({ ...entry }));
			return {
				...{ thread: null, skipped_lines: 0, files, added, updated },
				...{ skipped: reasons, skipped_count: skippedCount },
			};
		},
		async "chat.export"({ thread_id, out }) {
			const { path } = await library.export(thread_id, { out });
			return { thread_id, path };
		},
	};
}
