import type {
	CommandExecutionItem,
	DynamicToolCallItem,
	FileChangeItem,
	Item,
	McpToolCallItem,
} from "#protocol/codex-item.ts";

/** Items that stand for something done to the world; others only say something. */
export type ActingItem = CommandExecutionItem | FileChangeItem | McpToolCallItem | DynamicToolCallItem;

/** Whether an item is of a kind that acts on the world, so that a crash may leave its outcome unknown. */
export function isActing(item: Item): item is ActingItem {
	switch (item.type) {
		case "commandExecution":
		case "fileChange":
		case "mcpToolCall":
		case "dynamicToolCall":
			return true;
		default:
			return false;
	}
}

/** The item as nobody will finish it any more: never begun, or of unknown outcome. A call cannot be declined; it failed. */
export function closedAs(item: ActingItem, how: "declined" | "outcomeUnknown", atMs: number): ActingItem {
	if (item.type === "commandExecution" || item.type === "fileChange")
		return { ...item, status: how, completedAtMs: atMs };
	return { ...item, status: how === "declined" ? "failed" : how, completedAtMs: atMs };
}
