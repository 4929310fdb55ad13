import { z } from "zod";
import type { BudgetStore, ExceededEvent, Spend, Spent } from "#daemon/agent/budget/port.ts";
import { defineWrite, type Reader, type Store, type WriteCommand } from "../store.ts";

/** Adds to what was spent. */
const budgetSpend = defineWrite("budget.spend", (tx, { spends }: { spends: readonly Spend[] }): void => {
	for (const spend of spends) {
		tx.run(
			`INSERT INTO budget_spend (thread_id, day, provider, model, requests, turns, input_tokens, cached_tokens, output_tokens, total_tokens, usd_micro)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (thread_id, day, provider, model) DO UPDATE SET requests = requests + excluded.requests, turns = turns + excluded.turns,
			input_tokens = input_tokens + excluded.input_tokens, cached_tokens = cached_tokens + excluded.cached_tokens,
			output_tokens = output_tokens + excluded.output_tokens, total_tokens = total_tokens + excluded.total_tokens,
			usd_micro = usd_micro + excluded.usd_micro`,
			spend.thread_id,
			spend.day,
			spend.provider,
			spend.model,
			spend.requests,
			spend.turns,
			spend.input_tokens,
			spend.cached_tokens,
			spend.output_tokens,
			spend.total_tokens,
			spend.usd_micro,
		);
	}
});

/** A call was refused because a budget is used up. */
const budgetExceeded = defineWrite("budget.exceeded", (tx, event: ExceededEvent): void => {
	tx.append("daemon", "budget.exceeded", event);
});

const SUMS =
	"COALESCE(SUM(total_tokens), 0) AS tokens, COALESCE(SUM(usd_micro), 0) AS usdMicro, COALESCE(SUM(turns), 0) AS turns, COALESCE(SUM(requests), 0) AS requests";
const sumsSchema = z.object({
	tokens: z.number(),
	usdMicro: z.number(),
	turns: z.number(),
	requests: z.number(),
});
const modelRowSchema = sumsSchema.extend({ provider: z.string(), model: z.string() });

function readDaySpent(reader: Reader, day: string): Spent {
	return sumsSchema.parse(reader.get(`SELECT ${SUMS} FROM budget_spend WHERE day = ?`, day));
}

function readThreadSpent(reader: Reader, threadId: string): Spent {
	return sumsSchema.parse(reader.get(`SELECT ${SUMS} FROM budget_spend WHERE thread_id = ?`, threadId));
}

/** Of one day, the model that cost the most tokens first. */
export function listDayModels(reader: Reader, day: string): (Spent & { provider: string; model: string })[] {
	return reader
		.all(
			`SELECT provider, model, ${SUMS} FROM budget_spend WHERE day = ? GROUP BY provider, model ORDER BY tokens DESC, provider, model`,
			day,
		)
		.map((row) => modelRowSchema.parse(row));
}

export const BUDGET_COMMANDS = [budgetSpend, budgetExceeded] as const satisfies readonly WriteCommand<
	never,
	unknown
>[];

/** The meter's store on ours. */
export function createBudgetStore(store: Store): BudgetStore {
	return {
		daySpent: (day) => readDaySpent(store, day),
		threadSpent: (threadId) => readThreadSpent(store, threadId),
		write: (spends) => store.write(budgetSpend, { spends }),
		exceeded: (event) => store.write(budgetExceeded, event),
	};
}
