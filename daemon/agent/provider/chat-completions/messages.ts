import { z } from "zod";
import type { ModelItem } from "#daemon/agent/model.ts";
import {
	answeredCall,
	asReminder,
	NO_OUTPUT,
	type Part,
	partsText,
	readParts,
	roleOf,
	splitInstructions,
	withoutForeign,
} from "../wire/input.ts";
import { callOnWire } from "../wire/tools.ts";

/** Member of our items that keeps what a server said beyond our shapes. */
export const CHAT_MEMBER = "x_chat";

export type ChatMessage = { role: "system" | "user" | "assistant" | "tool"; [member: string]: unknown };

const keptSchema = z.record(z.string(), z.unknown());

/** What the server said beyond text and calls, to go back with the message. */
function keptMembers(item: ModelItem): Record<string, unknown> {
	const kept = keptSchema.safeParse(item[CHAT_MEMBER]);
	return kept.success ? kept.data : {};
}

function userContent(parts: readonly Part[], takesImages: boolean): unknown {
	if (!takesImages || parts.every((part) => part.type === "text")) return partsText(parts);
	return parts.map((part) =>
		part.type === "text" ? part : { type: "image_url", image_url: { url: part.url } },
	);
}

interface Assistant {
	texts: string[];
	calls: Record<string, unknown>[];
	callIds: string[];
	kept: Record<string, unknown>;
}

const nothingSaid = (): Assistant => ({ texts: [], calls: [], callIds: [], kept: {} });

function addSaid(said: Assistant, item: ModelItem): boolean {
	const call = callOnWire(item);
	if (call !== null) {
		const { callId: id, wireName: name, argumentsText } = call;
		said.calls.push({
			id,
			type: "function",
			function: { name, arguments: argumentsText || "{}" },
			...keptMembers(item),
		});
		said.callIds.push(id);
		return true;
	}
	if (item.type !== "reasoning" && roleOf(item) !== "assistant") return false;
	for (const [name, value] of Object.entries(keptMembers(item))) {
		const before = said.kept[name];
		said.kept[name] = typeof before === "string" && typeof value === "string" ? before + value : value;
	}
	if (item.type !== "reasoning") said.texts.push(partsText(readParts(item["content"])));
	return true;
}

/**
 * The conversation as chat messages: what the assistant said between two others is one message, followed by the outputs
 * of its calls, wherever the history has them.
 */
export function toChat(input: readonly ModelItem[], takesImages: boolean): ChatMessage[] {
	const { instructions, rest } = splitInstructions(withoutForeign(input, CHAT_MEMBER));
	const messages: ChatMessage[] = [];
	const outputs = new Map<string, ModelItem>();
	for (const item of rest) {
		const callId = answeredCall(item);
		if (callId !== null) outputs.set(callId, item);
	}
	const system = instructions.flat();
	if (system.length > 0) messages.push({ role: "system", content: partsText(system) });
	let said = nothingSaid();
	const settle = (): void => {
		const { texts, calls, callIds, kept } = said;
		said = nothingSaid();
		if (texts.length === 0 && calls.length === 0) return;
		const content = texts.length === 0 ? null : texts.join("\n");
		messages.push({
			role: "assistant",
			content,
			...kept,
			...(calls.length === 0 ? {} : { tool_calls: calls }),
		});
		const seen: Part[] = [];
		for (const callId of callIds) {
			const output = outputs.get(callId);
			const parts =
				output === undefined ? [{ type: "text" as const, text: NO_OUTPUT }] : readParts(output["output"]);
			messages.push({ role: "tool", tool_call_id: callId, content: partsText(parts) });
			seen.push(...parts.filter((part) => part.type === "image"));
		}
		// A tool's message holds text only: its images come after, as the user's.
		if (takesImages && seen.length > 0) {
			const note: Part = { type: "text", text: "Images that the tools above returned:" };
			messages.push({ role: "user", content: userContent([note, ...seen], true) });
		}
	};
	for (const item of rest) {
		if (addSaid(said, item)) continue;
		settle();
		const role = roleOf(item);
		if (role === null || role === "assistant") continue;
		const parts = readParts(item["content"]);
		const content = userContent(role === "system" ? asReminder(parts) : parts, takesImages);
		messages.push({ role: "user", content });
	}
	settle();
	return messages;
}
