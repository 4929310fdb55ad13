import type { Item } from "#protocol/codex-item.ts";
import type { JsonObject } from "../wire/decode.ts";

/** Members that the reference always sends, where our items leave them out. */
const ALWAYS: Readonly<Record<string, JsonObject>> = {
	agentMessage: { moderation: null, memoryCitation: null, delivery: null, questions: null },
	commandExecution: { pluginId: null, scriptPath: null },
	mcpToolCall: { appContext: null, mcpAppUi: null, pluginId: null, readOnlyHint: null },
	dynamicToolCall: { namespace: null },
};

function viewContent(content: readonly JsonObject[]): JsonObject[] {
	return content.map((part) => (part["type"] === "text" ? { text_elements: [], ...part } : part));
}

/** An item as a Codex client sees it. */
export function viewItem(item: Item): JsonObject {
	if (item.type === "foreign") return item.payload;
	const view: Record<string, unknown> = {
		...ALWAYS[item.type],
		...item,
		startedAtMs: item.startedAtMs ?? null,
		completedAtMs: item.completedAtMs ?? null,
	};
	// The reference knows no outcome that nobody saw.
	if (view["status"] === "outcomeUnknown") view["status"] = "failed";
	if (item.type === "userMessage") view["content"] = viewContent(item.content);
	return view;
}
