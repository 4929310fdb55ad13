import { expect, test } from "vitest";
import type { LoopEvent } from "#daemon/agent/loop-port.ts";
import { createBench, said, toolOf } from "./fixture.ts";

const completed = (events: readonly LoopEvent[]) =>
	events.flatMap((event) => (event.type === "item_completed" ? [event.item] : []));
const notes = (events: readonly LoopEvent[], method: string) =>
	events.flatMap((event) => (event.type === "note" && event.method === method ? [event.params] : []));
const ANSWER = { items: [{ type: "text" as const, text: "ok", id: "msg_a" }] };

test("items: an answer has the members of the real server's", async () => {
	await using bench = await createBench([ANSWER]);
	await bench.run("hi");
	expect(Object.keys(completed(bench.events)[1] ?? {})).toEqual([
		"type",
		"moderation",
		"id",
		"text",
		"phase",
		"memoryCitation",
		"delivery",
		"questions",
		"startedAtMs",
		"completedAtMs",
	]);
});

test("items: reasoning tells its parts, and its raw text only where it is asked for", async () => {
	const raw = {
		type: "reasoning",
		id: "rs",
		summary: [{ type: "summary_text", text: "Why." }],
		content: [{ type: "reasoning_text", text: "Raw." }],
		encrypted_content: "SEALED",
	};
	const events = [
		{
			type: "event" as const,
			event: { type: "response.output_item.added", item: { type: "reasoning", id: "rs" } },
		},
		{
			type: "event" as const,
			event: { type: "response.reasoning_summary_part.added", item_id: "rs", summary_index: 0 },
		},
		{
			type: "event" as const,
			event: {
				type: "response.reasoning_summary_text.delta",
				item_id: "rs",
				summary_index: 0,
				delta: "Why.",
			},
		},
		{ type: "raw" as const, item: raw },
	];
	await using bench = await createBench([{ items: events }, { items: events }]);
	await bench.run("quiet");
	expect(bench.lines().slice(3, 8)).toEqual([
		"item_started reasoning",
		"reasoning_part",
		"reasoning_delta",
		"history reasoning",
		"item_completed reasoning",
	]);
	expect(completed(bench.events)[1]).toMatchObject({ summary: ["Why."], content: [] });
	await bench.run("loud", { input: { showRawReasoning: true } });
	expect(completed(bench.events)[3]).toMatchObject({ summary: ["Why."], content: ["Raw."] });
	const kept = bench.events.flatMap((event) => (event.type === "history" ? event.items : []));
	expect(kept[1]).toEqual(raw);
});

test("items: a search of the provider is one item with its action; an unknown item is kept and not shown", async () => {
	const search = (action: unknown) => ({
		type: "raw" as const,
		item: { type: "web_search_call", id: "ws", status: "completed", action },
	});
	const unknown = { type: "of_tomorrow", id: "x", deep: { member: [1] } };
	await using bench = await createBench([
		{
			items: [
				search({ type: "search", query: "weather", queries: ["weather"] }),
				search({ type: "open_page", url: "https://a" }),
				search({ type: "find_in_page", url: "https://a", pattern: "b" }),
				{ type: "raw", item: unknown },
			],
		},
	]);
	await bench.run("hi");
	expect(completed(bench.events).slice(1)).toMatchObject([
		{
			type: "webSearch",
			query: "weather",
			action: { type: "search", query: "weather", queries: ["weather"] },
			results: null,
		},
		{ query: "https://a", action: { type: "openPage", url: "https://a" } },
		{ query: "'b' in https://a", action: { type: "findInPage", url: "https://a", pattern: "b" } },
	]);
	expect(bench.events.filter((event) => event.type === "item_started")[1]).toMatchObject({
		item: { query: "", action: { type: "other" } },
	});
	const kept = bench.events.flatMap((event) => (event.type === "history" ? event.items : []));
	expect(kept.at(-1)).toEqual(unknown);
});

test("items: raw items are told in the API's shape where a client asked, limits after every usage", async () => {
	await using bench = await createBench([
		{ items: [{ type: "function_call", name: "t", args: {}, call_id: "c" }] },
		ANSWER,
	]);
	const prelude = [
		{ type: "message", role: "developer", content: [{ type: "input_text", text: "Base." }] },
		{ type: "message", role: "user", content: [{ type: "input_text", text: "<environment_context>x" }] },
	];
	const tools = [toolOf("t", () => Promise.resolve(said("out")))];
	await bench.run("hi", { tools, input: { rawEvents: true, prelude } });
	const raw = notes(bench.events, "rawResponseItem/completed").map((params) => params["item"]);
	expect(raw).toMatchObject([
		{
			role: "user",
			internal_chat_message_metadata_passthrough: {
				content_item_kinds: ["environments.environment_context"],
			},
		},
		{
			role: "user",
			content: [{ type: "input_text", text: "hi" }],
			internal_chat_message_metadata_passthrough: { turn_id: "turn", content_item_kinds: ["user.text"] },
		},
		{ type: "function_call", internal_chat_message_metadata_passthrough: { turn_id: "turn" } },
		{ type: "function_call_output", id: expect.stringMatching(/^fco_/) },
		{ role: "assistant", internal_chat_message_metadata_passthrough: { content_item_kinds: ["unknown"] } },
	]);
	expect(notes(bench.events, "rawResponse/completed")).toHaveLength(2);
	expect(notes(bench.events, "account/rateLimits/updated")).toHaveLength(2);
	const first = bench.lines();
	expect(first.indexOf("rawResponseItem/completed")).toBeLessThan(first.indexOf("item_started userMessage"));
	const kept = bench.events.flatMap((event) => (event.type === "history" ? event.items : []));
	expect(JSON.stringify(kept)).not.toContain("metadata_passthrough");
});

test("items: results of several parts, further outputs and a note to the model go back in order", async () => {
	const image = { type: "input_image", image_url: "data:image/png;base64,AA" };
	await using bench = await createBench([
		{
			items: [
				{ type: "function_call", name: "see", args: {}, call_id: "s" },
				{ type: "custom_tool_call", name: "script", input: "x", call_id: "x" },
			],
		},
		ANSWER,
	]);
	const tools = [
		toolOf("see", () =>
			Promise.resolve({ ...said(""), content: [image], developerNote: "Allowed for good: ls" }),
		),
		toolOf("script", () => Promise.resolve({ ...said("one"), extraOutputs: ["two"] })),
	];
	await bench.run("hi", { tools });
	expect(bench.inputOf(1).slice(3)).toMatchObject([
		{ type: "function_call_output", call_id: "s", output: [image] },
		{ type: "custom_tool_call_output", call_id: "x", output: "one" },
		{ type: "custom_tool_call_output", call_id: "x", output: "two" },
		{ role: "developer", content: [{ text: "Allowed for good: ls" }] },
	]);
});

test("items: the turn's diff is told again after each usage", async () => {
	await using bench = await createBench([
		{ items: [{ type: "custom_tool_call", name: "patch", input: "p", call_id: "p" }] },
		ANSWER,
	]);
	const patch = toolOf("patch", (_input, context) => {
		context.items.diff("DIFF");
		return Promise.resolve(said("done"));
	});
	await bench.run("hi", { tools: [patch] });
	expect(bench.events.filter((event) => event.type === "diff_updated")).toEqual([
		{ type: "diff_updated", diff: "DIFF" },
		{ type: "diff_updated", diff: "DIFF" },
	]);
});

test("items: calls of one free-form tool run one after the other", async () => {
	await using bench = await createBench([
		{
			items: [
				{ type: "custom_tool_call", name: "patch", input: "1", call_id: "a" },
				{ type: "custom_tool_call", name: "patch", input: "2", call_id: "b" },
			],
		},
		ANSWER,
	]);
	let running = 0;
	const most: number[] = [];
	const patch = toolOf("patch", async (input) => {
		running += 1;
		most.push(running);
		await Promise.resolve();
		running -= 1;
		return said(input);
	});
	await bench.run("hi", { tools: [patch] });
	expect(most).toEqual([1, 1]);
});
