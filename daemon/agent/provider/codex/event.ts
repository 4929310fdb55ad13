import { z } from "zod";
import type { ModelEvent } from "#daemon/agent/model.ts";
import type { TokenCounts } from "#protocol/codex-item.ts";
import { brokenStream, failedResponse, fatalFailure } from "./failure.ts";

const count = z.number().int().catch(0).default(0);
const usageSchema = z.looseObject({
	input_tokens: count,
	input_tokens_details: z.looseObject({ cached_tokens: count, cache_write_tokens: count }).nullish(),
	output_tokens: count,
	output_tokens_details: z.looseObject({ reasoning_tokens: count }).nullish(),
	total_tokens: count,
});

/** The members without which an item of a known kind is no such item; one of an unknown kind is kept as it is. */
const call = { id: z.string().nullish(), call_id: z.string(), name: z.string() };
const itemSchema = z.looseObject({ type: z.string() });
const KNOWN_ITEMS: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
	["message", z.looseObject({ id: z.string().nullish() })],
	["reasoning", z.looseObject({ id: z.string().nullish() })],
	["function_call", z.looseObject({ ...call, arguments: z.string() })],
	["custom_tool_call", z.looseObject({ ...call, input: z.string() })],
]);
const openItemSchema = z.looseObject({ type: z.string(), id: z.string(), phase: z.string().nullish() });
const textDelta = z.looseObject({ item_id: z.string(), delta: z.string() });
const summaryPart = z.looseObject({ item_id: z.string(), summary_index: z.int() });
const summaryDelta = summaryPart.extend({ delta: z.string() });
const rawDelta = textDelta.extend({ content_index: z.int() });
const errorSchema = z.looseObject({ code: z.string().nullish(), message: z.string().nullish() });
const failedSchema = z.looseObject({ response: z.looseObject({ error: errorSchema.nullish() }) });
const incompleteSchema = z.looseObject({
	response: z.looseObject({ incomplete_details: z.looseObject({ reason: z.string().nullish() }).nullish() }),
});
const completedSchema = z.looseObject({
	response: z.looseObject({ id: z.string().nullish().catch(null), usage: usageSchema.nullish() }),
});

function tokenCounts(usage: z.infer<typeof usageSchema>): TokenCounts {
	return {
		totalTokens: usage.total_tokens,
		inputTokens: usage.input_tokens,
		cachedInputTokens: usage.input_tokens_details?.cached_tokens ?? 0,
		cacheWriteInputTokens: usage.input_tokens_details?.cache_write_tokens ?? 0,
		outputTokens: usage.output_tokens,
		reasoningOutputTokens: usage.output_tokens_details?.reasoning_tokens ?? 0,
	};
}

type Reader = (event: unknown) => ModelEvent | null;

/** What we read, by the event's type; all others are passed over, as an API grows. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
	[
		"response.output_item.added",
		(event) => {
			const { item } = z.looseObject({ item: openItemSchema.partial({ id: true }) }).parse(event);
			if (item.id === undefined || (item.type !== "message" && item.type !== "reasoning")) return null;
			return { type: "item_started", item: { id: item.id, kind: item.type, phase: item.phase ?? null } };
		},
	],
	[
		"response.output_text.delta",
		(event) => {
			const { item_id: itemId, delta } = textDelta.parse(event);
			return { type: "text_delta", itemId, delta };
		},
	],
	[
		"response.reasoning_summary_part.added",
		(event) => {
			const { item_id: itemId, summary_index: summaryIndex } = summaryPart.parse(event);
			return { type: "reasoning_part", itemId, summaryIndex };
		},
	],
	[
		"response.reasoning_summary_text.delta",
		(event) => {
			const { item_id: itemId, summary_index: summaryIndex, delta } = summaryDelta.parse(event);
			return { type: "reasoning_delta", itemId, summaryIndex, delta };
		},
	],
	[
		"response.reasoning_text.delta",
		(event) => {
			const { item_id: itemId, content_index: contentIndex, delta } = rawDelta.parse(event);
			return { type: "reasoning_text_delta", itemId, contentIndex, delta };
		},
	],
	[
		"response.output_item.done",
		(event) => {
			const { item } = z.looseObject({ item: itemSchema }).parse(event);
			KNOWN_ITEMS.get(item.type)?.parse(item);
			return { type: "item_done", item };
		},
	],
	[
		"response.completed",
		(event) => {
			const { id, usage } = completedSchema.parse(event).response;
			return { type: "completed", usage: usage ? tokenCounts(usage) : null, responseId: id ?? null };
		},
	],
	[
		"response.failed",
		(event) => {
			const { error } = failedSchema.parse(event).response;
			if (!error) return { type: "failed", failure: brokenStream("response.failed event received") };
			return { type: "failed", failure: failedResponse(error.code ?? "", error.message ?? "") };
		},
	],
	[
		"response.incomplete",
		(event) => {
			const reason = incompleteSchema.parse(event).response.incomplete_details?.reason ?? "unknown";
			return { type: "failed", failure: fatalFailure(`Incomplete response returned, reason: ${reason}`) };
		},
	],
	[
		"error",
		(event) => {
			const { error } = z.looseObject({ error: errorSchema.optional() }).parse(event);
			const { code, message } = error ?? errorSchema.parse(event);
			return { type: "failed", failure: failedResponse(code ?? "", message ?? "") };
		},
	],
]);

/** Deeper values than any item needs; far deeper ones could be neither sent to the store nor written as JSON again. */
const DEPTH_MAX = 128;
const LONE_SURROGATE = /\\u[dD][89a-fA-F]/u;

function isDeeper(value: unknown, levels: number): boolean {
	if (typeof value !== "object" || value === null) return false;
	if (levels === 0) return true;
	return Object.values(value).some((member) => isDeeper(member, levels - 1));
}

/** Whether the event can be kept and told as it is. */
function isSound(data: string, event: unknown): boolean {
	if (isDeeper(event, DEPTH_MAX)) return false;
	// Pairs come back as characters, so what is still escaped has no partner (an escaped backslash is no escape).
	return !LONE_SURROGATE.test(data) || !LONE_SURROGATE.test(JSON.stringify(event).replaceAll("\\\\", ""));
}

/**
 * Reads one event's JSON; null for events that say nothing to us. One that cannot be read is passed over, as Codex does:
 * the end of the stream shows whether it is missed. A completion that cannot be read is a broken stream.
 */
export function parseModelEvent(data: string): ModelEvent | null {
	let type: string | undefined;
	try {
		const event: unknown = JSON.parse(data);
		if (!isSound(data, event)) return null;
		type = z.looseObject({ type: z.string() }).parse(event).type;
		return READERS.get(type)?.(event) ?? null;
	} catch {
		if (type !== "response.completed") return null;
		return { type: "failed", failure: brokenStream("failed to parse ResponseCompleted") };
	}
}
