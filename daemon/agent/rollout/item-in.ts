import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { renderReview } from "#daemon/agent/loop/review-output.ts";
import { displayCommand } from "#daemon/agent/tool/command/display.ts";
import { type Item, itemSchema } from "#protocol/codex-item.ts";
import { camelCase, renamed } from "./casing.ts";
import { type Json, listOf, numberOrNull, objectOf, textOf, textOrNull, textsOf } from "./line.ts";

/** A path that newer files write as a URL. */
export function pathOf(text: string): string {
	if (!text.startsWith("file://")) return text;
	try {
		return fileURLToPath(text);
	} catch {
		return text;
	}
}

function durationOf(value: unknown): number | null {
	if (typeof value === "number") return value;
	if (typeof value !== "object" || value === null) return null;
	const { secs = 0, nanos = 0 } = value as { secs?: unknown; nanos?: unknown };
	return Number(secs) * 1000 + Math.floor(Number(nanos) / 1e6);
}

const PART_TYPES: Readonly<Record<string, string>> = { local_image: "localImage", local_audio: "localAudio" };

function userPart(part: Json): Json {
	const type = textOf(part, "type");
	const { image_url: url, ...rest } = part;
	return { ...rest, ...(url === undefined ? {} : { url }), type: PART_TYPES[type] ?? type };
}

function actionOf(action: Json, cwd: string): Json {
	const { cmd, ...rest } = action;
	const type = camelCase(textOf(action, "type"));
	const path = textOrNull(action, "path");
	const whole = type === "read" && path !== null && !isAbsolute(path) ? { path: join(cwd, path) } : {};
	return { ...rest, ...whole, type, command: String(cmd ?? action["command"] ?? "") };
}

const commandText = (command: unknown): string =>
	Array.isArray(command) ? displayCommand(command.map(String)) : String(command ?? "");

/** What a command's record says, in either generation of the format. */
function commandItem(item: Json): Json {
	const cwd = pathOf(textOf(item, "cwd"));
	const status = textOf(item, "status");
	return {
		type: "commandExecution",
		id: item["id"],
		command: commandText(item["command"]),
		cwd,
		processId: textOrNull(item, "process_id"),
		source: camelCase(textOf(item, "source") || "agent"),
		status: status === "" ? (item["exit_code"] === 0 ? "completed" : "failed") : camelCase(status),
		commandActions: listOf(item, "parsed_cmd").map((action) => actionOf(action, cwd)),
		// Nothing was said, or it never ran: clients see no difference.
		aggregatedOutput: textOf(item, "aggregated_output") || null,
		exitCode: numberOrNull(item, "exit_code"),
		durationMs: durationOf(item["duration"]),
	};
}

function changeOf(path: string, change: Json): Json {
	const type = textOf(change, "type");
	if (type !== "update") return { path, kind: { type }, diff: textOf(change, "content") };
	const to = textOrNull(change, "move_path");
	const diff = textOf(change, "unified_diff");
	return {
		path,
		kind: { type, move_path: to },
		diff: to === null ? diff : `${diff}\n\nMoved to: ${to}`,
	};
}

function fileItem(item: Json): Json {
	const status = textOf(item, "status");
	const changes = Object.entries(objectOf(item, "changes")).sort(([a], [b]) => (a < b ? -1 : 1));
	return {
		type: "fileChange",
		id: item["id"],
		changes: changes.map(([path, change]) => changeOf(path, { ...(change as Json) })),
		status: status === "" ? (item["success"] === false ? "failed" : "completed") : camelCase(status),
	};
}

function resultOf(item: Json): unknown {
	const { result } = item;
	if (typeof result !== "object" || result === null) return null;
	const { content = [], structuredContent, structured_content, _meta } = result as Record<string, unknown>;
	return {
		content,
		structuredContent: structuredContent ?? structured_content ?? null,
		_meta: _meta ?? null,
	};
}

function mcpItem(item: Json): Json {
	const error = objectOf(item, "error");
	return {
		type: "mcpToolCall",
		id: item["id"],
		server: item["server"],
		tool: item["tool"],
		status: camelCase(textOf(item, "status")),
		arguments: item["arguments"] ?? null,
		pluginId: item["plugin_id"] ?? null,
		result: resultOf(item),
		error: typeof error["message"] === "string" ? error : null,
		durationMs: durationOf(item["duration"]),
	};
}

function searchAction(item: Json): unknown {
	const action = item["action"];
	if (typeof action !== "object" || action === null) return null;
	return { ...action, type: camelCase(textOf({ ...action }, "type")) };
}

/** The shapes that change more than their members' names. */
const SHAPES: Readonly<Record<string, (item: Json) => Json>> = {
	UserMessage: (item) => ({
		type: "userMessage",
		id: item["id"],
		clientId: textOrNull(item, "client_id"),
		content: listOf(item, "content").map(userPart),
	}),
	AgentMessage: (item) => {
		const { content: _content, ...rest } = renamed(item, camelCase);
		const text = listOf(item, "content").map((part) => textOf(part, "text"));
		return { ...rest, type: "agentMessage", text: text.join(""), phase: textOrNull(item, "phase") };
	},
	Reasoning: (item) => ({
		type: "reasoning",
		id: item["id"],
		summary: textsOf(item, "summary_text"),
		content: textsOf(item, "raw_content"),
	}),
	CommandExecution: commandItem,
	FileChange: fileItem,
	McpToolCall: mcpItem,
	DynamicToolCall: (item) => ({
		type: "dynamicToolCall",
		id: item["id"],
		namespace: textOrNull(item, "namespace"),
		tool: item["tool"],
		arguments: item["arguments"] ?? null,
		status: camelCase(textOf(item, "status")),
		contentItems: item["content_items"] ?? null,
		success: item["success"] ?? null,
		durationMs: durationOf(item["duration"]),
	}),
	WebSearch: (item) => ({
		...item,
		type: "webSearch",
		action: searchAction(item),
		results: item["results"] ?? null,
	}),
	ImageView: (item) => ({ type: "imageView", id: item["id"], path: pathOf(textOf(item, "path")) }),
	EnteredReviewMode: (item) => ({
		type: "enteredReviewMode",
		id: item["id"],
		review: textOf(item, "user_facing_hint"),
	}),
	ExitedReviewMode: (item) => ({
		type: "exitedReviewMode",
		id: item["id"],
		review: renderReview(JSON.stringify(item["review_output"] ?? "")),
	}),
};

export interface ItemTimes {
	startedAtMs: number | null;
	completedAtMs: number | null;
}

/** Ours, or, for a type or a shape that we don't know, the whole thing as it came. */
export function itemOf(made: Json, fallbackId: string, times: ItemTimes): Item {
	const id = typeof made["id"] === "string" && made["id"] !== "" ? made["id"] : fallbackId;
	const parsed = itemSchema.safeParse({ ...made, id, ...times });
	if (parsed.success) return parsed.data;
	const payload = { ...made, id, type: String(made["type"] ?? "unknown"), ...times };
	return { type: "foreign", id, payload };
}

/** An item of a rollout's `item_completed`, in the shape that clients see. Files of all versions name the type in their own case. */
export function importItem(item: Json, fallbackId: string, times: ItemTimes): Item {
	const type = camelCase(textOf(item, "type"));
	const shape = SHAPES[`${type.slice(0, 1).toUpperCase()}${type.slice(1)}`];
	return itemOf(shape?.(item) ?? { ...renamed(item, camelCase), type }, fallbackId, times);
}
