import { z } from "zod";
import type { NewId } from "#base/id.ts";
import type { ModelEvent, ModelFailure } from "#daemon/agent/model.ts";
import type { TokenCounts } from "#protocol/codex-item.ts";
import { brokenStream, fatalFailure } from "../codex/failure.ts";
import { contextFull, incompleteFailure, overloaded, saysTooLong } from "../wire/failure.ts";
import type { WireTool } from "../wire/tools.ts";
import { createBlocks } from "./blocks.ts";

const count = z.number().int().nullish().catch(null);
const usageSchema = z.looseObject({
	input_tokens: count,
	cache_read_input_tokens: count,
	cache_creation_input_tokens: count,
	output_tokens: count,
	output_tokens_details: z.looseObject({ thinking_tokens: count }).nullish().catch(null),
});
type Usage = z.infer<typeof usageSchema>;

const eventSchema = z.looseObject({ type: z.string() });
const startSchema = z.looseObject({
	message: z.looseObject({ id: z.string().nullish(), usage: usageSchema.nullish() }),
});
const messageDeltaSchema = z.looseObject({
	delta: z.looseObject({ stop_reason: z.string().nullish() }).nullish(),
	usage: usageSchema.nullish(),
});
const errorSchema = z.looseObject({
	error: z.looseObject({ type: z.string().catch(""), message: z.string().catch("") }),
});

function tokenCounts(usage: Usage): TokenCounts {
	const cached = usage.cache_read_input_tokens ?? 0;
	const written = usage.cache_creation_input_tokens ?? 0;
	const input = (usage.input_tokens ?? 0) + cached + written;
	const output = usage.output_tokens ?? 0;
	return {
		totalTokens: input + output,
		inputTokens: input,
		cachedInputTokens: cached,
		cacheWriteInputTokens: written,
		outputTokens: output,
		reasoningOutputTokens: usage.output_tokens_details?.thinking_tokens ?? 0,
	};
}

function errorFailure(type: string, message: string): ModelFailure {
	if (type === "overloaded_error") return overloaded(message, null);
	if (type === "invalid_request_error" && saysTooLong(message)) return contextFull(message);
	if (type === "authentication_error" || type === "permission_error")
		return fatalFailure(message, "unauthorized");
	if (type === "invalid_request_error") return fatalFailure(message, "badRequest");
	return {
		...brokenStream(message === "" ? type || "an error of the model's side" : message),
		codexErrorInfo: "other",
	};
}

/** What a stop reason means where it is no plain end; null: completed. */
function stopFailure(reason: string | null, said: boolean): ModelFailure | null {
	if (reason === "max_tokens") return incompleteFailure("max_output_tokens");
	if (reason === "model_context_window_exceeded") return contextFull("");
	if (reason === "refusal" && !said) return fatalFailure("The model declined to answer.");
	return null;
}

/** Reads the events of one response, in order. */
export interface ClaudeReader {
	/** What an event means; ends with `completed` or `failed`. */
	push(data: string): ModelEvent[];
	/** The stream ended without another event. */
	end(): ModelEvent[];
}

/** Reads Messages API events. Blocks are kept whole: what is not text or a call goes back as it came. */
export function createClaudeReader(tools: readonly WireTool[], newId: NewId): ClaudeReader {
	const blocks = createBlocks(tools, newId);
	let usage: Usage | null = null;
	let stopReason: string | null = null;
	let responseId: string | null = null;

	function completion(): ModelEvent[] {
		const failure = stopFailure(stopReason, blocks.said);
		if (failure !== null) return [{ type: "failed", failure }];
		return [
			...blocks.takeCut(),
			{ type: "completed", usage: usage === null ? null : tokenCounts(usage), responseId },
		];
	}

	function read(event: { type: string }): ModelEvent[] {
		switch (event.type) {
			case "message_start": {
				const { message } = startSchema.parse(event);
				responseId = message.id ?? null;
				usage = message.usage ?? null;
				return [];
			}
			case "content_block_start":
				return blocks.start(event);
			case "content_block_delta":
				return blocks.delta(event);
			case "content_block_stop":
				return blocks.stop(event);
			case "message_delta": {
				const { delta, usage: more } = messageDeltaSchema.parse(event);
				stopReason = delta?.stop_reason ?? stopReason;
				// Later counts replace earlier ones; those that are not told again stay.
				const told = Object.entries(more ?? {}).filter(([, value]) => value != null);
				if (told.length > 0) usage = usageSchema.parse({ ...usage, ...Object.fromEntries(told) });
				return [];
			}
			case "message_stop":
				return completion();
			case "error": {
				const { error } = errorSchema.parse(event);
				return [{ type: "failed", failure: errorFailure(error.type, error.message) }];
			}
			default:
				return [];
		}
	}

	return {
		push(data) {
			try {
				return read(eventSchema.parse(JSON.parse(data)));
			} catch {
				return [{ type: "failed", failure: brokenStream("an event could not be read") }];
			}
		},
		end() {
			if (stopReason !== null) return completion();
			return [{ type: "failed", failure: brokenStream("stream closed before message_stop") }];
		},
	};
}
