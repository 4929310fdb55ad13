/** What the Messages API takes for a model. */
export interface ClaudeModel {
	readonly contextWindow: number;
	readonly maxOutput: number;
	/** `adaptive`: the model decides, `output_config.effort` guides it; `budget`: a number of tokens; `none`: no thinking. */
	readonly thinking: "adaptive" | "budget" | "none";
}

/** The model where nothing names one. */
export const DEFAULT_CLAUDE_MODEL = "claude-sonnet-4-6";
/** Known without asking; the catalogue's answer replaces them (platform.claude.com, models overview, 2026-06). */
export const CLAUDE_FALLBACK_MODELS = [DEFAULT_CLAUDE_MODEL, "claude-opus-4-8", "claude-haiku-4-5"] as const;

/** Version of a model id as a number, 4.6 for `claude-opus-4-6`, 3.7 for `claude-3-7-sonnet-20250219`; null: not of that form. */
function versionOf(model: string): number | null {
	const match = /claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/.exec(model);
	return match === null ? null : Number(match[1]) + Number(match[2] ?? 0) / 100;
}

/**
 * Windows, output limits and ways of thinking by generation (platform.claude.com, models overview and adaptive thinking,
 * 2026-06): 4.6 and later think adaptively in a window of a million tokens, haiku 4.5 and the ones before in 200,000.
 * A name that says no version is taken for a new one.
 */
export function claudeModel(model: string): ClaudeModel {
	const version = versionOf(model) ?? Number.POSITIVE_INFINITY;
	if (version >= 4.06) return { contextWindow: 1_000_000, maxOutput: 64_000, thinking: "adaptive" };
	if (version >= 4.05) return { contextWindow: 200_000, maxOutput: 64_000, thinking: "budget" };
	if (version >= 4) return { contextWindow: 200_000, maxOutput: 32_000, thinking: "budget" };
	if (version >= 3.07) return { contextWindow: 200_000, maxOutput: 64_000, thinking: "budget" };
	return { contextWindow: 200_000, maxOutput: 4_096, thinking: "none" };
}

/** Tokens for thoughts by effort, for models with a budget; the API wants at least 1,024. */
const BUDGETS: Readonly<Record<string, number>> = {
	low: 2_048,
	medium: 8_192,
	high: 16_384,
	xhigh: 24_576,
	max: 28_672,
};
/** Words of other catalogues in the API's own. */
const EFFORTS: Readonly<Record<string, string>> = {
	minimal: "low",
	low: "low",
	medium: "medium",
	high: "high",
	xhigh: "max",
	max: "max",
	ultra: "max",
};
const DEFAULT_EFFORT = "medium";

/** Members `thinking` and the effort of `output_config`; effort `none` asks for no thinking. */
export function thinkingMembers(
	model: ClaudeModel,
	effort: string | undefined,
): { thinking?: Record<string, unknown>; effort?: string } {
	if (model.thinking === "none" || effort === "none") return {};
	const own = EFFORTS[effort ?? DEFAULT_EFFORT] ?? DEFAULT_EFFORT;
	// Without `display` newer models keep their thoughts to themselves.
	if (model.thinking === "adaptive")
		return { thinking: { type: "adaptive", display: "summarized" }, effort: own };
	return { thinking: { type: "enabled", budget_tokens: BUDGETS[own] ?? 8_192 } };
}
