import type { TokenCounts, TokenUsage } from "#protocol/codex-item.ts";

const ZERO: TokenCounts = {
	totalTokens: 0,
	inputTokens: 0,
	cachedInputTokens: 0,
	cacheWriteInputTokens: 0,
	outputTokens: 0,
	reasoningOutputTokens: 0,
};

/** Usage after one more response: the total grows, `last` is that response. */
export function addUsage(
	before: TokenUsage | null,
	last: TokenCounts,
	contextWindow: number | null,
): TokenUsage {
	const sum = before?.total ?? ZERO;
	const total: TokenCounts = {
		totalTokens: sum.totalTokens + last.totalTokens,
		inputTokens: sum.inputTokens + last.inputTokens,
		cachedInputTokens: sum.cachedInputTokens + last.cachedInputTokens,
		cacheWriteInputTokens: sum.cacheWriteInputTokens + last.cacheWriteInputTokens,
		outputTokens: sum.outputTokens + last.outputTokens,
		reasoningOutputTokens: sum.reasoningOutputTokens + last.reasoningOutputTokens,
	};
	return { total, last, modelContextWindow: contextWindow };
}

/** Usage when the provider said that the context is full: the window counts as used up. */
export function fullUsage(before: TokenUsage | null, contextWindow: number): TokenUsage {
	const total = { ...(before?.total ?? ZERO), totalTokens: contextWindow };
	const last = { ...ZERO, totalTokens: contextWindow };
	return { total, last, modelContextWindow: contextWindow };
}
