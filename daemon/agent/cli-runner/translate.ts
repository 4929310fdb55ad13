import type { LoopEvent } from "#daemon/agent/loop-port.ts";
import {
	type Item,
	itemSchema,
	planStepSchema,
	tokenUsageSchema,
	turnErrorSchema,
} from "#protocol/codex-item.ts";
import type { CodexNotification } from "./codex-process.ts";

type Params = CodexNotification["params"];

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const index = (value: unknown): number => (typeof value === "number" ? value : 0);

/** An item as the program tells it; one of a type that we don't know goes through whole. */
export function toItem(value: unknown): Item | null {
	const parsed = itemSchema.safeParse(value);
	if (parsed.success) return parsed.data;
	const loose = value as { type?: unknown; id?: unknown } | null;
	if (typeof loose?.type !== "string" || typeof loose.id !== "string") return null;
	return { type: "foreign", id: loose.id, payload: { ...loose, type: loose.type, id: loose.id } };
}

/** Said of a turn by its own events, or of no use to a client of ours. */
const SILENT: ReadonlySet<string> = new Set([
	"thread/started",
	"thread/status/changed",
	"turn/started",
	"turn/completed",
	"serverRequest/resolved",
	"thread/settings/updated",
	"thread/readState/changed",
	"thread/name/updated",
	"thread/goal/cleared",
	"deprecationNotice",
	"rawResponse/completed",
]);

function toPlan(params: Params): LoopEvent[] {
	const plan = planStepSchema.array().safeParse(params["plan"]);
	if (!plan.success) return [];
	const explanation = typeof params["explanation"] === "string" ? params["explanation"] : null;
	return [{ type: "plan_updated", explanation, plan: plan.data }];
}

function toError(params: Params): LoopEvent[] {
	const error = turnErrorSchema.safeParse(params["error"]);
	return error.success ? [{ type: "error", error: error.data, willRetry: params["willRetry"] === true }] : [];
}

/** As it is, for clients that know what to do with it. */
export function toNote({ method, params }: CodexNotification): LoopEvent {
	const { threadId: _thread, turnId: _turn, ...rest } = params;
	return { type: "note", method, params: rest };
}

/** Events of the loop for one notification of its turn; items and history are the caller's. */
export function toLoopEvents({ method, params }: CodexNotification): LoopEvent[] {
	const itemId = text(params["itemId"]);
	const delta = text(params["delta"]);
	switch (method) {
		case "item/agentMessage/delta":
			return [{ type: "message_delta", itemId, delta }];
		case "item/reasoning/summaryTextDelta":
			return [{ type: "reasoning_delta", itemId, summaryIndex: index(params["summaryIndex"]), delta }];
		case "item/reasoning/summaryPartAdded":
			return [{ type: "reasoning_part", itemId, summaryIndex: index(params["summaryIndex"]) }];
		case "item/reasoning/textDelta":
			return [{ type: "reasoning_text_delta", itemId, contentIndex: index(params["contentIndex"]), delta }];
		case "item/plan/delta":
			return [{ type: "plan_delta", itemId, delta }];
		case "item/commandExecution/outputDelta":
			return [{ type: "command_output", itemId, delta }];
		case "turn/diff/updated":
			return [{ type: "diff_updated", diff: text(params["diff"]) }];
		case "turn/plan/updated":
			return toPlan(params);
		case "thread/tokenUsage/updated": {
			const usage = tokenUsageSchema.safeParse(params["tokenUsage"]);
			return usage.success ? [{ type: "usage_updated", usage: usage.data }] : [];
		}
		case "error":
			return toError(params);
		default: {
			if (SILENT.has(method)) return [];
			return [toNote({ method, params })];
		}
	}
}
