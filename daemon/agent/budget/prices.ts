import { z } from "zod";
import type { TokenCounts } from "#protocol/codex-item.ts";

/** Dollars per million tokens. */
export interface Price {
	readonly input: number;
	readonly output: number;
	/** Input read from the provider's cache, and written to it. */
	readonly cached: number;
	readonly cacheWrite: number;
	/** Requests with more input than this cost more, as a whole. */
	readonly long?: {
		readonly overTokens: number;
		readonly input: number;
		readonly output: number;
		readonly cached: number;
	};
}

interface PriceRow extends Price {
	readonly models: readonly string[];
	readonly source: string;
	/** When the source was read. */
	readonly date: string;
}

const ANTHROPIC = "docs.anthropic.com/en/docs/about-claude/pricing";

/** List prices. A model that is not here has none: nothing is guessed. */
export const PRICES: readonly PriceRow[] = [
	{
		models: ["claude-opus-4-8", "claude-opus-4-6", "claude-opus-4-5"],
		...{ input: 5, output: 25, cached: 0.5, cacheWrite: 6.25 },
		source: "list prices as reported, dev.to/toshanthistack (June 2026), deploybase.ai (March 2026)",
		date: "2026-11-20",
	},
	{
		models: ["claude-opus-4-1", "claude-opus-4-0", "claude-opus-4"],
		...{ input: 15, output: 75, cached: 1.5, cacheWrite: 18.75 },
		source: ANTHROPIC,
		date: "2026-11-20",
	},
	{
		models: ["claude-sonnet-4-6", "claude-sonnet-4-5", "claude-sonnet-4-0", "claude-sonnet-4"],
		...{ input: 3, output: 15, cached: 0.3, cacheWrite: 3.75 },
		source: ANTHROPIC,
		date: "2026-11-20",
	},
	{
		models: ["claude-haiku-4-5"],
		...{ input: 1, output: 5, cached: 0.1, cacheWrite: 1.25 },
		source: "list prices as reported, dev.to/toshanthistack (June 2026)",
		date: "2026-11-20",
	},
	{
		models: ["gpt-5.5"],
		...{ input: 5, output: 30, cached: 0.5, cacheWrite: 5 },
		long: { overTokens: 272_000, input: 10, output: 45, cached: 1 },
		source: "list prices as reported, benchr.org/articles/gpt-5-5-pricing-explained",
		date: "2026-11-20",
	},
	{
		models: ["gpt-5.2"],
		...{ input: 1.75, output: 14, cached: 0.175, cacheWrite: 1.75 },
		source: "list prices as reported, nicolalazzari.ai/articles/openai-api-pricing-explained-2026",
		date: "2026-11-20",
	},
	{
		models: ["gpt-5-mini"],
		...{ input: 0.25, output: 2, cached: 0.025, cacheWrite: 0.25 },
		source: "list prices as reported, nicolalazzari.ai/articles/openai-api-pricing-explained-2026",
		date: "2026-11-20",
	},
];

const amount = z.number().min(0);
/** `prices` of config.json. */
export const ownPricesSchema = z.record(
	z.string(),
	z
		.looseObject({ input: amount, output: amount, cached: amount.optional(), cache_write: amount.optional() })
		.transform(
			({ input, output, cached, cache_write: cacheWrite }): Price => ({
				input,
				output,
				cached: cached ?? input,
				cacheWrite: cacheWrite ?? input,
			}),
		),
);

/** Id without a date or `latest` at its end, dots as dashes: the same model has one price. */
function plainId(model: string): string {
	return model
		.toLowerCase()
		.replace(/-(latest|\d{8}|\d{4}-\d{2}-\d{2})$/, "")
		.replaceAll(".", "-");
}

/** Price of a model: the person's own first; null when nobody knows it. */
export function findPrice(model: string, own: Readonly<Record<string, Price>>): Price | null {
	const mine = Object.hasOwn(own, model) ? own[model] : undefined;
	if (mine !== undefined) return mine;
	const plain = plainId(model);
	return PRICES.find((row) => row.models.some((id) => plainId(id) === plain)) ?? null;
}

/** Millionths of a dollar that a response cost, rounded up. */
export function costMicroUsd(price: Price, counts: TokenCounts): number {
	const { inputTokens, cachedInputTokens, cacheWriteInputTokens, outputTokens } = counts;
	const isLong = price.long !== undefined && inputTokens > price.long.overTokens;
	const rate = isLong ? { ...price, ...price.long } : price;
	const plain = Math.max(0, inputTokens - cachedInputTokens - cacheWriteInputTokens);
	return Math.ceil(
		plain * rate.input +
			cachedInputTokens * rate.cached +
			cacheWriteInputTokens * rate.cacheWrite +
			outputTokens * rate.output,
	);
}
