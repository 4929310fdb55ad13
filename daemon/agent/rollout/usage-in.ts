import { type TokenUsage, tokenUsageSchema } from "#protocol/codex-item.ts";
import { camelCase, renamed } from "./casing.ts";
import { type Json, numberOrNull, objectOf } from "./line.ts";

/** Members that earlier versions had not yet. */
const NONE = {
	...{ totalTokens: 0, inputTokens: 0, cachedInputTokens: 0 },
	...{ cacheWriteInputTokens: 0, outputTokens: 0, reasoningOutputTokens: 0 },
};

/** Usage of a `token_count` event; null where it says none. */
export function usageOf(event: Json): TokenUsage | null {
	const info = objectOf(event, "info");
	if (typeof info["total_token_usage"] !== "object") return null;
	const parsed = tokenUsageSchema.safeParse({
		total: { ...NONE, ...renamed(objectOf(info, "total_token_usage"), camelCase) },
		last: { ...NONE, ...renamed(objectOf(info, "last_token_usage"), camelCase) },
		modelContextWindow: numberOrNull(info, "model_context_window"),
	});
	return parsed.success ? parsed.data : null;
}
