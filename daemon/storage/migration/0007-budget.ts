import type { Migration } from "../store.ts";

/** What models cost, summed per thread, local day, provider and model. It outlives its thread: the day's sum must hold. */
export const budget: Migration = {
	version: 7,
	name: "budget",
	sql: `
CREATE TABLE budget_spend (
	thread_id TEXT NOT NULL,
	day TEXT NOT NULL,
	provider TEXT NOT NULL,
	model TEXT NOT NULL,
	requests INTEGER NOT NULL,
	turns INTEGER NOT NULL,
	input_tokens INTEGER NOT NULL,
	cached_tokens INTEGER NOT NULL,
	output_tokens INTEGER NOT NULL,
	total_tokens INTEGER NOT NULL,
	usd_micro INTEGER NOT NULL,
	PRIMARY KEY (thread_id, day, provider, model)
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_spend_by_day ON budget_spend (day);
`,
};
