import type { z } from "zod";
import type { BudgetMeter } from "#daemon/agent/budget/meter.ts";
import type { Spent } from "#daemon/agent/budget/port.ts";
import { findPrice } from "#daemon/agent/budget/prices.ts";
import type { chatBudgetRead } from "#protocol/service/budget.ts";
import { listDayModels } from "../../storage/repository/budget.ts";
import type { Reader } from "../../storage/store.ts";

type Params = z.output<typeof chatBudgetRead.params>;
type Result = z.output<typeof chatBudgetRead.result>;

const shown = ({ tokens, usdMicro, turns, requests }: Spent) => ({
	tokens,
	usd: usdMicro / 1_000_000,
	turns,
	requests,
});

/** Handlers of `chat.budget.*`. */
export function createBudgetHandlers({ meter, store }: { meter: BudgetMeter; store: Reader }): {
	readonly "chat.budget.read": (params: Params) => Promise<Result>;
} {
	return {
		async "chat.budget.read"({ thread_id: threadId }) {
			await meter.flush();
			const { day, rules, daySpent, threadSpent } = meter.read(threadId ?? null);
			const models = listDayModels(store, day).map((row) => ({
				provider: row.provider,
				model: row.model,
				priced: findPrice(row.model, rules.prices) !== null,
				...shown(row),
			}));
			return {
				day,
				limits: { day: rules.day, thread: rules.thread },
				spent: { day: shown(daySpent), thread: threadSpent === null ? null : shown(threadSpent) },
				models,
			};
		},
	};
}
