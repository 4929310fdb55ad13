import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import { readConfig } from "#config/read.ts";
import { ownPricesSchema, type Price } from "./prices.ts";

/** Null: no limit. */
export type Limit = {
	readonly tokens: number | null;
	readonly usd: number | null;
	readonly turns: number | null;
};
/** What may be spent, and the person's own prices. */
export interface BudgetRules {
	readonly day: Limit;
	readonly thread: Limit;
	readonly prices: Readonly<Record<string, Price>>;
}

function ownPrices(file: string): Readonly<Record<string, Price>> {
	let raw: unknown;
	try {
		raw = JSON.parse(readFileSync(file, "utf8"));
	} catch {
		// No file, or one that readConfig refuses with its own words.
		return {};
	}
	const parsed = z.looseObject({ prices: ownPricesSchema.default({}) }).safeParse(raw);
	if (parsed.success) return parsed.data.prices;
	const member = parsed.error.issues[0]?.path.join(".") ?? "prices";
	throw new AppError("CONFIG_INVALID", `${file}: ${member} is not as expected.`, { data: { file } });
}

/** Reads the budgets of config.json and the environment. @throws AppError CONFIG_INVALID. */
export function readBudgetRules(
	file: string,
	env: Readonly<Record<string, string | undefined>>,
): BudgetRules {
	const config = readConfig(file, env);
	const amount = (value: unknown): number | null => (typeof value === "number" ? value : null);
	return {
		day: {
			tokens: amount(config.get("budget.day.tokens")),
			usd: amount(config.get("budget.day.usd")),
			turns: amount(config.get("budget.day.turns")),
		},
		thread: {
			tokens: amount(config.get("budget.thread.tokens")),
			usd: amount(config.get("budget.thread.usd")),
			turns: amount(config.get("budget.thread.turns")),
		},
		prices: ownPrices(file),
	};
}

/** Rules as the file is now; parsed anew only when it has changed, since every model call asks. */
export function createBudgetRules(
	file: string,
	env: Readonly<Record<string, string | undefined>>,
): () => BudgetRules {
	let cached: { stamp: string; rules: BudgetRules } | null = null;
	return () => {
		const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
		const stamp = stat === undefined ? "" : `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
		if (cached?.stamp !== stamp) cached = { stamp, rules: readBudgetRules(file, env) };
		return cached.rules;
	};
}
