import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { ToolResult } from "#daemon/agent/tool.ts";

/** Characters of one text that the model gets; about 10 000 tokens, the budget of tool outputs. */
const TEXT_MAX_CHARS = 40_000;

function bounded(text: string): string {
	if (text.length <= TEXT_MAX_CHARS) return text;
	const half = TEXT_MAX_CHARS / 2;
	const tokens = Math.ceil((text.length - TEXT_MAX_CHARS) / 4);
	return `${text.slice(0, half)}…${tokens} tokens truncated…${text.slice(-half)}`;
}

const header = (durationMs: number): string =>
	`Wall time: ${(durationMs / 1000).toFixed(4)} seconds\nOutput:`;

function part(block: CallToolResult["content"][number]): ModelItem {
	if (block.type === "text") return { type: "input_text", text: bounded(block.text) };
	if (block.type === "image") {
		const url = block.data.startsWith("data:") ? block.data : `data:${block.mimeType};base64,${block.data}`;
		return { type: "input_image", image_url: url, detail: "original" };
	}
	return { type: "input_text", text: bounded(JSON.stringify(block)) };
}

/** Parts for the model, the time ahead of them. */
export function callContent(content: CallToolResult["content"], durationMs: number): ModelItem[] {
	return [{ type: "input_text", text: header(durationMs) }, ...content.map(part)];
}

/** What a call gives the model (structured content stands for the rest) and a script (the result itself). */
export function callText(result: CallToolResult, durationMs: number): ToolResult {
	const { content, structuredContent, isError } = result;
	const common = { success: isError !== true, stopTurn: false, value: result };
	if (structuredContent !== undefined) {
		const text = bounded(JSON.stringify(structuredContent));
		return { output: `${header(durationMs)}\n${text}`, ...common };
	}
	const parts = callContent(content, durationMs);
	const text = parts.map((each) => (typeof each["text"] === "string" ? each["text"] : "[image]")).join("\n");
	return { output: text, content: parts, ...common };
}
