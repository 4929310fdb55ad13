import type { Clock } from "#base/clock.ts";
import type { Logger } from "#daemon/telemetry/port.ts";
import type { TokenCounts } from "#protocol/codex-item.ts";
import type { BudgetRules, Limit } from "./limits.ts";
import type { BudgetStore, Spend, Spent } from "./port.ts";
import { costMicroUsd, findPrice } from "./prices.ts";

/** How long what was spent waits to be written, with what comes meanwhile. */
const WRITE_BEHIND_MS = 100;
const MICRO = 1_000_000;

/** A call to a model, before it is made. */
export interface BudgetCall {
	readonly threadId: string;
	readonly turnId: string;
	readonly provider: string;
	readonly model: string;
	/** Not a thread's own work: it counts for the day, and neither as a thread nor as a turn. */
	readonly background?: boolean;
}
/** Which budget is used up. */
export interface BudgetHit {
	/** Name of the setting. */
	readonly key: string;
	readonly limit: number;
	readonly spent: number;
	readonly message: string;
}

/** Counts what models cost. */
export interface BudgetMeter extends AsyncDisposable {
	/** Whether the call may be made; counts its turn when it may. @throws AppError CONFIG_INVALID. */
	admit(call: BudgetCall): BudgetHit | null;
	/** While it is not disposed, other calls find at least this spent: many threads at once must not each see an empty till. */
	reserve(call: BudgetCall, estimate: () => TokenCounts): Disposable;
	/** After the call; durable a moment later. */
	spend(call: BudgetCall, counts: TokenCounts): void;
	/** Resolves when all that was spent so far is on disk. */
	flush(): Promise<void>;
	/** What counts now. @throws AppError CONFIG_INVALID. */
	read(threadId: string | null): {
		day: string;
		rules: BudgetRules;
		daySpent: Spent;
		threadSpent: Spent | null;
	};
}

export interface BudgetMeterOptions {
	readonly store: BudgetStore;
	readonly clock: Clock;
	readonly logger: Logger;
	/** Read anew for each call. */
	readonly rules: () => BudgetRules;
}

/** The machine's local day, as 2026-11-20. */
export function localDay(nowMs: number): string {
	const date = new Date(nowMs);
	const two = (value: number): string => String(value).padStart(2, "0");
	return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function hitOf(scope: "day" | "thread", limit: Limit, spent: Spent, startsTurn: boolean): BudgetHit | null {
	const rows = [
		{
			unit: "tokens",
			limit: limit.tokens,
			spent: spent.tokens,
			isHit: spent.tokens >= (limit.tokens ?? Infinity),
		},
		{
			unit: "usd",
			limit: limit.usd,
			spent: spent.usdMicro / MICRO,
			isHit: spent.usdMicro >= (limit.usd ?? Infinity) * MICRO,
		},
		{
			unit: "turns",
			limit: limit.turns,
			spent: spent.turns,
			isHit: startsTurn && spent.turns >= (limit.turns ?? Infinity),
		},
	];
	const row = rows.find(({ isHit }) => isHit);
	if (row?.limit == null) return null;
	const key = `budget.${scope}.${row.unit}`;
	const whose = scope === "day" ? "today's budget" : "this thread's budget";
	const used =
		row.unit === "usd"
			? `$${row.spent.toFixed(2)} of $${row.limit}`
			: `${row.spent} of ${row.limit} ${row.unit}`;
	const message = `BUDGET_EXCEEDED: ${whose} is used up (${used}). Raise it with \`weave-codex config set ${key} N\`, or take it away with \`weave-codex config set ${key}\`.`;
	return { key, limit: row.limit, spent: row.spent, message };
}

function add(to: Spent, more: Omit<Spent, "requests"> & { requests: number }): void {
	to.tokens += more.tokens;
	to.usdMicro += more.usdMicro;
	to.turns += more.turns;
	to.requests += more.requests;
}

/** Spends that wait to be written, merged by thread, day and model. */
function createWriteBehind({ store, clock, logger }: BudgetMeterOptions) {
	let waiting = new Map<string, Spend>();
	let timer: Disposable | null = null;
	let last: Promise<void> = Promise.resolve();

	async function write(): Promise<void> {
		timer?.[Symbol.dispose]();
		timer = null;
		const spends = [...waiting.values()];
		waiting = new Map();
		if (spends.length === 0) return;
		try {
			await store.write(spends);
		} catch (error) {
			logger.warn("what was spent could not be written", { error: String(error) });
			for (const spend of spends) merge(spend);
		}
	}
	function merge(spend: Spend): void {
		const key = [spend.day, spend.thread_id, spend.provider, spend.model].join("\n");
		const before = waiting.get(key);
		if (before === undefined) {
			waiting.set(key, { ...spend });
			return;
		}
		before.requests += spend.requests;
		before.turns += spend.turns;
		before.input_tokens += spend.input_tokens;
		before.cached_tokens += spend.cached_tokens;
		before.output_tokens += spend.output_tokens;
		before.total_tokens += spend.total_tokens;
		before.usd_micro += spend.usd_micro;
	}
	return {
		add(spend: Spend): void {
			merge(spend);
			timer ??= clock.after(WRITE_BEHIND_MS, () => {
				last = last.then(write);
			});
		},
		flush(): Promise<void> {
			last = last.then(write);
			return last;
		},
	};
}

/** What was spent, of this day and of each thread that is at work; from the store at first sight, then kept in step. */
function createLedger(store: BudgetStore) {
	let today = "";
	let daySpent: Spent = { tokens: 0, usdMicro: 0, turns: 0, requests: 0 };
	const threads = new Map<string, Spent>();

	function ofDay(day: string): Spent {
		if (day !== today) {
			today = day;
			daySpent = store.daySpent(day);
		}
		return daySpent;
	}
	function ofThread(threadId: string): Spent {
		const known = threads.get(threadId);
		if (known !== undefined) return known;
		const read = store.threadSpent(threadId);
		threads.set(threadId, read);
		return read;
	}
	return { ofDay, ofThread };
}

/** What calls that run now will cost at least. */
function createReserve() {
	const running = new Set<{ threadId: string; isOwn: boolean; tokens: number; usdMicro: number }>();

	function on(spent: Spent, threadId: string | null): Spent {
		const sum = { ...spent };
		for (const one of running) {
			if (threadId !== null && !(one.isOwn && one.threadId === threadId)) continue;
			sum.tokens += one.tokens;
			sum.usdMicro += one.usdMicro;
		}
		return sum;
	}
	return {
		on,
		hold({ threadId, background }: BudgetCall, tokens: number, usdMicro: number): Disposable {
			const entry = { threadId, isOwn: background !== true, tokens, usdMicro };
			running.add(entry);
			return { [Symbol.dispose]: () => void running.delete(entry) };
		},
	};
}

export function createBudgetMeter(options: BudgetMeterOptions): BudgetMeter {
	const { store, clock, logger } = options;
	const ledger = createLedger(store);
	const reserve = createReserve();
	const behind = createWriteBehind(options);
	/** The turn of each thread that was counted last; a thread's turns follow each other. */
	const countedTurn = new Map<string, string>();
	const told = new Set<string>();
	let telling: Promise<void> = Promise.resolve();

	function record(call: BudgetCall, turns: number, requests: number, counts: TokenCounts | null): void {
		const day = localDay(clock.nowMs());
		const price = counts === null ? null : findPrice(call.model, options.rules().prices);
		const usdMicro = counts === null || price === null ? 0 : costMicroUsd(price, counts);
		const tokens = counts?.totalTokens ?? 0;
		add(ledger.ofDay(day), { tokens, usdMicro, turns, requests });
		add(ledger.ofThread(call.threadId), { tokens, usdMicro, turns, requests });
		behind.add({
			...{ thread_id: call.threadId, day, provider: call.provider, model: call.model, turns, requests },
			input_tokens: counts?.inputTokens ?? 0,
			cached_tokens: counts?.cachedInputTokens ?? 0,
			output_tokens: counts?.outputTokens ?? 0,
			total_tokens: tokens,
			usd_micro: usdMicro,
		});
	}

	function unpriced(call: BudgetCall, rules: BudgetRules): BudgetHit | null {
		const key =
			rules.day.usd !== null ? "budget.day.usd" : rules.thread.usd !== null ? "budget.thread.usd" : null;
		if (key === null || findPrice(call.model, rules.prices) !== null) return null;
		const message = `BUDGET_EXCEEDED: ${key} is set, and the price of ${call.model} is not known. Set prices["${call.model}"] in config.json (input and output, dollars per million tokens), or take the budget away with \`weave-codex config set ${key}\`.`;
		return { key, limit: rules.day.usd ?? rules.thread.usd ?? 0, spent: 0, message };
	}

	function tell(call: BudgetCall, hit: BudgetHit, day: string): void {
		const once = [day, hit.key, hit.key.startsWith("budget.thread") ? call.threadId : ""].join("\n");
		if (told.has(once)) return;
		told.add(once);
		const event = {
			thread_id: call.threadId,
			turn_id: call.turnId,
			key: hit.key,
			limit: hit.limit,
			spent: hit.spent,
		};
		telling = store.exceeded(event).catch((error: unknown) => {
			logger.warn("a used-up budget could not be noted", { error: String(error) });
		});
	}

	return {
		admit(call) {
			const rules = options.rules();
			const day = localDay(clock.nowMs());
			const isOwn = call.background !== true;
			const startsTurn = isOwn && countedTurn.get(call.threadId) !== call.turnId;
			const hit =
				hitOf("day", rules.day, reserve.on(ledger.ofDay(day), null), startsTurn) ??
				(isOwn
					? hitOf(
							"thread",
							rules.thread,
							reserve.on(ledger.ofThread(call.threadId), call.threadId),
							startsTurn,
						)
					: null) ??
				unpriced(call, rules);
			if (hit !== null) {
				tell(call, hit, day);
				return hit;
			}
			if (startsTurn) {
				countedTurn.set(call.threadId, call.turnId);
				record(call, 1, 0, null);
			}
			return null;
		},
		reserve(call, estimate) {
			const { day, thread, prices } = options.rules();
			// Measuring a long history is work, and nobody looks at the sum without such a limit.
			const limits = [day.tokens, day.usd, thread.tokens, thread.usd];
			if (limits.every((limit) => limit === null)) return reserve.hold(call, 0, 0);
			const counts = estimate();
			const price = findPrice(call.model, prices);
			return reserve.hold(call, counts.totalTokens, price === null ? 0 : costMicroUsd(price, counts));
		},
		spend: (call, counts) => record(call, 0, 1, counts),
		async flush() {
			await Promise.all([behind.flush(), telling]);
		},
		read(threadId) {
			const day = localDay(clock.nowMs());
			const threadSpent = threadId === null ? null : { ...ledger.ofThread(threadId) };
			return { day, rules: options.rules(), daySpent: { ...ledger.ofDay(day) }, threadSpent };
		},
		async [Symbol.asyncDispose]() {
			await Promise.all([behind.flush(), telling]);
		},
	};
}
