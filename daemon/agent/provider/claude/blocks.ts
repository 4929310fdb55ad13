import { z } from "zod";
import type { NewId } from "#base/id.ts";
import type { ModelEvent, ModelItem } from "#daemon/agent/model.ts";
import { callItem, type WireTool } from "../wire/tools.ts";
import { type Block, CLAUDE_MEMBER } from "./messages.ts";

const blockSchema = z.looseObject({ type: z.string() });
const blockStartSchema = z.looseObject({ index: z.int(), content_block: blockSchema });
const blockDeltaSchema = z.looseObject({ index: z.int(), delta: z.looseObject({ type: z.string() }) });
const blockStopSchema = z.looseObject({ index: z.int() });

interface OpenBlock {
	itemId: string;
	block: Block;
	/** Pieces of the arguments, joined at the end: a large one comes in thousands. */
	json: string[];
	/** Pieces of the text by member, joined at the end. */
	texts: Map<string, string[]>;
}

function calledItem({ block, itemId, json }: OpenBlock, tools: readonly WireTool[]): ModelItem {
	const argumentsText = json.join("") || JSON.stringify(block["input"] ?? {});
	const call = { wireName: String(block["name"] ?? ""), callId: String(block["id"] ?? itemId) };
	return callItem(tools, { ...call, id: itemId, argumentsText });
}

/** The item of a finished block; null where it leaves none. */
function finishedItem(open: OpenBlock, tools: readonly WireTool[]): ModelItem | null {
	const { block, itemId } = open;
	switch (block.type) {
		case "text": {
			const text = String(block["text"] ?? "");
			if (text === "") return null;
			const plain = Object.keys(block).every((name) => name === "type" || name === "text");
			return {
				type: "message",
				id: itemId,
				role: "assistant",
				content: [{ type: "output_text", text, annotations: [] }],
				...(plain ? {} : { [CLAUDE_MEMBER]: [block] }),
			};
		}
		case "thinking": {
			const text = String(block["thinking"] ?? "");
			const summary = text === "" ? [] : [{ type: "summary_text", text }];
			return { type: "reasoning", id: itemId, summary, [CLAUDE_MEMBER]: [block] };
		}
		case "redacted_thinking":
			return { type: "reasoning", id: itemId, summary: [], [CLAUDE_MEMBER]: [block] };
		case "tool_use":
			return calledItem(open, tools);
		default:
			if (open.json.length > 0) block["input"] = safeJson(open.json.join(""));
			return { type: CLAUDE_MEMBER, id: itemId, [CLAUDE_MEMBER]: [block] };
	}
}

function safeJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return {};
	}
}

function isWholeCall(open: OpenBlock): boolean {
	if (open.block.type !== "tool_use" || open.json.length === 0) return true;
	try {
		JSON.parse(open.json.join(""));
		return true;
	} catch {
		return false;
	}
}

/** Content blocks of one response, from their start to the items that they become. */
export interface Blocks {
	/** Each takes the event of its name; throws when that is not as the API says. */
	start(event: unknown): ModelEvent[];
	delta(event: unknown): ModelEvent[];
	stop(event: unknown): ModelEvent[];
	/** Calls cut in the midst of their arguments: they count only when the model ended of itself. */
	takeCut(): ModelEvent[];
	/** Whether anything was said or called. */
	readonly said: boolean;
}

function applyDelta(open: OpenBlock, delta: { type: string; [member: string]: unknown }): ModelEvent[] {
	const { itemId } = open;
	const keep = (member: string): string => {
		const text = String(delta[member] ?? "");
		const pieces = open.texts.get(member);
		if (pieces === undefined) open.texts.set(member, [text]);
		else pieces.push(text);
		return text;
	};
	switch (delta.type) {
		case "text_delta":
			return [{ type: "text_delta", itemId, delta: keep("text") }];
		case "thinking_delta":
			return [{ type: "reasoning_delta", itemId, summaryIndex: 0, delta: keep("thinking") }];
		case "signature_delta":
			keep("signature");
			return [];
		case "input_json_delta":
			open.json.push(String(delta["partial_json"] ?? ""));
			return [];
		case "citations_delta": {
			const before = Array.isArray(open.block["citations"]) ? open.block["citations"] : [];
			open.block["citations"] = [...before, delta["citation"]];
			return [];
		}
		default:
			return [];
	}
}

/** What is told of a block when it opens. */
function openingEvents(block: Block, itemId: string): ModelEvent[] {
	if (block.type === "text")
		return [{ type: "item_started", item: { id: itemId, kind: "message", phase: null } }];
	if (block.type !== "thinking") return [];
	return [
		{ type: "item_started", item: { id: itemId, kind: "reasoning", phase: null } },
		{ type: "reasoning_part", itemId, summaryIndex: 0 },
	];
}

function doneEvents(open: OpenBlock, tools: readonly WireTool[]): ModelEvent[] {
	const item = finishedItem(open, tools);
	return item === null ? [] : [{ type: "item_done", item }];
}

export function createBlocks(tools: readonly WireTool[], newId: NewId): Blocks {
	const blocks = new Map<number, OpenBlock>();
	const cutCalls: OpenBlock[] = [];
	let said = false;

	return {
		start(event) {
			const { index, content_block: block } = blockStartSchema.parse(event);
			const prefix = block.type === "text" ? "msg" : block.type === "tool_use" ? "fc" : "rs";
			const itemId = `${prefix}_${newId()}`;
			blocks.set(index, { itemId, block: { ...block }, json: [], texts: new Map() });
			return openingEvents(block, itemId);
		},
		delta(event) {
			const { index, delta } = blockDeltaSchema.parse(event);
			const open = blocks.get(index);
			said ||= delta.type === "text_delta";
			return open === undefined ? [] : applyDelta(open, delta);
		},
		stop(event) {
			const { index } = blockStopSchema.parse(event);
			const open = blocks.get(index);
			if (open === undefined) return [];
			blocks.delete(index);
			for (const [member, pieces] of open.texts) {
				const start = open.block[member];
				open.block[member] = `${typeof start === "string" ? start : ""}${pieces.join("")}`;
			}
			if (open.json.join("") === "") open.json = [];
			said ||= open.block.type === "tool_use";
			if (isWholeCall(open)) return doneEvents(open, tools);
			cutCalls.push(open);
			return [];
		},
		takeCut: () => cutCalls.splice(0).flatMap((open) => doneEvents(open, tools)),
		get said() {
			return said;
		},
	};
}
