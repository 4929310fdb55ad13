import { outputItem, parseToolCall } from "#daemon/agent/loop/history.ts";
import type { ModelItem } from "#daemon/agent/model.ts";

const UNKNOWN_OUTPUT =
	"The daemon stopped before this call's end was recorded; its outcome is unknown. It was not repeated.";

/**
 * The history with an output behind every call that has none: a provider refuses a call without one, and a crash can
 * leave it so. Deterministic, so that consecutive requests keep their common prefix.
 */
export function repairHistory(history: readonly ModelItem[]): readonly ModelItem[] {
	const answered = new Set<unknown>();
	for (const item of history)
		if (item.type.endsWith("_call_output") || item.type === "tool_search_output")
			answered.add(item["call_id"]);
	return history.flatMap((item) => {
		const call = parseToolCall(item);
		return call === null || answered.has(call.callId) ? [item] : [item, outputItem(call, UNKNOWN_OUTPUT)];
	});
}
