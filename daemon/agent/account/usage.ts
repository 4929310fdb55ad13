import { z } from "zod";
import type { RateLimits } from "./port.ts";

const windowSchema = z.looseObject({
	used_percent: z.number(),
	limit_window_seconds: z.number().nullish(),
	reset_at: z.number().nullish(),
});
const limitSchema = z.looseObject({
	primary_window: windowSchema.nullish().catch(null),
	secondary_window: windowSchema.nullish().catch(null),
});
const creditsSchema = z.looseObject({
	has_credits: z.boolean(),
	unlimited: z.boolean(),
	balance: z.union([z.string(), z.number()]).nullish(),
});
/** Answer of GET wham/usage. */
export const usageSchema = z.looseObject({
	plan_type: z.string().nullish(),
	rate_limit: limitSchema.nullish().catch(null),
	credits: creditsSchema.nullish().catch(null),
	additional_rate_limits: z
		.array(
			z.looseObject({
				limit_name: z.string().nullish(),
				metered_feature: z.string().nullish(),
				rate_limit: limitSchema.nullish().catch(null),
			}),
		)
		.nullish()
		.catch(null),
});
type Usage = z.infer<typeof usageSchema>;

function windowOf(window: z.infer<typeof windowSchema> | null | undefined): RateLimits | null {
	if (!window) return null;
	const seconds = window.limit_window_seconds ?? null;
	return {
		usedPercent: Math.round(window.used_percent),
		windowDurationMins: seconds === null ? null : Math.ceil(seconds / 60),
		resetsAt: window.reset_at ?? null,
	};
}

function creditsOf(credits: Usage["credits"]): RateLimits | null {
	if (!credits) return null;
	const { has_credits: hasCredits, unlimited, balance } = credits;
	return {
		hasCredits,
		unlimited,
		balance: balance === null || balance === undefined ? null : String(balance),
	};
}

/** One Codex `RateLimitSnapshot` of a usage answer. */
export function snapshotOf(
	usage: Usage,
	limitId: string,
	limitName: string | null,
	limit: Pick<Usage, "rate_limit"> & { credits?: Usage["credits"] | undefined },
): RateLimits {
	return {
		limitId,
		limitName,
		normalModelSlug: null,
		primary: windowOf(limit.rate_limit?.primary_window),
		secondary: windowOf(limit.rate_limit?.secondary_window),
		credits: creditsOf(limit.credits),
		individualLimit: null,
		spendControlReached: null,
		planType: usage.plan_type ?? null,
		rateLimitReachedType: null,
	};
}
