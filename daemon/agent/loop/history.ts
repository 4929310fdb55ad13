import type { ModelItem } from "#daemon/agent/model.ts";

/** A call in the history; `custom` says which kind of output answers it. */
export interface ToolCall {
	callId: string;
	name: string;
	/** Where the model was offered the tool in a group of its own. */
	namespace: string | null;
	custom: boolean;
	/** A search for tools, which is answered by their specs. */
	search?: boolean;
	/** Arguments text of a function call, input text of a custom call. */
	input: string;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** A message of the user's side: plain text, or parts. Without an id where it is not kept. */
export function userItem(content: string | readonly ModelItem[], id?: string): ModelItem {
	const parts = typeof content === "string" ? [{ type: "input_text", text: content }] : [...content];
	return { type: "message", ...(id === undefined ? {} : { id }), role: "user", content: parts };
}

/** A message of ours to the model, apart from what a person says. */
export function developerItem(content: readonly ModelItem[], id: string): ModelItem {
	return { type: "message", id, role: "developer", content: [...content] };
}

/** What counts as said by the assistant although no response brought it. */
export function assistantItem(content: string, id: string): ModelItem {
	return { type: "message", id, role: "assistant", content: [{ type: "output_text", text: content }] };
}

/** Only one that is left to us; the provider runs others itself. */
function parseSearch(item: ModelItem): ToolCall | null {
	if (item["execution"] !== "client") return null;
	const input = JSON.stringify(item["arguments"] ?? {});
	const callId = text(item["call_id"]);
	return { callId, name: "tool_search", namespace: null, custom: false, search: true, input };
}

/** The tool call that an item is, or null. What a model says is an edge: members of a wrong type count as empty. */
export function parseToolCall(item: ModelItem): ToolCall | null {
	if (item.type === "tool_search_call") return parseSearch(item);
	const custom = item.type === "custom_tool_call";
	if (!custom && item.type !== "function_call") return null;
	const input = custom ? item["input"] : item["arguments"];
	const namespace = text(item["namespace"]);
	return {
		callId: text(item["call_id"]),
		name: text(item["name"]),
		namespace: namespace === "" ? null : namespace,
		custom,
		input: text(input),
	};
}

/** The answer to a call; parts where the result is more than text. `newId` makes the id that kept items carry. */
export function outputItem(
	call: Pick<ToolCall, "callId" | "custom" | "search">,
	output: string | readonly ModelItem[],
	newId?: () => string,
): ModelItem {
	if (call.search === true) {
		const found = typeof output === "string" ? [] : output;
		const id = newId === undefined ? {} : { id: `tso_${newId()}` };
		const about = { call_id: call.callId, status: "completed", execution: "client" };
		return { type: "tool_search_output", ...id, ...about, tools: found };
	}
	const prefix = call.custom ? "ctco" : "fco";
	return {
		type: call.custom ? "custom_tool_call_output" : "function_call_output",
		...(newId === undefined ? {} : { id: `${prefix}_${newId()}` }),
		call_id: call.callId,
		output,
	};
}

/** Parts of an item's `content`; none where it has no such list. */
export function contentParts(item: ModelItem): readonly { type?: unknown; text?: unknown }[] {
	const content: unknown = item["content"];
	return Array.isArray(content) ? content.filter((part) => typeof part === "object" && part !== null) : [];
}

/** Text of a message item. */
export function messageText(item: ModelItem): string {
	return contentParts(item)
		.map((part) => text(part.text))
		.join("");
}

/** Paragraphs of a reasoning item: its `summary` or its raw `content`. */
export function reasoningTexts(item: ModelItem, member: "summary" | "content"): string[] {
	const parts = item[member];
	return Array.isArray(parts) ? parts.map((part: { text?: unknown } | null) => text(part?.text)) : [];
}

export const ABORTED_OUTPUT =
	"aborted: the user interrupted the turn before this call ended; what it started may still run";

/** What the model reads of a call that was broken off after this long, as the real server tells it. */
export function abortedOutput({ name, namespace }: ToolCall, elapsedMs: number): string {
	const seconds = (elapsedMs / 1000).toFixed(1);
	return namespace === null && name === "exec_command"
		? `Wall time: ${seconds} seconds\naborted by user`
		: `aborted by user after ${seconds}s`;
}

/** Tells the model, in the next turn, why the last one stops short. */
export const TURN_ABORTED_TEXT =
	"<turn_aborted>\nThe user stopped the turn before this point. Commands that ran then may have done part of their work, or may still run. Look before you repeat anything.\n</turn_aborted>";

const OUTPUTS: ReadonlySet<string> = new Set([
	"function_call_output",
	"custom_tool_call_output",
	"tool_search_output",
]);

/**
 * History in which every call has an output: a daemon that died in the middle of a call left none, and the API refuses
 * such a history. The same input gives the same output, so consecutive requests keep their common prefix.
 */
export function withOutputs(history: readonly ModelItem[]): ModelItem[] {
	const answered = new Set<unknown>();
	for (const item of history) {
		if (OUTPUTS.has(item.type)) answered.add(item["call_id"]);
	}
	return history.flatMap((item) => {
		const call = parseToolCall(item);
		return call === null || answered.has(call.callId) ? [item] : [item, outputItem(call, ABORTED_OUTPUT)];
	});
}
