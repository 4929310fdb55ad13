import { z } from "zod";
import { defineMethod } from "../define.ts";
import { questionSchema, threadSchema } from "../record.ts";

const threadId = z.string().min(1).max(100);
const threadResult = z.looseObject({ thread: threadSchema });
const turnResult = z.looseObject({ thread_id: z.string(), turn_id: z.string() });

export const chatFork = defineMethod({
	name: "chat.fork",
	summary: "Makes a new thread with the turns of another, up to and including one of them.",
	scope: "chat.write",
	params: z.strictObject({
		thread_id: threadId,
		/** All ended turns when absent. */
		last_turn_id: z.string().min(1).max(100).optional(),
	}),
	result: threadResult,
	errors: ["THREAD_NOT_FOUND", "TURN_NOT_FOUND"],
	mutates: true,
});

export const chatCompact = defineMethod({
	name: "chat.compact",
	summary:
		"Starts a turn that replaces the model's history of the thread by a summary; the turns stay readable.",
	scope: "chat.write",
	params: z.strictObject({ thread_id: threadId }),
	result: turnResult,
	errors: ["THREAD_NOT_FOUND", "BUSY", "CONFLICT"],
	mutates: true,
});

export const chatReview = defineMethod({
	name: "chat.review",
	summary:
		"Starts a turn that reviews changes: those not committed, against a branch, of a commit, or as told.",
	scope: "chat.write",
	params: z.strictObject({
		thread_id: threadId,
		/** Codex `ReviewTarget`: {type: "uncommittedChanges"}, {type: "baseBranch", branch}, {type: "commit", sha, title}, {type: "custom", instructions}. */
		target: z.looseObject({ type: z.string().max(64) }),
	}),
	result: turnResult.extend({ prompt: z.string(), hint: z.string() }),
	errors: ["THREAD_NOT_FOUND", "BUSY", "CONFLICT", "INVALID_PARAMS"],
	mutates: true,
});

export const chatRollback = defineMethod({
	name: "chat.rollback",
	summary: "Takes the newest turns out of a thread and out of what its model knows; files stay as they are.",
	scope: "chat.write",
	params: z.strictObject({ thread_id: threadId, turns: z.int().min(1).max(100_000).default(1) }),
	result: threadResult,
	errors: ["THREAD_NOT_FOUND", "BUSY"],
	mutates: true,
});

export const chatShell = defineMethod({
	name: "chat.shell",
	summary:
		"Runs a person's own command in a thread's folder, outside the sandbox and without asking; the model reads what it said.",
	// It may do what a terminal may, so a grant for conversations alone does not cover it.
	scope: "terminal.write",
	params: z.strictObject({
		thread_id: threadId,
		command: z
			.string()
			.min(1)
			.max(64 * 1024),
	}),
	/** The command's own turn, or the running one that it went into. */
	result: turnResult,
	errors: ["THREAD_NOT_FOUND", "BUSY", "CONFLICT", "INVALID_PARAMS"],
	mutates: true,
});

export const chatDelete = defineMethod({
	name: "chat.delete",
	summary: "Deletes a thread for good; the audit of what it did stays.",
	scope: "chat.write",
	params: z.strictObject({ thread_id: threadId }),
	result: z.looseObject({ thread_id: z.string() }),
	errors: ["THREAD_NOT_FOUND", "BUSY"],
	mutates: true,
});

export const chatQuestionList = defineMethod({
	name: "chat.question.list",
	summary: "Lists what agents and servers ask the person and wait for, first asked first.",
	scope: "chat.read",
	params: z.strictObject({ thread_id: threadId.optional() }),
	result: z.looseObject({ questions: z.array(questionSchema) }),
	errors: [],
	mutates: false,
});

export const chatQuestionRespond = defineMethod({
	name: "chat.question.respond",
	summary: "Answers a question; the first valid answer wins, whoever gives it.",
	scope: "approval.answer",
	params: z.strictObject({
		question_id: z.string().min(1).max(100),
		/** As a Codex client answers that kind of request; left out with `error`. */
		result: z.unknown().optional(),
		/** Instead of a result: why there is none. */
		error: z.string().min(1).max(4096).optional(),
	}),
	result: z.looseObject({ question: questionSchema }),
	errors: ["QUESTION_NOT_FOUND", "INVALID_PARAMS"],
	mutates: true,
});

/** What is done to threads beside talking to them. */
export const chatTaskMethods = [
	chatFork,
	chatCompact,
	chatReview,
	chatRollback,
	chatShell,
	chatDelete,
	chatQuestionList,
	chatQuestionRespond,
] as const;
