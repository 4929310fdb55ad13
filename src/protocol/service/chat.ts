import { z } from "zod";
import { defineMethod } from "../define.ts";
import {
	approvalDecisionSchema,
	approvalPolicySchema,
	approvalSchema,
	questionSchema,
	runnerKindSchema,
	sandboxModeSchema,
	threadSchema,
	threadSettingsSchema,
	turnSchema,
} from "../record.ts";
import { chatTaskMethods } from "./chat-task.ts";

const threadId = z.string().min(1).max(100);
const threadRef = z.strictObject({ thread_id: threadId });
const threadResult = z.looseObject({ thread: threadSchema });
const text = z
	.string()
	.min(1)
	.max(1024 * 1024);
/** Made by the client, stored before the ack, echoed as the user item's clientId. */
const clientMessageId = z.string().min(1).max(200);

export const chatCreate = defineMethod({
	name: "chat.create",
	summary: "Starts a thread: an agent with a working folder, a provider and an approval policy.",
	scope: "chat.write",
	params: z.strictObject({
		cwd: z.string().min(1).max(4096),
		agent_name: z.string().max(64).optional(),
		title: z.string().max(200).optional(),
		provider: z.string().max(64).optional(),
		model: z.string().max(200).optional(),
		approval_policy: approvalPolicySchema.optional(),
		sandbox: sandboxModeSchema.optional(),
		/** Allow-listed variables of the creating client (contracts.md 5); others are dropped. */
		env: z.record(z.string(), z.string()).optional(),
		/** Who runs its turns: the daemon itself, or the real `codex app-server`; HOMIE_AGENT_BACKEND when left out. */
		runner: runnerKindSchema.optional(),
	}),
	result: threadResult,
	errors: ["AGENT_NAME_TAKEN", "CONFIG_INVALID"],
	mutates: true,
});

export const chatList = defineMethod({
	name: "chat.list",
	summary: "Lists threads, newest activity first.",
	scope: "chat.read",
	params: z.strictObject({
		archived: z.boolean().default(false),
		limit: z.int().min(1).max(1000).default(100),
		cursor: z.string().max(200).optional(),
	}),
	result: z.looseObject({ threads: z.array(threadSchema), next_cursor: z.string().nullable() }),
	errors: [],
	mutates: false,
});

export const chatThreadRead = defineMethod({
	name: "chat.thread.read",
	summary: "Reads a thread with its turns and items, oldest first; pages backwards with `before_turn_id`.",
	scope: "chat.read",
	params: z.strictObject({
		thread_id: threadId,
		limit: z.int().min(1).max(1000).default(100),
		before_turn_id: z.string().max(100).optional(),
	}),
	result: z.looseObject({
		thread: threadSchema,
		turns: z.array(turnSchema),
		has_more: z.boolean(),
		approvals: z.array(approvalSchema),
		/** Open questions of this thread, first asked first. */
		questions: z.array(questionSchema).optional(),
	}),
	errors: ["THREAD_NOT_FOUND"],
	mutates: false,
});

export const chatMessageSend = defineMethod({
	name: "chat.message.send",
	summary:
		"Sends a message: starts a turn, or with `queue` waits for the running one to end. The ack means it is stored.",
	scope: "chat.write",
	params: z.strictObject({
		thread_id: threadId,
		text,
		client_message_id: clientMessageId.optional(),
		/** What to do while a turn runs: steer it (default), or wait for the next turn. */
		when_busy: z.enum(["steer", "queue"]).default("steer"),
		model: z.string().max(200).optional(),
		approval_policy: approvalPolicySchema.optional(),
		sandbox: sandboxModeSchema.optional(),
	}),
	result: z.looseObject({
		thread_id: z.string(),
		turn_id: z.string(),
		delivery: z.enum(["started", "steered", "queued"]),
	}),
	errors: ["THREAD_NOT_FOUND", "CONFLICT"],
	mutates: true,
});

export const chatSteer = defineMethod({
	name: "chat.steer",
	summary: "Adds a message to the running turn; refused when that turn is no longer active.",
	scope: "chat.write",
	params: z.strictObject({
		thread_id: threadId,
		expected_turn_id: z.string().max(100),
		text,
		client_message_id: clientMessageId.optional(),
	}),
	result: z.looseObject({ thread_id: z.string(), turn_id: z.string() }),
	errors: ["THREAD_NOT_FOUND", "TURN_NOT_ACTIVE"],
	mutates: true,
});

export const chatCancel = defineMethod({
	name: "chat.cancel",
	summary:
		"Interrupts the running turn with the commands it started, or takes back the message that waits for the turn named.",
	scope: "chat.write",
	params: z.strictObject({
		thread_id: threadId,
		turn_id: z.string().max(100).optional(),
		/** Commands that the turn started run on; otherwise they end with it. */
		keep_commands: z.boolean().default(false),
	}),
	result: z.looseObject({ thread_id: z.string(), turn_id: z.string() }),
	errors: ["THREAD_NOT_FOUND", "TURN_NOT_ACTIVE"],
	mutates: true,
});

export const chatApprovalList = defineMethod({
	name: "chat.approval.list",
	summary: "Lists approvals, first asked first; by default those that wait.",
	scope: "chat.read",
	params: z.strictObject({ thread_id: threadId.optional(), all: z.boolean().default(false) }),
	result: z.looseObject({ approvals: z.array(approvalSchema) }),
	errors: [],
	mutates: false,
});

export const chatApprovalRespond = defineMethod({
	name: "chat.approval.respond",
	summary: "Answers an approval; the first valid answer wins, whoever gives it.",
	scope: "approval.answer",
	params: z.strictObject({
		approval_id: z.string().min(1).max(100),
		decision: approvalDecisionSchema,
		/** Of what was shown; a mismatch is refused. */
		digest: z.string().max(200),
		/** The explicit word, for destructive classes. */
		confirm: z.string().max(100).optional(),
		/** With `accept`: allow this prefix of argv words from now on: the one that the approval proposed. */
		allow_prefix: z.array(z.string().max(4096)).min(1).max(64).optional(),
	}),
	result: z.looseObject({ approval: approvalSchema }),
	errors: [
		"APPROVAL_NOT_FOUND",
		"APPROVAL_ALREADY_RESOLVED",
		"APPROVAL_EXPIRED",
		"APPROVAL_DIGEST_MISMATCH",
		"INVALID_PARAMS",
	],
	mutates: true,
});

const providerInfoSchema = z.looseObject({
	name: z.string(),
	label: z.string(),
	usable: z.boolean(),
	/** How it is reached or what is missing; no secrets. */
	detail: z.string(),
	/** Tools it is never offered, and whether it may call several at once and see pictures; null: as its models say. */
	tools: z
		.looseObject({ denied: z.array(z.string()), parallel_calls: z.boolean(), images: z.boolean() })
		.nullable(),
});

export const chatSettingsRead = defineMethod({
	name: "chat.settings.read",
	summary: "Reads a thread's settings.",
	scope: "chat.read",
	params: threadRef,
	result: z.looseObject({
		provider: z.string(),
		model: z.string().nullable(),
		approval_policy: approvalPolicySchema,
		sandbox: sandboxModeSchema,
		agent_name: z.string(),
		settings: threadSettingsSchema.optional(),
		provider_info: providerInfoSchema.optional(),
	}),
	errors: ["THREAD_NOT_FOUND"],
	mutates: false,
});

export const chatSettingsUpdate = defineMethod({
	name: "chat.settings.update",
	summary: "Changes a thread's settings from the next turn on.",
	scope: "chat.write",
	params: z.strictObject({
		thread_id: threadId,
		model: z.string().max(200).optional(),
		/** How much the model reasons, by its own names; null: its default. */
		effort: z.string().min(1).max(64).nullable().optional(),
		approval_policy: approvalPolicySchema.optional(),
		sandbox: sandboxModeSchema.optional(),
		/** plan: the agent works out a plan with the person, may ask, and changes nothing. */
		mode: z.enum(["default", "plan"]).optional(),
		/** Who runs its turns from the next one on; its history goes along. null: the daemon's default. */
		runner: runnerKindSchema.nullable().optional(),
	}),
	result: threadResult,
	errors: ["THREAD_NOT_FOUND"],
	mutates: true,
});

export const chatArchive = defineMethod({
	name: "chat.archive",
	summary: "Puts a thread away; it can be read and resumed.",
	scope: "chat.write",
	params: threadRef,
	result: threadResult,
	errors: ["THREAD_NOT_FOUND", "BUSY"],
	mutates: true,
});

export const chatRename = defineMethod({
	name: "chat.rename",
	summary: "Sets a thread's title.",
	scope: "chat.write",
	params: z.strictObject({ thread_id: threadId, title: z.string().min(1).max(200) }),
	result: threadResult,
	errors: ["THREAD_NOT_FOUND"],
	mutates: true,
});

export const chatResume = defineMethod({
	name: "chat.resume",
	summary: "Takes an archived thread back into use; a no-op on one in use.",
	scope: "chat.write",
	params: threadRef,
	result: threadResult,
	errors: ["THREAD_NOT_FOUND"],
	mutates: true,
});

export const chatAccountRead = defineMethod({
	name: "chat.account.read",
	summary: "Says which provider and login would be used, and where they come from; no secrets.",
	scope: "chat.read",
	params: z.strictObject({}),
	result: z.looseObject({
		provider: z.string(),
		model: z.string().nullable(),
		login: z.enum(["none", "api_key", "chatgpt"]),
		codex_home: z.string(),
		detail: z.string(),
	}),
	errors: ["CONFIG_INVALID"],
	mutates: false,
});

export const chatModelList = defineMethod({
	name: "chat.model.list",
	summary: "Lists the models that threads can use here, of every provider.",
	scope: "chat.read",
	params: z.strictObject({}),
	result: z.looseObject({
		/** Of the default provider first, then of every other that can be used. */
		models: z.array(z.looseObject({ id: z.string(), provider: z.string(), is_default: z.boolean() })),
		/** Providers beside Codex's own, also those that lack a login. */
		providers: z.array(providerInfoSchema).optional(),
	}),
	errors: ["CONFIG_INVALID"],
	mutates: false,
});

export const chatMethods = [
	chatCreate,
	chatList,
	chatThreadRead,
	chatMessageSend,
	chatSteer,
	chatCancel,
	chatApprovalList,
	chatApprovalRespond,
	chatSettingsRead,
	chatSettingsUpdate,
	chatArchive,
	chatRename,
	chatResume,
	chatAccountRead,
	chatModelList,
	...chatTaskMethods,
] as const;
