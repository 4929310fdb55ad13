import { z } from "zod";
import type { NewId } from "#base/id.ts";
import type { ModelEvent, ModelFailure } from "#daemon/agent/model.ts";
import type { TokenCounts } from "#protocol/codex-item.ts";
import { brokenStream, failedResponse } from "../codex/failure.ts";
import { contextFull, incompleteFailure, overloaded, readErrorText, saysTooLong } from "../wire/failure.ts";
import type { WireTool } from "../wire/tools.ts";
import { callSchema, createOpenCalls } from "./calls.ts";
import { createSpeech } from "./speech.ts";

const count = z.number().int().nullish().catch(null);
const usageSchema = z.looseObject({
	prompt_tokens: count,
	completion_tokens: count,
	total_tokens: count,
	prompt_tokens_details: z.looseObject({ cached_tokens: count }).nullish().catch(null),
	completion_tokens_details: z.looseObject({ reasoning_tokens: count }).nullish().catch(null),
});
const messageSchema = z.looseObject({
	content: z
		.union([z.string(), z.array(z.unknown())])
		.nullish()
		.catch(null),
	tool_calls: z.array(callSchema).nullish().catch(null),
});
type Message = z.infer<typeof messageSchema>;
const chunkSchema = z.looseObject({
	id: z.string().nullish().catch(null),
	choices: z
		.array(
			z.looseObject({
				delta: messageSchema.nullish(),
				/** Servers that do not stream say the whole message at once. */
				message: messageSchema.nullish(),
				finish_reason: z.string().nullish().catch(null),
			}),
		)
		.nullish(),
	usage: usageSchema.nullish().catch(null),
	error: z.unknown().optional(),
});

/** Names under which servers tell thoughts. */
const THOUGHTS = ["reasoning_content", "reasoning", "reasoning_text", "thinking"] as const;
/** Members of a message that we have shapes for. */
const OWN_MEMBERS: ReadonlySet<string> = new Set(["role", "content", "tool_calls"]);
function tokenCounts(usage: z.infer<typeof usageSchema>): TokenCounts {
	const inputTokens = usage.prompt_tokens ?? 0;
	const outputTokens = usage.completion_tokens ?? 0;
	return {
		totalTokens: usage.total_tokens ?? inputTokens + outputTokens,
		inputTokens,
		cachedInputTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
		cacheWriteInputTokens: 0,
		outputTokens,
		reasoningOutputTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
	};
}

function textOf(content: Message["content"]): string {
	if (typeof content === "string") return content;
	if (!Array.isArray(content)) return "";
	return content
		.map((part) => z.looseObject({ text: z.string() }).safeParse(part))
		.map((part) => (part.success ? part.data.text : ""))
		.join("");
}

function errorFailure(raw: unknown): ModelFailure {
	const { message, type, code } = readErrorText(JSON.stringify({ error: raw }));
	if (code === "context_length_exceeded" || saysTooLong(message)) return contextFull(message);
	if (code === "503" || code === "529" || type === "overloaded_error") return overloaded(message, null);
	return failedResponse(code || type, message);
}

function stopFailure(reason: string | null): ModelFailure | null {
	if (reason === "length") return incompleteFailure("max_output_tokens");
	if (reason === "content_filter") return incompleteFailure("content_filter");
	return null;
}

/** Reads the chunks of one response, in order. */
export interface ChatReader {
	/** What a chunk means; `[DONE]` ends the response. */
	push(data: string): ModelEvent[];
	/** The stream ended; what was finished by then counts. */
	end(): ModelEvent[];
	/** True once the server said why it stopped: what comes after is only usage. */
	readonly isFinished: boolean;
}

type Chunk = z.infer<typeof chunkSchema>;

function parseChunk(data: string): Chunk | null {
	try {
		return chunkSchema.parse(JSON.parse(data));
	} catch {
		return null;
	}
}

export function createChatReader(tools: readonly WireTool[], newId: NewId): ChatReader {
	const calls = createOpenCalls(newId);
	const speech = createSpeech(newId);
	let usage: TokenCounts | null = null;
	let finish: string | null = null;
	let responseId: string | null = null;
	let ended = false;

	function read(part: Message): ModelEvent[] {
		const thought = THOUGHTS.find((name) => typeof part[name] === "string");
		for (const [name, value] of Object.entries(part)) if (!OWN_MEMBERS.has(name)) speech.keep(name, value);
		const events = thought === undefined ? [] : speech.think(String(part[thought]));
		events.push(...speech.say(textOf(part.content)));
		for (const piece of part.tool_calls ?? []) calls.add(piece);
		return events;
	}

	function end(): ModelEvent[] {
		if (ended) return [];
		ended = true;
		if (finish === null) return [{ type: "failed", failure: brokenStream("stream closed before its end") }];
		const failure = stopFailure(finish);
		// Text counts as far as it came; calls that were cut do not.
		if (failure !== null) calls.drop();
		const events = speech.closeThoughts();
		const items = [...speech.finish(calls.count > 0), ...calls.items(tools)];
		events.push(...items.map((item): ModelEvent => ({ type: "item_done", item })));
		events.push(failure === null ? { type: "completed", usage, responseId } : { type: "failed", failure });
		return events;
	}

	function take(chunk: Chunk): ModelEvent[] {
		responseId ??= chunk.id ?? null;
		if (chunk.usage) usage = tokenCounts(chunk.usage);
		const choice = chunk.choices?.[0];
		const part = choice?.delta ?? choice?.message;
		finish = choice?.finish_reason ?? finish;
		return part ? read(part) : [];
	}

	return {
		push(data) {
			if (data.trim() === "[DONE]") {
				// Some servers say no reason; their last word counts as one.
				if (speech.begun || calls.count > 0) finish ??= "stop";
				return end();
			}
			const chunk = parseChunk(data);
			if (chunk === null) return [{ type: "failed", failure: brokenStream("an event could not be read") }];
			if (chunk.error != null) return [{ type: "failed", failure: errorFailure(chunk.error) }];
			return take(chunk);
		},
		end,
		get isFinished() {
			return finish !== null;
		},
	};
}
