/** What calls of one model cost in one thread on one day. */
export type Spend = {
	thread_id: string;
	/** Local day, as 2026-11-20. */
	day: string;
	provider: string;
	model: string;
	requests: number;
	turns: number;
	input_tokens: number;
	cached_tokens: number;
	output_tokens: number;
	total_tokens: number;
	/** Millionths of a dollar; 0 where no price is known. */
	usd_micro: number;
};
/** Sums of a day or a thread. */
export type Spent = { tokens: number; usdMicro: number; turns: number; requests: number };

export type ExceededEvent = {
	thread_id: string;
	turn_id: string;
	key: string;
	limit: number;
	spent: number;
};

/** Where spending is kept. Sums are of what was written. */
export interface BudgetStore {
	daySpent(day: string): Spent;
	threadSpent(threadId: string): Spent;
	/** Resolves when it is on disk. */
	write(spends: readonly Spend[]): Promise<void>;
	exceeded(event: ExceededEvent): Promise<void>;
}
