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

/** Usage when the provider said that the context is full: the window counts as used up, by what came last. */
export function fullUsage(before: TokenUsage | null, contextWindow: number): TokenUsage {
	const rest = Math.max(0, contextWindow - (before?.total.totalTokens ?? 0));
	const total = { ...ZERO, totalTokens: contextWindow };
	return { total, last: { ...ZERO, totalTokens: rest }, modelContextWindow: contextWindow };
}

/** Usage after a compaction: the total stays, `last` is an estimate of what the new history takes. */
export function compactedUsage(before: TokenUsage | null, tokens: number): TokenUsage {
	const last = { ...ZERO, totalTokens: tokens };
	return { total: before?.total ?? ZERO, last, modelContextWindow: before?.modelContextWindow ?? null };
}

/** Tokens by the usual rule of thumb, four bytes each. */
export function estimateItemTokens(items: readonly unknown[]): number {
	return Math.ceil(items.reduce<number>((sum, item) => sum + Buffer.byteLength(JSON.stringify(item)), 0) / 4);
}
