import { z } from "zod";

/**
 * Items of a turn in the shapes of the Codex app-server (camelCase inside; reference: codex app-server 0.169.0).
 * Loose: a newer Codex may add members and item types.
 */
const timing = {
	startedAtMs: z.number().nullable().optional(),
	completedAtMs: z.number().nullable().optional(),
};

export const textInputSchema = z.looseObject({ type: z.literal("text"), text: z.string() });

export const userMessageItemSchema = z.looseObject({
	type: z.literal("userMessage"),
	id: z.string(),
	clientId: z.string().nullable(),
	content: z.array(textInputSchema),
	...timing,
});
export const agentMessageItemSchema = z.looseObject({
	type: z.literal("agentMessage"),
	id: z.string(),
	text: z.string(),
	phase: z.string().nullable(),
	...timing,
});
export const reasoningItemSchema = z.looseObject({
	type: z.literal("reasoning"),
	id: z.string(),
	summary: z.array(z.string()),
	content: z.array(z.string()),
	...timing,
});
export const commandStatusSchema = z.enum([
	"inProgress",
	"completed",
	"failed",
	"declined",
	"outcomeUnknown",
]);
export const commandExecutionItemSchema = z.looseObject({
	type: z.literal("commandExecution"),
	id: z.string(),
	command: z.string(),
	cwd: z.string(),
	processId: z.string().nullable(),
	source: z.string(),
	status: commandStatusSchema,
	commandActions: z.array(z.looseObject({ type: z.string(), command: z.string() })),
	aggregatedOutput: z.string().nullable(),
	exitCode: z.int().nullable(),
	durationMs: z.number().nullable(),
	...timing,
});
export const fileUpdateSchema = z.looseObject({
	path: z.string(),
	kind: z.looseObject({
		type: z.enum(["add", "delete", "update"]),
		move_path: z.string().nullable().optional(),
	}),
	diff: z.string(),
});
export const fileChangeItemSchema = z.looseObject({
	type: z.literal("fileChange"),
	id: z.string(),
	changes: z.array(fileUpdateSchema),
	status: commandStatusSchema,
	...timing,
});

export const itemSchema = z.discriminatedUnion("type", [
	userMessageItemSchema,
	agentMessageItemSchema,
	reasoningItemSchema,
	commandExecutionItemSchema,
	fileChangeItemSchema,
]);
export type Item = z.infer<typeof itemSchema>;
export type UserMessageItem = z.infer<typeof userMessageItemSchema>;
export type AgentMessageItem = z.infer<typeof agentMessageItemSchema>;
export type ReasoningItem = z.infer<typeof reasoningItemSchema>;
export type CommandExecutionItem = z.infer<typeof commandExecutionItemSchema>;
export type FileChangeItem = z.infer<typeof fileChangeItemSchema>;

const tokenCountsSchema = z.looseObject({
	totalTokens: z.int(),
	inputTokens: z.int(),
	cachedInputTokens: z.int(),
	cacheWriteInputTokens: z.int(),
	outputTokens: z.int(),
	reasoningOutputTokens: z.int(),
});
export const tokenUsageSchema = z.looseObject({
	total: tokenCountsSchema,
	last: tokenCountsSchema,
	modelContextWindow: z.int().nullable(),
});
export type TokenCounts = z.infer<typeof tokenCountsSchema>;
export type TokenUsage = z.infer<typeof tokenUsageSchema>;

export const turnErrorSchema = z.looseObject({
	message: z.string(),
	codexErrorInfo: z.unknown(),
	additionalDetails: z.string().nullable(),
});
export type TurnError = z.infer<typeof turnErrorSchema>;
