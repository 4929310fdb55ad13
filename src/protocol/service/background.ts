import { z } from "zod";
import { defineMethod } from "../define.ts";

export const chatBackgroundWrite = defineMethod({
	name: "chat.background.write",
	summary:
		"Has a small model write a commit message for a diff, or a summary of a conversation; null when none could be had.",
	scope: "chat.write",
	params: z.strictObject({
		purpose: z.enum(["commit_message", "summary"]),
		/** The diff, or the conversation; only its start and end are read when it is long. */
		text: z.string().min(1).max(1_000_000),
		provider: z.string().max(100).optional(),
	}),
	result: z.looseObject({ text: z.string().nullable() }),
	errors: [],
	mutates: false,
});

export const backgroundMethods = [chatBackgroundWrite] as const;
