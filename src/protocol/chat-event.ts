import { z } from "zod";
import { itemSchema, planStepSchema, tokenUsageSchema, turnErrorSchema } from "./codex-item.ts";
import { approvalSchema, questionSchema, threadSchema, turnSchema } from "./record.ts";

/**
 * What happens in a thread, in order; the payloads of topic `chats.activity:<thread_id>` and the lines of `exec --json`.
 * Text deltas of one item concatenate to its final text; `item.completed` is authoritative.
 */
const inTurn = { thread_id: z.string(), turn_id: z.string() };
const ofItem = { ...inTurn, item_id: z.string() };

export const chatEventSchema = z.discriminatedUnion("type", [
	z.looseObject({ type: z.literal("chat.turn.started"), ...inTurn, turn: turnSchema }),
	/** `turn.items` is empty here: items came by their own events. */
	z.looseObject({ type: z.literal("chat.turn.completed"), ...inTurn, turn: turnSchema }),
	z.looseObject({ type: z.literal("chat.item.started"), ...ofItem, item: itemSchema }),
	z.looseObject({ type: z.literal("chat.item.completed"), ...ofItem, item: itemSchema }),
	z.looseObject({ type: z.literal("chat.message.delta"), ...ofItem, delta: z.string() }),
	z.looseObject({
		type: z.literal("chat.reasoning.delta"),
		...ofItem,
		delta: z.string(),
		summary_index: z.int(),
	}),
	/** A new paragraph of the reasoning's summary begins. */
	z.looseObject({ type: z.literal("chat.reasoning.part"), ...ofItem, summary_index: z.int() }),
	/** Raw reasoning, where the provider shows it and config.toml asks for it. */
	z.looseObject({
		type: z.literal("chat.reasoning.raw"),
		...ofItem,
		delta: z.string(),
		content_index: z.int(),
	}),
	z.looseObject({
		type: z.literal("chat.plan.updated"),
		...inTurn,
		explanation: z.string().nullable(),
		plan: z.array(planStepSchema),
	}),
	/** Text of an open `plan` item. */
	z.looseObject({ type: z.literal("chat.plan.delta"), ...ofItem, delta: z.string() }),
	/** Input that the model wrote to a running command. */
	z.looseObject({
		type: z.literal("chat.command.input"),
		...ofItem,
		process_id: z.string(),
		stdin: z.string(),
	}),
	z.looseObject({ type: z.literal("chat.question.required"), ...ofItem, question: questionSchema }),
	z.looseObject({ type: z.literal("chat.question.resolved"), ...ofItem, question: questionSchema }),
	/** A Codex notification without a name of ours, whole: `params` in Codex's own shape, thread and turn ids included. */
	z.looseObject({
		type: z.literal("chat.codex"),
		...inTurn,
		method: z.string(),
		params: z.looseObject({}),
	}),
	z.looseObject({ type: z.literal("chat.command.output"), ...ofItem, delta: z.string() }),
	z.looseObject({ type: z.literal("chat.diff.updated"), ...inTurn, diff: z.string() }),
	z.looseObject({ type: z.literal("chat.usage.updated"), ...inTurn, usage: tokenUsageSchema }),
	z.looseObject({ type: z.literal("chat.approval.required"), ...ofItem, approval: approvalSchema }),
	z.looseObject({ type: z.literal("chat.approval.resolved"), ...ofItem, approval: approvalSchema }),
	/** `will_retry`: the turn goes on by itself. */
	z.looseObject({
		type: z.literal("chat.error"),
		...inTurn,
		error: turnErrorSchema,
		will_retry: z.boolean(),
	}),
]);
export type ChatEvent = z.infer<typeof chatEventSchema>;

/** Snapshot of `chats.activity:<thread_id>`: everything a client that comes late needs to show what others see. */
export const chatSnapshotSchema = z.looseObject({
	thread: threadSchema,
	/** The newest turns, oldest first, their items included (an open item carries its partial text); older ones by `chat.thread.read`. */
	turns: z.array(turnSchema),
	has_more: z.boolean(),
	/** Pending approvals of this thread, first asked first. */
	approvals: z.array(approvalSchema),
	/** Open questions of this thread, first asked first. */
	questions: z.array(questionSchema).optional(),
});
export type ChatSnapshot = z.infer<typeof chatSnapshotSchema>;
