import type { AnswerHeaders } from "../wire/http.ts";

/** Codex `RateLimitSnapshot`. */
export type RateLimitSnapshot = Readonly<Record<string, unknown>>;

const PREFIX = "x-codex";
const USED = "-primary-used-percent";

function numberOf(headers: AnswerHeaders, name: string): number | null {
	const text = headers.get(name);
	if (text === null || text.trim() === "") return null;
	const value = Number(text);
	return Number.isFinite(value) ? value : null;
}

function flagOf(headers: AnswerHeaders, name: string): boolean | null {
	const text = headers.get(name)?.toLowerCase();
	if (text === "true" || text === "1") return true;
	return text === "false" || text === "0" ? false : null;
}

function windowOf(headers: AnswerHeaders, prefix: string): RateLimitSnapshot | null {
	const used = numberOf(headers, `${prefix}-used-percent`);
	if (used === null) return null;
	const minutes = numberOf(headers, `${prefix}-window-minutes`);
	const resetsAt = numberOf(headers, `${prefix}-reset-at`);
	return { usedPercent: Math.round(used), windowDurationMins: minutes, resetsAt };
}

function creditsOf(headers: AnswerHeaders): RateLimitSnapshot | null {
	const hasCredits = flagOf(headers, "x-codex-credits-has-credits");
	const unlimited = flagOf(headers, "x-codex-credits-unlimited");
	if (hasCredits === null || unlimited === null) return null;
	return { hasCredits, unlimited, balance: headers.get("x-codex-credits-balance")?.trim() || null };
}

function snapshotOf(headers: AnswerHeaders, family: string): RateLimitSnapshot {
	return {
		limitId: family.slice(2).replaceAll("-", "_"),
		limitName: headers.get(`${family}-limit-name`)?.trim() || null,
		normalModelSlug: null,
		primary: windowOf(headers, `${family}-primary`),
		secondary: windowOf(headers, `${family}-secondary`),
		credits: family === PREFIX ? creditsOf(headers) : null,
		individualLimit: null,
		spendControlReached: null,
		planType: null,
		rateLimitReachedType: headers.get("x-codex-rate-limit-reached-type")?.trim() || null,
	};
}

/** The limits that a response's headers tell: of `x-codex-*` itself and of every `x-codex-NAME-*`, in their order. */
export function rateLimitsOf(headers: AnswerHeaders): RateLimitSnapshot[] {
	const families = new Set<string>();
	for (const name of headers.keys()) {
		if (!name.startsWith(PREFIX)) continue;
		if (name.endsWith(USED)) families.add(name.slice(0, -USED.length));
		else if (name.startsWith("x-codex-credits-")) families.add(PREFIX);
	}
	return [...families].map((family) => snapshotOf(headers, family));
}
