import type { ModelEvent, ModelItem } from "#daemon/agent/model.ts";
import { parseToolCall } from "./history.ts";
import { createOpenItems, type OpenItems } from "./open-items.ts";
import { tellRawItem, tellRawResponse } from "./raw-events.ts";
import { readStream, requestOf, type Streamed } from "./stream.ts";
import type { ToolCalls } from "./tool-calls.ts";
import { remember, type Turn } from "./turn.ts";

async function takeItem(turn: Turn, item: ModelItem, parts: { open: OpenItems; calls: ToolCalls }) {
	const call = parseToolCall(item);
	await remember(turn, [item]);
	await parts.open.complete(item);
	await tellRawItem(turn, item, "model");
	if (call !== null) parts.calls.start(call);
}

async function takeEvent(turn: Turn, event: ModelEvent, parts: { open: OpenItems; calls: ToolCalls }) {
	switch (event.type) {
		case "item_started":
			return parts.open.start(event.item.id, event.item.kind, event.item.phase);
		case "text_delta":
			return parts.open.write(event.itemId, event.delta);
		case "reasoning_delta":
		case "reasoning_part":
			return turn.ports.emit(event);
		case "reasoning_text_delta":
			if (turn.input.showRawReasoning === true) await turn.ports.emit(event);
			return;
		case "item_done":
			return takeItem(turn, event.item, parts);
		default:
			return;
	}
}

/**
 * Streams one model response, tells its items and starts its calls as they come. When it is cut, items that were open
 * stay open, and what was finished stays in the history.
 */
export async function streamResponse(turn: Turn, calls: ToolCalls, cut: AbortSignal): Promise<Streamed> {
	const parts = { open: createOpenItems(turn), calls };
	const request = requestOf(turn, turn.apart ? "review" : "turn");
	const streamed = await readStream(turn, request, cut, (event) => takeEvent(turn, event, parts));
	if (streamed.end.type === "completed") await tellRawResponse(turn, streamed.end);
	return streamed;
}
