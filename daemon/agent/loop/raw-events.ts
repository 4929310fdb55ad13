import type { ModelItem } from "#daemon/agent/model.ts";
import type { TokenCounts } from "#protocol/codex-item.ts";
import { contentParts } from "./history.ts";
import type { Turn } from "./turn.ts";

const HARNESS = { type: "harness", hook: false };

/** How Codex names parts of its context, by the start of their text. */
const KINDS: readonly { start: string; kind: string; provenance: Readonly<Record<string, unknown>> }[] = [
	{ start: "<skills_instructions>", kind: "host_skills.instructions", provenance: { type: "skills" } },
	{ start: "<permissions instructions>", kind: "permissions.instructions", provenance: HARNESS },
	{ start: "<collaboration_mode>", kind: "collaboration_mode.instructions", provenance: HARNESS },
	{
		start: "<tools>",
		kind: "tools.deferred_namespaces",
		provenance: { type: "tool", namespace: "tool_search" },
	},
	{ start: "# AGENTS.md instructions", kind: "agents_md.instructions", provenance: { type: "agents_md" } },
	{ start: "<environment_context>", kind: "environments.environment_context", provenance: HARNESS },
];
const DEVELOPER = {
	kind: "generic.developer_instructions",
	provenance: { type: "developer_instructions", from_additional_requirements: false },
};
const USER = { kind: "user.text", provenance: { type: "user" } };

function describe(item: ModelItem): Record<string, unknown> {
	const rows = contentParts(item).map(
		({ text }) =>
			KINDS.find(({ start }) => typeof text === "string" && text.startsWith(start)) ??
			(item["role"] === "developer" ? DEVELOPER : USER),
	);
	return {
		content_item_kinds: rows.map((row) => row.kind),
		content_item_metadata: rows.map((row) => ({ provenance: row.provenance })),
	};
}

function metadata(turn: Turn, item: ModelItem, origin: "ours" | "model"): Record<string, unknown> {
	const about = { turn_id: turn.input.turnId };
	if (origin === "model")
		return item.type === "message" ? { ...about, content_item_kinds: ["unknown"] } : about;
	const stamped = { ...about, create_time: turn.ports.clock.nowMs() / 1000 };
	return item.type === "message" ? { ...stamped, ...describe(item) } : stamped;
}

/** Tells an item of the conversation in the API's own shape, to clients that asked for these. */
export async function tellRawItem(turn: Turn, item: ModelItem, origin: "ours" | "model"): Promise<void> {
	if (turn.input.rawEvents !== true || turn.apart) return;
	const shape = item.type === "reasoning" && item["content"] === undefined ? { content: null } : {};
	const params = {
		item: { ...item, ...shape, internal_chat_message_metadata_passthrough: metadata(turn, item, origin) },
	};
	await turn.ports.emit({ type: "note", method: "rawResponseItem/completed", params });
}

/** Tells the end of a response, likewise. */
export async function tellRawResponse(
	turn: Turn,
	{ responseId, usage }: { responseId?: string | null; usage: TokenCounts | null },
): Promise<void> {
	if (turn.input.rawEvents !== true || turn.apart) return;
	const counts = usage === null ? null : { ...usage };
	const wire =
		usage === null
			? null
			: {
					input_tokens: usage.inputTokens,
					input_tokens_details: { cached_tokens: usage.cachedInputTokens },
					output_tokens: usage.outputTokens,
					output_tokens_details: { reasoning_tokens: usage.reasoningOutputTokens },
					total_tokens: usage.totalTokens,
				};
	const params = {
		responseId: responseId ?? "",
		usage: counts,
		usageMetadata: wire === null ? null : { amount: null, metadata: wire },
	};
	await turn.ports.emit({ type: "note", method: "rawResponse/completed", params });
}
