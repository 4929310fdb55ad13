import { z } from "zod";
import { defineMethod } from "../define.ts";
import { threadSchema } from "../record.ts";

const path = z.string().min(1).max(4096);

export const chatImport = defineMethod({
	name: "chat.import",
	summary: "Makes threads of the Codex CLI's own files: of one, or of all in the Codex home.",
	scope: "chat.write",
	params: z.strictObject({
		/** A rollout, by its absolute path; its thread is read whole. All new files of the Codex home when left out. */
		path: path.optional(),
	}),
	result: z.looseObject({
		/** The thread of the file named. */
		thread: threadSchema.nullable(),
		/** Lines of it that could not be read, or are of kinds that nobody here knows. */
		skipped_lines: z.int(),
		files: z.int(),
		added: z.int(),
		updated: z.int(),
		/** Files that nothing was made of, the first hundred, and how many they are. */
		skipped: z.array(z.looseObject({ path: z.string(), reason: z.string() })),
		skipped_count: z.int(),
	}),
	errors: ["NOT_FOUND", "INVALID_PARAMS", "BUSY", "CONFLICT"],
	mutates: true,
});

export const chatExport = defineMethod({
	name: "chat.export",
	summary: "Writes a thread as a file that the Codex CLI resumes, into the Codex home or where it is told.",
	scope: "chat.write",
	params: z.strictObject({
		thread_id: z.string().min(1).max(100),
		/** Absolute; a file that is there is never replaced. */
		out: path.optional(),
	}),
	result: z.looseObject({ thread_id: z.string(), path: z.string() }),
	errors: ["THREAD_NOT_FOUND", "INVALID_PARAMS", "BUSY", "CONFLICT"],
	mutates: true,
});

export const rolloutMethods = [chatImport, chatExport] as const;
