import { expect, test } from "vitest";
import type { ModelItem } from "#daemon/agent/model.ts";
import { COMPACTION_PREFACE } from "#daemon/agent/prompt/compaction-text.ts";
import type { TokenUsage } from "#protocol/codex-item.ts";
import { type Bench, createBench, said, toolOf } from "./fixture.ts";

const text = (role: string, words: string): ModelItem => ({
	type: "message",
	role,
	content: [{ type: role === "assistant" ? "output_text" : "input_text", text: words }],
});
const PRELUDE = [
	text("developer", "Base."),
	text("developer", "<permissions instructions>All.</permissions instructions>"),
	text("user", "<environment_context>Here.</environment_context>"),
];
const HISTORY = [
	text("user", "first"),
	text("assistant", "a"),
	text("user", "second"),
	text("assistant", "b"),
];
const answer = (words: string) => ({ items: [{ type: "text" as const, text: words }] });
const usageOf = (total: number) => ({ input_tokens: total - 5, output_tokens: 5, total_tokens: total });
const counts = (totalTokens: number) => ({
	totalTokens,
	inputTokens: 0,
	cachedInputTokens: 0,
	cacheWriteInputTokens: 0,
	outputTokens: 0,
	reasoningOutputTokens: 0,
});
const before = (totalTokens: number): TokenUsage => ({
	total: counts(totalTokens),
	last: counts(totalTokens),
	modelContextWindow: 258_400,
});

/** Roles and first words of a request or a history. */
const brief = (items: readonly ModelItem[]): string[] =>
	items.map((item) => {
		const [part] = (item["content"] ?? []) as { text: string }[];
		return part === undefined ? item.type : `${String(item["role"])}:${part.text.slice(0, 12)}`;
	});
const replaced = (bench: Bench): readonly ModelItem[] =>
	bench.events.flatMap((event) => (event.type === "history_replaced" ? event.items : []));
const totals = (bench: Bench): number[] =>
	bench.events.flatMap((event) => (event.type === "usage_updated" ? [event.usage.total.totalTokens] : []));
const toolsOf = (bench: Bench, request: number): unknown =>
	(bench.model.requests[request]?.body as { tools?: unknown } | undefined)?.tools;

test("compaction: a turn of its own asks for a summary without tools and keeps what people said, the context ahead of the last", async () => {
	await using bench = await createBench([{ ...answer("SUMMARY"), usage: usageOf(50) }]);
	const tools = [toolOf("t", () => Promise.resolve(said("")))];
	const input = {
		kind: "compact" as const,
		prelude: PRELUDE,
		history: HISTORY,
		usageBefore: before(1000),
		messages: [],
	};
	expect(await bench.run("", { tools, input })).toEqual({ status: "completed", finalText: null });
	expect(brief(bench.inputOf(0)).slice(0, 5)).toEqual([
		"developer:Base.",
		"user:first",
		"assistant:a",
		"user:second",
		"assistant:b",
	]);
	expect(toolsOf(bench, 0)).toEqual([]);
	expect(brief(replaced(bench))).toEqual([
		"developer:Base.",
		"user:first",
		"developer:<permissions",
		"user:<environment",
		"user:second",
		`user:${COMPACTION_PREFACE.slice(0, 12)}`,
	]);
	expect(JSON.stringify(replaced(bench).at(-1))).toContain("SUMMARY");
	expect(bench.lines()).toEqual([
		"item_started contextCompaction",
		"usage_updated",
		"usage_updated",
		expect.stringMatching(/^history_replaced/),
		"usage_updated",
		"item_completed contextCompaction",
	]);
	expect(totals(bench)).toEqual([1000, 1050, 1050]);
});

test("compaction: in the middle of a turn when the last response took more than the model's limit, and the turn goes on", async () => {
	await using bench = await createBench(
		[
			{ items: [{ type: "function_call", name: "t", args: {}, call_id: "c" }], usage: usageOf(9000) },
			{ ...answer("SUMMARY"), usage: usageOf(100) },
			{ ...answer("Done."), usage: usageOf(200) },
		],
		{ model: { autoCompactTokens: 8000 } },
	);
	const tools = [toolOf("t", () => Promise.resolve(said("out")))];
	const outcome = await bench.run("go", { tools, input: { prelude: PRELUDE } });
	expect(outcome).toEqual({ status: "completed", finalText: "Done." });
	expect(brief(bench.inputOf(2))).toEqual([
		"developer:Base.",
		"developer:<permissions",
		"user:<environment",
		"user:go",
		`user:${COMPACTION_PREFACE.slice(0, 12)}`,
	]);
	expect(bench.inputOf(2)[0]).toEqual(bench.inputOf(0)[0]);
	expect(bench.inputOf(2)[3]).toEqual(bench.inputOf(0)[3]);
	expect(bench.asked.map(({ kind, windowNumber }) => [kind, windowNumber])).toEqual([
		["turn", 0],
		["compaction", 0],
		["turn", 1],
	]);
});

test("compaction: ahead of what is said when the turn before took more than the limit", async () => {
	await using bench = await createBench([answer("SUMMARY"), answer("Done.")], {
		model: { autoCompactTokens: 8000 },
	});
	await bench.run("third", { input: { prelude: PRELUDE, history: HISTORY, usageBefore: before(9500) } });
	const lines = bench.lines();
	expect(lines.indexOf("item_completed contextCompaction")).toBeLessThan(
		lines.indexOf("item_started userMessage"),
	);
	expect(brief(bench.inputOf(1)).at(-1)).toBe("user:third");
	expect(bench.inputOf(1).filter((item) => item["role"] === "developer")).toHaveLength(2);
});

test("compaction: what is too long for its own request loses its oldest items until it fits", async () => {
	const failed = { failed: { code: "context_length_exceeded", message: "too long" } };
	await using bench = await createBench([
		{ items: [], end: failed },
		{ items: [], end: failed },
		answer("SUM"),
	]);
	const call = { type: "function_call", call_id: "x", name: "t", arguments: "{}" };
	const output = { type: "function_call_output", call_id: "x", output: "o" };
	const history = [call, output, ...HISTORY];
	await bench.run("", { input: { kind: "compact", history, messages: [] } });
	expect(
		bench
			.inputOf(0)
			.map((item) => item.type)
			.slice(0, 2),
	).toEqual(["function_call", "function_call_output"]);
	expect(brief(bench.inputOf(1))[0]).toBe("user:first");
	expect(brief(bench.inputOf(2))[0]).toBe("assistant:a");
	expect(brief(replaced(bench)).slice(0, 2)).toEqual(["user:first", "user:second"]);
	expect(bench.lines().filter((line) => line.startsWith("error"))).toEqual([]);
});

test("compaction: a refused request fails the turn and leaves the history as it was", async () => {
	await using bench = await createBench([{ status: 400, body: "no" }]);
	const outcome = await bench.run("", { input: { kind: "compact", history: HISTORY, messages: [] } });
	expect(outcome).toMatchObject({ status: "failed", error: { codexErrorInfo: "other" } });
	expect(bench.lines()).toEqual(["item_started contextCompaction", "error no"]);
});

test("compaction: the provider's own form sends a trigger with the tools and keeps the sealed item", async () => {
	const sealed = { type: "compaction", id: "cmp", encrypted_content: "SEALED" };
	await using bench = await createBench([{ items: [{ type: "raw", item: sealed }] }], {
		compaction: "remote",
	});
	const tools = [toolOf("t", () => Promise.resolve(said("")))];
	const input = {
		kind: "compact" as const,
		prelude: PRELUDE,
		history: HISTORY,
		usageBefore: before(1000),
		messages: [],
	};
	await bench.run("", { tools, input });
	expect(bench.inputOf(0).at(-1)).toEqual({ type: "compaction_trigger" });
	expect(toolsOf(bench, 0)).toHaveLength(1);
	expect(replaced(bench).at(-1)).toEqual(sealed);
	expect(totals(bench)).toEqual([1000]);
});

test("compaction: an answer of the provider's own form without a sealed item fails instead of losing the history", async () => {
	await using bench = await createBench([answer("words")], { compaction: "remote" });
	const outcome = await bench.run("", { input: { kind: "compact", history: HISTORY, messages: [] } });
	expect(outcome.status).toBe("failed");
	expect(replaced(bench)).toEqual([]);
});

test("compaction: an interrupt ends it without a new history", async () => {
	await using bench = await createBench([{ items: [{ type: "gate", name: "never" }] }]);
	const running = bench.run("", { input: { kind: "compact", history: HISTORY, messages: [] } });
	await bench.told("item_started contextCompaction");
	bench.interrupt();
	expect(await running).toMatchObject({ status: "interrupted" });
	expect(replaced(bench)).toEqual([]);
});
