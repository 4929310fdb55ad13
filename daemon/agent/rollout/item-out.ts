import { pathToFileURL } from "node:url";
import type { Item } from "#protocol/codex-item.ts";
import { pascalCase, renamed, snakeCase } from "./casing.ts";
import type { Json } from "./line.ts";
import { splitCommand } from "./split-command.ts";

const duration = (ms: number | null): Json => ({
	secs: Math.floor((ms ?? 0) / 1000),
	nanos: Math.round(((ms ?? 0) % 1000) * 1e6),
});

/** The Codex CLI knows no outcome that nobody saw. */
const statusOut = (status: string): string => (status === "outcomeUnknown" ? "failed" : snakeCase(status));

const PART_TYPES: Readonly<Record<string, string>> = { localImage: "local_image", localAudio: "local_audio" };

function userPart(part: Json): Json {
	const type = String(part["type"]);
	const { url, ...rest } = part;
	const whole = type === "text" ? { text_elements: [] } : {};
	return {
		...whole,
		...rest,
		...(url === undefined ? {} : { image_url: url }),
		type: PART_TYPES[type] ?? type,
	};
}

function commandOut(item: Extract<Item, { type: "commandExecution" }>): Json {
	return {
		process_id: item.processId,
		command: splitCommand(item.command),
		cwd: item.cwd.startsWith("/") ? pathToFileURL(item.cwd).href : item.cwd,
		parsed_cmd: item.commandActions.map(({ command, ...action }) => ({
			...action,
			type: snakeCase(action.type),
			cmd: command,
		})),
		source: snakeCase(item.source),
		status: statusOut(item.status),
		aggregated_output: item.aggregatedOutput,
		exit_code: item.exitCode,
		duration: duration(item.durationMs),
	};
}

function fileOut(item: Extract<Item, { type: "fileChange" }>): Json {
	const changes = item.changes.map(({ path, kind, diff }) => {
		if (kind.type !== "update") return [path, { type: kind.type, content: diff }] as const;
		const to = kind.move_path ?? null;
		const tail = `\n\nMoved to: ${to}`;
		const plain = to !== null && diff.endsWith(tail) ? diff.slice(0, -tail.length) : diff;
		return [path, { type: "update", unified_diff: plain, move_path: to }] as const;
	});
	return { changes: Object.fromEntries(changes), status: statusOut(item.status), stdout: "", stderr: "" };
}

function resultOut(result: unknown): unknown {
	return typeof result === "object" && result !== null ? result : null;
}

/** Members of a record by the type of its item; null for what the Codex CLI has no record of. */
function membersOf(item: Item): Json | null {
	switch (item.type) {
		case "userMessage": {
			const client = item.clientId === null ? {} : { client_id: item.clientId };
			return { ...client, content: item.content.map(userPart) };
		}
		case "agentMessage": {
			const phase = item.phase === null ? {} : { phase: item.phase };
			return { content: [{ type: "Text", text: item.text }], ...phase };
		}
		case "reasoning":
			return { summary_text: item.summary, raw_content: item.content };
		case "commandExecution":
			return commandOut(item);
		case "fileChange":
			return fileOut(item);
		case "plan":
			return { text: item.text };
		case "mcpToolCall":
			return {
				...{ server: item.server, tool: item.tool, arguments: item.arguments ?? null },
				...{ status: statusOut(item.status), result: resultOut(item.result), error: item.error },
				duration: duration(item.durationMs),
			};
		case "dynamicToolCall":
			return {
				...{ namespace: item.namespace ?? null, tool: item.tool, arguments: item.arguments ?? null },
				...{ status: statusOut(item.status), content_items: item.contentItems, success: item.success },
				duration: duration(item.durationMs),
			};
		case "imageView":
			return { path: item.path };
		case "webSearch":
			return { query: item.query, action: searchAction(item.action) };
		case "enteredReviewMode":
			return { target: { type: "custom", instructions: item.review }, user_facing_hint: item.review };
		case "exitedReviewMode":
			return { review_output: reviewOut(item.review) };
		case "contextCompaction":
			return {};
		case "foreign":
			return null;
	}
}

/** Only the text of a review is kept; its places are lines of it. */
const reviewOut = (text: string): Json => ({
	...{ findings: [], overall_correctness: "", overall_explanation: text, overall_confidence_score: 0 },
});

function searchAction(action: unknown): unknown {
	if (typeof action !== "object" || action === null) return { type: "other" };
	const { type } = action as { type?: unknown };
	return { ...action, type: snakeCase(String(type ?? "other")) };
}

/** The `item_completed` that the Codex CLI would have written for this item; null where it has none. */
export function exportItem(
	item: Item,
	turn: { thread_id: string; turn_id: string },
	atMs: number,
): Json | null {
	const members = membersOf(item);
	if (members === null) return null;
	return {
		type: "item_completed",
		thread_id: turn.thread_id,
		turn_id: turn.turn_id,
		item: { type: pascalCase(item.type), id: item.id, ...members },
		started_at_ms: Math.round(item.startedAtMs ?? item.completedAtMs ?? atMs),
		completed_at_ms: Math.round(item.completedAtMs ?? item.startedAtMs ?? atMs),
	};
}

/** A `token_count` event of usage as it was then. */
export function exportUsage(usage: Json): Json {
	const counts = (value: unknown): Json => renamed({ ...(value as Json) }, snakeCase);
	return {
		type: "token_count",
		info: {
			total_token_usage: counts(usage["total"]),
			last_token_usage: counts(usage["last"]),
			model_context_window: usage["modelContextWindow"] ?? null,
		},
		rate_limits: null,
	};
}
