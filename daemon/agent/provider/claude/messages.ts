import { z } from "zod";
import type { ModelItem } from "#daemon/agent/model.ts";
import {
	answeredCall,
	asReminder,
	NO_OUTPUT,
	type Part,
	readDataUrl,
	readParts,
	roleOf,
	splitInstructions,
	withoutForeign,
} from "../wire/input.ts";
import { argumentsObject, callOnWire } from "../wire/tools.ts";

/** Member of our items that keeps the API's own blocks; an item of that type is a block that we have no shape for. */
export const CLAUDE_MEMBER = "x_anthropic";

export type Block = { type: string; [member: string]: unknown };
export interface ClaudeMessage {
	role: "user" | "assistant";
	content: Block[];
}

const blocksSchema = z.array(z.looseObject({ type: z.string() }));

function partBlock(part: Part): Block {
	if (part.type === "text") return { type: "text", text: part.text };
	const data = readDataUrl(part.url);
	const source =
		data === null
			? { type: "url", url: part.url }
			: { type: "base64", media_type: data.mediaType, data: data.data };
	return { type: "image", source };
}

function keptBlocks(item: ModelItem): Block[] | null {
	const kept = blocksSchema.safeParse(item[CLAUDE_MEMBER]);
	return kept.success ? kept.data : null;
}

/** What the assistant said; empty for items of another kind. */
function assistantBlocks(item: ModelItem): Block[] {
	const kept = keptBlocks(item);
	if (kept !== null) return kept;
	const call = callOnWire(item);
	if (call !== null) {
		return [
			{ type: "tool_use", id: call.callId, name: call.wireName, input: argumentsObject(call.argumentsText) },
		];
	}
	return roleOf(item) === "assistant" ? readParts(item["content"]).map(partBlock) : [];
}

function resultBlock(callId: string, output: ModelItem | undefined): Block {
	const parts = output === undefined ? [] : readParts(output["output"]);
	const only = parts.length === 1 && parts[0]?.type === "text" ? parts[0].text : null;
	const content = output === undefined ? NO_OUTPUT : (only ?? parts.map(partBlock));
	return { type: "tool_result", tool_use_id: callId, content };
}

/**
 * The conversation as alternating messages. Each message with calls is followed by their results, first thing in the
 * user's next message, as the API demands, wherever the history has them.
 */
function buildMessages(items: readonly ModelItem[], takesImages: boolean): ClaudeMessage[] {
	const messages: ClaudeMessage[] = [];
	const outputs = new Map<string, ModelItem>();
	for (const item of items) {
		const callId = answeredCall(item);
		if (callId !== null) outputs.set(callId, item);
	}
	const add = (role: ClaudeMessage["role"], blocks: Block[]): void => {
		if (blocks.length === 0) return;
		const last = messages.at(-1);
		if (last?.role === role) last.content.push(...blocks);
		else messages.push({ role, content: blocks });
	};
	let waiting: string[] = [];
	const settle = (): void => {
		add(
			"user",
			waiting.map((callId) => resultBlock(callId, outputs.get(callId))),
		);
		waiting = [];
	};
	for (const item of items) {
		const said = assistantBlocks(item);
		if (said.length > 0) {
			add("assistant", said);
			waiting.push(...said.filter((block) => block.type === "tool_use").map((block) => String(block["id"])));
			continue;
		}
		if (answeredCall(item) !== null) {
			settle();
			continue;
		}
		if (roleOf(item) === null) continue;
		settle();
		const parts = readParts(item["content"]);
		add("user", (roleOf(item) === "system" ? asReminder(parts) : parts).map(partBlock));
	}
	settle();
	return takesImages ? messages : messages.map(withoutImages);
}

function withoutImages(message: ClaudeMessage): ClaudeMessage {
	const plain = (block: Block): Block =>
		block.type === "image" ? { type: "text", text: "[an image that this model cannot see]" } : block;
	return {
		role: message.role,
		content: message.content.map((block) =>
			block.type === "tool_result" && Array.isArray(block["content"])
				? { ...block, content: (block["content"] as Block[]).map(plain) }
				: plain(block),
		),
	};
}

const isThought = (block: Block): boolean => block.type === "thinking" || block.type === "redacted_thinking";

/** The API refuses a request that ends with the assistant: a stream that broke left that, and the model shall go on. */
function endWithUser(messages: ClaudeMessage[]): ClaudeMessage[] {
	const last = messages.at(-1);
	if (last === undefined) return [{ role: "user", content: [{ type: "text", text: "Go on." }] }];
	if (last.role === "user") return messages;
	const content = [...last.content];
	while (content.length > 0 && isThought(content.at(-1) ?? { type: "" })) content.pop();
	const before = messages.slice(0, -1);
	// Without anything but thoughts it said nothing: the question stands.
	if (content.length === 0 && before.length > 0) return before;
	return [
		...before,
		...(content.length === 0 ? [] : [{ role: "assistant" as const, content }]),
		{ role: "user", content: [{ type: "text", text: "Go on where you stopped." }] },
	];
}

const CACHE = { type: "ephemeral" } as const;

/** Marks where the prefix may be kept: the last block that can carry the mark. */
export function markCache<B extends Readonly<Record<string, unknown>>>(blocks: readonly B[]): B[] {
	const last = blocks.findLastIndex((block) => !isThought({ type: String(block["type"] ?? "") }));
	return blocks.map((block, index) => (index === last ? { ...block, cache_control: CACHE } : block));
}

/** System blocks and messages of a history; the ends of the last two user messages are marked for the cache. */
export function toClaude(
	input: readonly ModelItem[],
	takesImages: boolean,
): { system: Block[]; messages: ClaudeMessage[] } {
	const { instructions, rest } = splitInstructions(withoutForeign(input, CLAUDE_MEMBER));
	const messages = endWithUser(buildMessages(rest, takesImages));
	const users = messages.flatMap((message, index) => (message.role === "user" ? [index] : [])).slice(-2);
	return {
		system: markCache(instructions.flat().map(partBlock)),
		messages: messages.map((message, index) =>
			users.includes(index) ? { ...message, content: markCache(message.content) } : message,
		),
	};
}
