import { z } from "zod";

/**
 * Items of a turn in the shapes of the Codex app-server (camelCase inside; reference: codex app-server 0.169.0).
 * Loose: a newer Codex may add members and item types.
 */
const timing = {
	startedAtMs: z.number().nullable().optional(),
	completedAtMs: z.number().nullable().optional(),
};

/** A part of what a person sent: `text`, `image` {url}, `localImage` {path}, `skill`, `mention` {name, path}; others pass through. */
export const userInputSchema = z.looseObject({ type: z.string(), text: z.string().optional() });
export type UserInput = z.infer<typeof userInputSchema>;

export const userMessageItemSchema = z.looseObject({
	type: z.literal("userMessage"),
	id: z.string(),
	clientId: z.string().nullable(),
	content: z.array(userInputSchema),
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

/** The `<proposed_plan>` of a turn in plan mode. */
export const planItemSchema = z.looseObject({
	type: z.literal("plan"),
	id: z.string(),
	text: z.string(),
	...timing,
});
export const mcpToolCallItemSchema = z.looseObject({
	type: z.literal("mcpToolCall"),
	id: z.string(),
	server: z.string(),
	tool: z.string(),
	status: z.enum(["inProgress", "completed", "failed", "outcomeUnknown"]),
	arguments: z.unknown(),
	result: z.unknown(),
	error: z.looseObject({ message: z.string() }).nullable(),
	durationMs: z.number().nullable(),
	...timing,
});
/** A tool that a client brought. */
export const dynamicToolCallItemSchema = z.looseObject({
	type: z.literal("dynamicToolCall"),
	id: z.string(),
	namespace: z.string().nullable().optional(),
	tool: z.string(),
	arguments: z.unknown(),
	status: z.enum(["inProgress", "completed", "failed", "outcomeUnknown"]),
	contentItems: z.array(z.looseObject({ type: z.string() })).nullable(),
	success: z.boolean().nullable(),
	durationMs: z.number().nullable(),
	...timing,
});
export const imageViewItemSchema = z.looseObject({
	type: z.literal("imageView"),
	id: z.string(),
	path: z.string(),
	...timing,
});
export const webSearchItemSchema = z.looseObject({
	type: z.literal("webSearch"),
	id: z.string(),
	query: z.string(),
	action: z.unknown(),
	...timing,
});
export const reviewModeItemSchema = z.looseObject({
	type: z.enum(["enteredReviewMode", "exitedReviewMode"]),
	id: z.string(),
	review: z.string(),
	...timing,
});
export const contextCompactionItemSchema = z.looseObject({
	type: z.literal("contextCompaction"),
	id: z.string(),
	...timing,
});
/** An item of a type that we don't know, whole, so that nothing is lost on the way through. */
export const foreignItemSchema = z.looseObject({
	type: z.literal("foreign"),
	id: z.string(),
	payload: z.looseObject({ type: z.string(), id: z.string() }),
	...timing,
});

export const itemSchema = z.discriminatedUnion("type", [
	userMessageItemSchema,
	agentMessageItemSchema,
	reasoningItemSchema,
	commandExecutionItemSchema,
	fileChangeItemSchema,
	planItemSchema,
	mcpToolCallItemSchema,
	dynamicToolCallItemSchema,
	imageViewItemSchema,
	webSearchItemSchema,
	reviewModeItemSchema,
	contextCompactionItemSchema,
	foreignItemSchema,
]);
export type Item = z.infer<typeof itemSchema>;
export type McpToolCallItem = z.infer<typeof mcpToolCallItemSchema>;
export type DynamicToolCallItem = z.infer<typeof dynamicToolCallItemSchema>;
/** Items that a tool opens and closes. */
export type ToolItem =
	| CommandExecutionItem
	| FileChangeItem
	| McpToolCallItem
	| DynamicToolCallItem
	| z.infer<typeof imageViewItemSchema>
	| z.infer<typeof webSearchItemSchema>;
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

/** A step of the model's plan (update_plan). */
export const planStepSchema = z.looseObject({
	step: z.string(),
	status: z.enum(["pending", "inProgress", "completed"]),
});
export type PlanStep = z.infer<typeof planStepSchema>;
