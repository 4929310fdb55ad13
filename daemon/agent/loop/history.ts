import type { ModelItem } from "#daemon/agent/model.ts";

/** A call in the history; `custom` says which kind of output answers it. */
export interface ToolCall {
	callId: string;
	name: string;
	custom: boolean;
	/** Arguments text of a function call, input text of a custom call. */
	input: string;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

export function userItem(content: string): ModelItem {
	return { type: "message", role: "user", content: [{ type: "input_text", text: content }] };
}

/** The tool call that an item is, or null. What a model says is an edge: members of a wrong type count as empty. */
export function parseToolCall(item: ModelItem): ToolCall | null {
	const custom = item.type === "custom_tool_call";
	if (!custom && item.type !== "function_call") return null;
	const input = custom ? item["input"] : item["arguments"];
	return { callId: text(item["call_id"]), name: text(item["name"]), custom, input: text(input) };
}

export function outputItem(call: Pick<ToolCall, "callId" | "custom">, output: string): ModelItem {
	return {
		type: call.custom ? "custom_tool_call_output" : "function_call_output",
		call_id: call.callId,
		output,
	};
}

/** Text of an assistant message item. */
export function messageText(item: ModelItem): string {
	const content = item["content"];
	if (!Array.isArray(content)) return "";
	return content.map((part: { text?: unknown } | null) => text(part?.text)).join("");
}

/** Paragraphs of a reasoning item: its `summary` or its raw `content`. */
export function reasoningTexts(item: ModelItem, member: "summary" | "content"): string[] {
	const parts = item[member];
	return Array.isArray(parts) ? parts.map((part: { text?: unknown } | null) => text(part?.text)) : [];
}

export const ABORTED_OUTPUT =
	"aborted: the user interrupted the turn before this call ended; what it started may still run";

/** Tells the model, in the next turn, why the last one stops short. */
export const TURN_ABORTED_TEXT =
	"<turn_aborted>\nThe user stopped the turn before this point. Commands that ran then may have done part of their work, or may still run. Look before you repeat anything.\n</turn_aborted>";

/**
 * History in which every call has an output: a daemon that died in the middle of a call left none, and the API refuses
 * such a history. The same input gives the same output, so consecutive requests keep their common prefix.
 */
export function withOutputs(history: readonly ModelItem[]): ModelItem[] {
	const answered = new Set<unknown>();
	for (const item of history) {
		if (item.type === "function_call_output" || item.type === "custom_tool_call_output")
			answered.add(item["call_id"]);
	}
	return history.flatMap((item) => {
		const call = parseToolCall(item);
		return call === null || answered.has(call.callId) ? [item] : [item, outputItem(call, ABORTED_OUTPUT)];
	});
}
