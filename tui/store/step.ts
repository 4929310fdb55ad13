import type { Item } from "#protocol/codex-item.ts";

/** One line for a step that is no command and no patch. */
export interface Step {
	readonly title: string;
	readonly text: string;
	readonly state: "running" | "done" | "failed" | "unknown";
	readonly durationMs: number | undefined;
}

const STATES = {
	inProgress: "running",
	completed: "done",
	failed: "failed",
	outcomeUnknown: "unknown",
} as const;

function toolStep(item: Extract<Item, { type: "mcpToolCall" | "dynamicToolCall" }>): Step {
	const owner = item.type === "mcpToolCall" ? item.server : (item.namespace ?? "");
	const args = item.arguments === undefined ? "" : JSON.stringify(item.arguments);
	const title = owner === "" ? item.tool : `${owner}.${item.tool}`;
	return { title, text: args, state: STATES[item.status], durationMs: item.durationMs ?? undefined };
}

/** Undefined for items that have a cell of their own. */
export function stepOf(item: Item, done: boolean): Step | undefined {
	const state = done ? "done" : "running";
	const durationMs = undefined;
	switch (item.type) {
		case "mcpToolCall":
		case "dynamicToolCall":
			return toolStep(item);
		case "imageView":
			return { title: "looked at", text: item.path, state, durationMs };
		case "webSearch":
			return { title: "searched the web", text: item.query, state, durationMs };
		case "contextCompaction":
			return {
				title: done
					? "the conversation was summarised to make room"
					: "summarising the conversation to make room",
				text: "",
				state,
				durationMs,
			};
		case "enteredReviewMode":
			return { title: "review of", text: item.review, state: "done", durationMs };
		case "exitedReviewMode":
			return { title: "review finished", text: "", state: "done", durationMs };
		case "foreign":
			return { title: item.payload.type, text: "", state, durationMs };
		default:
			return undefined;
	}
}
