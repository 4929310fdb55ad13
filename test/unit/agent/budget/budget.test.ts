import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { configKey } from "#config/read.ts";
import { writeConfig } from "#config/write.ts";
import { type BudgetRules, createBudgetRules, readBudgetRules } from "#daemon/agent/budget/limits.ts";
import { type BudgetMeter, createBudgetMeter, localDay } from "#daemon/agent/budget/meter.ts";
import { costMicroUsd, findPrice } from "#daemon/agent/budget/prices.ts";
import { withBudget } from "#daemon/agent/budget/with-budget.ts";
import type { ModelEvent, ModelProvider } from "#daemon/agent/model.ts";
import { createBudgetHandlers } from "#daemon/service/budget/handlers.ts";
import { createBudgetStore } from "#daemon/storage/repository/budget.ts";
import type { Store } from "#daemon/storage/store.ts";
import { chatBudgetRead } from "#protocol/service/budget.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";
import { createMemoryLogger } from "#test/support/logger.ts";
import { openTestStore } from "#test/support/store.ts";

let folder = "";
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "weave-budget-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const usage = (inputTokens: number, outputTokens: number, cachedInputTokens = 0) => ({
	totalTokens: inputTokens + outputTokens,
	inputTokens,
	cachedInputTokens,
	cacheWriteInputTokens: 0,
	outputTokens,
	reasoningOutputTokens: 0,
});

function providerThat(events: readonly ModelEvent[], calls: { count: number } = { count: 0 }): ModelProvider {
	return {
		name: "claude",
		providerId: "claude",
		detail: "a test",
		defaultModel: "claude-sonnet-4-6",
		contextWindow: null,
		retries: { request: 0, stream: 0 },
		compaction: "local",
		async *stream() {
			calls.count += 1;
			yield* events;
		},
		describe: (model) => ({
			id: model ?? "claude-sonnet-4-6",
			toolMode: "classic",
			toolsInInput: false,
			contextWindow: null,
			autoCompactTokens: null,
			baseInstructions: null,
			supportsParallelToolCalls: true,
			takesImages: false,
			defaultEffort: null,
		}),
		listModels: () => [],
	};
}

const NO_LIMIT = { tokens: null, usd: null, turns: null };
const rulesOf = (
	day: Partial<BudgetRules["day"]>,
	thread: Partial<BudgetRules["thread"]> = {},
): BudgetRules => ({
	day: { ...NO_LIMIT, ...day },
	thread: { ...NO_LIMIT, ...thread },
	prices: {},
});

function meterOn(store: Store, rules: BudgetRules, clock = createFakeClock()): BudgetMeter {
	const budgetStore = createBudgetStore(store);
	return createBudgetMeter({ store: budgetStore, clock, logger: createMemoryLogger(), rules: () => rules });
}

async function ask(
	provider: ModelProvider,
	{ threadId = "t1", turnId = "u1" } = {},
	take = Number.POSITIVE_INFINITY,
): Promise<ModelEvent[]> {
	const request = { threadId, turnId, model: null, cwd: "/", input: [{ type: "message" }], tools: [] };
	const events: ModelEvent[] = [];
	for await (const event of provider.stream(request, new AbortController().signal)) {
		events.push(event);
		if (events.length >= take) break;
	}
	return events;
}
const done = (input: number, output: number): ModelEvent => ({
	type: "completed",
	usage: usage(input, output),
});

test("budget: a call over the day's tokens is not made, and says which budget and how to raise it", async () => {
	await using store = await openTestStore();
	await using meter = meterOn(store, rulesOf({ tokens: 150 }));
	const calls = { count: 0 };
	const provider = withBudget(providerThat([done(100, 50)], calls), meter);
	expect((await ask(provider)).at(-1)?.type).toBe("completed");
	const last = (await ask(provider, { threadId: "t2" })).at(-1);
	expect(calls.count).toBe(1);
	expect(last).toMatchObject({
		type: "failed",
		failure: { kind: "fatal", codexErrorInfo: "usageLimitExceeded" },
	});
	const failure = last?.type === "failed" ? last.failure : null;
	expect(failure?.message).toContain("150 of 150 tokens");
	expect(failure?.message).toContain("config set budget.day.tokens");
	expect(failure?.additionalDetails).toMatch(/^BUDGET_EXCEEDED/);
});

test("budget: a turn that has begun may end where only turns are limited", async () => {
	await using store = await openTestStore();
	await using meter = meterOn(store, rulesOf({}, { turns: 1 }));
	const provider = withBudget(providerThat([done(1, 1)]), meter);
	for (const turnId of ["u1", "u1"]) expect((await ask(provider, { turnId })).at(-1)?.type).toBe("completed");
	expect((await ask(provider, { turnId: "u2" })).at(-1)?.type).toBe("failed");
	expect((await ask(provider, { threadId: "t2", turnId: "u3" })).at(-1)?.type).toBe("completed");
});

test("budget: money counts by price, and a model without one is refused only where money is limited", async () => {
	await using store = await openTestStore();
	await using meter = meterOn(store, rulesOf({ usd: 3 }));
	const provider = withBudget(providerThat([done(1_000_000, 0)]), meter);
	expect((await ask(provider)).at(-1)?.type).toBe("completed");
	expect((await ask(provider)).at(-1)).toMatchObject({
		failure: { message: expect.stringContaining("$3.00 of $3") },
	});
	const unknown = { ...providerThat([done(1, 1)]), defaultModel: "nobody-knows" };
	expect((await ask(withBudget(unknown, meterOn(store, rulesOf({ usd: 1000 }))))).at(-1)).toMatchObject({
		failure: { message: expect.stringContaining("price of nobody-knows is not known") },
	});
	expect((await ask(withBudget(unknown, meterOn(store, rulesOf({ tokens: 1e9 }))))).at(-1)?.type).toBe(
		"completed",
	);
});

test("budget: what was spent outlives the meter, and a new day starts anew", async () => {
	await using store = await openTestStore();
	const clock = createFakeClock();
	{
		await using meter = meterOn(store, rulesOf({ tokens: 100 }), clock);
		await ask(withBudget(providerThat([done(90, 20)]), meter));
	}
	await using meter = meterOn(store, rulesOf({ tokens: 100 }), clock);
	const provider = withBudget(providerThat([done(1, 1)]), meter);
	expect((await ask(provider)).at(-1)?.type).toBe("failed");
	await meter.flush();
	expect(store.all("SELECT type FROM event_log WHERE type = 'budget.exceeded'")).toHaveLength(1);
	const before = localDay(clock.nowMs());
	clock.advance(25 * 3_600_000);
	expect(localDay(clock.nowMs())).not.toBe(before);
	expect((await ask(provider)).at(-1)?.type).toBe("completed");
	expect(meter.read("t1")).toMatchObject({ daySpent: { tokens: 2, turns: 1 }, threadSpent: { tokens: 112 } });
});

test("budget: a stream that was cut is estimated, and a request that failed at once costs nothing", async () => {
	await using store = await openTestStore();
	await using meter = meterOn(store, rulesOf({}));
	const delta: ModelEvent = { type: "text_delta", itemId: "m", delta: "x".repeat(400) };
	await ask(withBudget(providerThat([delta, done(1, 1)]), meter), {}, 1);
	expect(meter.read("t1").daySpent.tokens).toBeGreaterThan(100);
	const failure: ModelEvent = {
		type: "failed",
		failure: {
			kind: "request",
			message: "",
			codexErrorInfo: "other",
			additionalDetails: null,
			retryAfterMs: null,
			httpStatusCode: null,
		},
	};
	await ask(withBudget(providerThat([failure]), meter), { threadId: "t9" });
	expect(meter.read("t9").threadSpent).toMatchObject({ tokens: 0, requests: 0, turns: 1 });
});

test("budget: chat.budget.read tells limits, sums and models", async () => {
	await using store = await openTestStore();
	await using meter = meterOn(store, rulesOf({ usd: 10 }));
	await ask(withBudget(providerThat([done(1_000_000, 100_000)]), meter));
	const handlers = createBudgetHandlers({ meter, store });
	const result = chatBudgetRead.result.parse(await handlers["chat.budget.read"]({ thread_id: "t1" }));
	expect(result).toMatchObject({
		limits: { day: { usd: 10, tokens: null } },
		spent: { day: { tokens: 1_100_000, usd: 4.5, turns: 1, requests: 1 }, thread: { usd: 4.5 } },
		models: [{ provider: "claude", model: "claude-sonnet-4-6", priced: true, usd: 4.5 }],
	});
});

test("budget: prices follow a model through its dates, cached input costs less, and a name alike is another model", () => {
	const price = findPrice("claude-sonnet-4-5-20250929", {});
	expect(price).toMatchObject({ input: 3, output: 15 });
	if (price === null) throw new Error("no price");
	expect(costMicroUsd(price, usage(1000, 100, 900))).toBe(100 * 3 + 270 + 1500);
	expect(findPrice("claude-opus-4.6", {})).toMatchObject({ input: 5 });
	expect(findPrice("gpt-5.5-pro", {})).toBeNull();
	const own = { "gpt-5.5-pro": { input: 30, output: 180, cached: 30, cacheWrite: 30 } };
	expect(findPrice("gpt-5.5-pro", own)).toMatchObject({ output: 180 });
});

test("budget: rules come from config.json and the environment, and a wrong one is named", () => {
	const file = join(folder, "config.json");
	const prices = { local: { input: 0, output: 0 } };
	writeFileSync(file, JSON.stringify({ budget: { day: { tokens: 5 }, thread: { usd: 0.5 } }, prices }));
	expect(readBudgetRules(file, { HOMIE_BUDGET_DAY_TURNS: "7" })).toMatchObject({
		day: { tokens: 5, usd: null, turns: 7 },
		thread: { usd: 0.5 },
		prices: { local: { input: 0, cached: 0 } },
	});
	writeFileSync(file, JSON.stringify({ prices: { local: { input: "free" } } }));
	expect(() => readBudgetRules(file, {})).toThrow(/prices\.local/);
});

test("budget: background calls count for the day only", async () => {
	await using store = await openTestStore();
	await using meter = meterOn(store, rulesOf({ tokens: 3 }, { tokens: 1, turns: 0 }));
	const provider = withBudget(providerThat([done(1, 1)]), meter);
	const request = {
		threadId: "background",
		model: null,
		cwd: "/",
		input: [],
		tools: [],
		kind: "background" as const,
	};
	const ends: string[] = [];
	for (const turnId of ["a", "b", "c"]) {
		for await (const event of provider.stream({ ...request, turnId }, new AbortController().signal))
			ends.push(event.type);
	}
	expect(ends).toEqual(["completed", "completed", "failed"]);
	expect(meter.read(null).daySpent).toMatchObject({ tokens: 4, turns: 0 });
});

test("budget: a setting that is changed counts from the next call on", () => {
	const file = join(folder, "config.json");
	const rules = createBudgetRules(file, {});
	expect(rules().day).toEqual(NO_LIMIT);
	writeConfig(file, configKey("budget.day.tokens"), 7);
	expect(rules().day).toEqual({ ...NO_LIMIT, tokens: 7 });
	expect(rules()).toBe(rules());
	writeConfig(file, configKey("budget.day.tokens"), undefined);
	expect(rules().day).toEqual(NO_LIMIT);
});

test("budget: many threads that call at once do not each find the whole budget", async () => {
	await using store = await openTestStore();
	await using meter = meterOn(store, rulesOf({ tokens: 100 }));
	const counts = usage(40, 0);
	const callOf = (at: number) => ({
		...{ threadId: `t${at}`, turnId: "u", provider: "claude", model: "claude-sonnet-4-6" },
	});
	using held = new DisposableStack();
	let admitted = 0;
	for (let at = 0; at < 50; at += 1) {
		if (meter.admit(callOf(at)) !== null) continue;
		admitted += 1;
		held.use(meter.reserve(callOf(at), () => counts));
	}
	expect(admitted).toBe(3);
	held.dispose();
	expect(meter.admit(callOf(99))).toBeNull();
});
