import { expect, test } from "vitest";
import { createDeferred } from "#base/deferred.ts";
import { createBench, said, toolOf } from "./fixture.ts";

const USER = ["item_started userMessage", "history message", "item_completed userMessage"];
const ANSWER = ["history message", "item_completed agentMessage", "usage_updated"];

test("loop: streams a text answer in the order of items, deltas, history and usage", async () => {
	await using bench = await createBench([
		{ items: [{ type: "text", text: "Hello there", id: "msg_a", phase: "final_answer" }] },
	]);
	const outcome = await bench.run("hi");
	expect(outcome).toEqual({ status: "completed", finalText: "Hello there" });
	expect(bench.lines()).toEqual([
		...USER,
		"item_started agentMessage",
		"delta Hello ",
		"delta there",
		...ANSWER,
	]);
	expect(bench.events[0]).toMatchObject({
		item: { id: "id-1", clientId: "client-1", content: [{ type: "text", text: "hi" }] },
	});
	expect(bench.events.at(-3)).toMatchObject({
		item: { id: "msg_a", text: "Hello there", phase: "final_answer" },
	});
});

test("loop: runs the calls of one response side by side and gives outputs in the order of the calls", async () => {
	await using bench = await createBench([
		{
			items: [
				{ type: "reasoning", summary: ["First.", "Second."], encrypted: "sealed" },
				{ type: "function_call", name: "slow", args: { n: 1 }, call_id: "call_slow" },
				{ type: "custom_tool_call", name: "fast", input: "raw text", call_id: "call_fast" },
			],
		},
		{ items: [{ type: "text", text: "Done." }] },
	]);
	const fastDone = createDeferred<void>();
	const slow = toolOf("slow", async (input) => {
		await fastDone.promise;
		return said(`slow got ${input}`);
	});
	const fast = toolOf("fast", (input) => {
		fastDone.resolve();
		return Promise.resolve(said(`fast got ${input}`));
	});
	const outcome = await bench.run("go", { tools: [slow, fast] });
	expect(outcome).toEqual({ status: "completed", finalText: "Done." });
	expect(bench.inputOf(1).slice(1)).toEqual([
		expect.objectContaining({ type: "reasoning", encrypted_content: "sealed" }),
		expect.objectContaining({ type: "function_call", call_id: "call_slow" }),
		expect.objectContaining({ type: "custom_tool_call", call_id: "call_fast" }),
		{
			type: "function_call_output",
			id: expect.stringMatching(/^fco_/),
			call_id: "call_slow",
			output: 'slow got {"n":1}',
		},
		{
			type: "custom_tool_call_output",
			id: expect.stringMatching(/^ctco_/),
			call_id: "call_fast",
			output: "fast got raw text",
		},
	]);
	expect(bench.inputOf(1).slice(0, 1)).toEqual(bench.inputOf(0));
	const reasoning = bench.events.find(
		(event) => event.type === "item_completed" && event.item.type === "reasoning",
	);
	expect(reasoning).toMatchObject({ item: { summary: ["First.", "Second."] } });
});

test("loop: answers unknown tools and broken arguments with text, and goes on", async () => {
	await using bench = await createBench([
		{
			items: [
				{ type: "function_call", name: "nothing", args: {}, call_id: "a" },
				{ type: "function_call", name: "known", args: "{broken", call_id: "b" },
				{ type: "function_call", name: "throws", args: {}, call_id: "c" },
			],
		},
		{ items: [{ type: "text", text: "Sorry." }] },
	]);
	const tools = [
		toolOf("known", () => Promise.resolve(said("never"))),
		toolOf("throws", () => Promise.reject(new Error("a mistake"))),
	];
	expect(await bench.run("go", { tools })).toMatchObject({ status: "completed" });
	const outputs = bench.inputOf(1).slice(-3);
	expect(outputs[0]).toMatchObject({ output: "unsupported call: nothing" });
	expect(outputs[1]).toMatchObject({
		output: expect.stringMatching(/^failed to parse function arguments: /),
	});
	expect(outputs[2]).toMatchObject({ output: "throws failed: a mistake" });
});

test("loop: usage adds up over responses and over turns", async () => {
	const usage = (total: number) => ({ input_tokens: total - 5, output_tokens: 5, total_tokens: total });
	await using bench = await createBench(
		[
			{ items: [{ type: "function_call", name: "t", args: {} }], usage: usage(100) },
			{ items: [{ type: "text", text: "x" }], usage: usage(200) },
		],
		{ toml: "" },
	);
	const zero = {
		inputTokens: 1,
		cachedInputTokens: 0,
		cacheWriteInputTokens: 0,
		outputTokens: 0,
		reasoningOutputTokens: 0,
	};
	const before = { totalTokens: 1000, ...zero };
	await bench.run("go", {
		tools: [toolOf("t", () => Promise.resolve(said("")))],
		input: { usageBefore: { total: before, last: before, modelContextWindow: null } },
	});
	const told = bench.events.flatMap((event) => (event.type === "usage_updated" ? [event.usage] : []));
	expect(told.map((each) => each.total.totalTokens)).toEqual([1100, 1300]);
	expect(told.map((each) => each.last.totalTokens)).toEqual([100, 200]);
});

test("loop: a steer cuts the stream, abandons the open message and asks again with both messages", async () => {
	await using bench = await createBench([
		{ items: [{ type: "text", chunks: ["First ", { gate: "never" }, "half"] }] },
		{ items: [{ type: "text", text: "Steered." }] },
	]);
	const running = bench.run("start");
	await bench.told("delta First ");
	bench.steer("rather this");
	expect(await running).toEqual({ status: "completed", finalText: "Steered." });
	await bench.model.cut(1);
	expect(bench.lines()).toEqual([
		...USER,
		"item_started agentMessage",
		"delta First ",
		...USER,
		"item_started agentMessage",
		"delta Steered.",
		...ANSWER,
	]);
	expect(JSON.stringify(bench.inputOf(1))).toContain("rather this");
	expect(bench.inputOf(1)).toHaveLength(2);
});

test("loop: a message that comes while a call runs waits for the call and is in the next request", async () => {
	await using bench = await createBench([
		{ items: [{ type: "function_call", name: "work", args: {}, call_id: "w" }] },
		{ items: [{ type: "text", text: "Both." }] },
	]);
	const work = toolOf("work", () => {
		bench.steer("meanwhile");
		return Promise.resolve(said("worked"));
	});
	expect(await bench.run("go", { tools: [work] })).toMatchObject({ finalText: "Both." });
	expect(bench.inputOf(1).map((item) => item.type)).toEqual([
		"message",
		"function_call",
		"function_call_output",
		"message",
	]);
});

test("loop: an interrupt in mid-stream ends the turn at once and tells the model in the next one", async () => {
	await using bench = await createBench([
		{ items: [{ type: "text", chunks: ["Part ", { gate: "never" }] }] },
	]);
	const running = bench.run("go");
	await bench.told("delta Part ");
	bench.interrupt();
	expect(await running).toEqual({ status: "interrupted", reason: "stopped by the test" });
	expect(bench.lines().slice(3)).toEqual(["item_started agentMessage", "delta Part ", "history message"]);
	expect(JSON.stringify(bench.events.at(-1))).toContain("<turn_aborted>");
	await bench.model.cut(1);
});

test("loop: an interrupt does not wait for a running call, whose output says so", async () => {
	await using bench = await createBench([
		{ items: [{ type: "function_call", name: "long", args: {}, call_id: "l" }] },
	]);
	const release = createDeferred<void>();
	const began = createDeferred<void>();
	const long = toolOf("long", async () => {
		began.resolve();
		await release.promise;
		return said("too late");
	});
	const running = bench.run("go", { tools: [long] });
	await began.promise;
	bench.interrupt();
	expect(await running).toMatchObject({ status: "interrupted" });
	const count = bench.events.length;
	const output = bench.events.flatMap((event) => (event.type === "history" ? event.items : []));
	expect(output.at(-2)).toMatchObject({
		type: "function_call_output",
		call_id: "l",
		output: expect.stringMatching(/^aborted/),
	});
	release.resolve();
	await release.promise;
	expect(bench.events).toHaveLength(count);
});

test("loop: a result that stops the turn ends it as interrupted without another request", async () => {
	await using bench = await createBench([
		{ items: [{ type: "function_call", name: "ask", args: {}, call_id: "a" }] },
	]);
	const ask = toolOf("ask", () =>
		Promise.resolve({ output: "rejected by user", success: false, stopTurn: true }),
	);
	expect(await bench.run("go", { tools: [ask] })).toMatchObject({ status: "interrupted" });
	expect(bench.model.requests).toHaveLength(1);
	expect(bench.lines().slice(-3)).toEqual([
		"history function_call_output",
		"usage_updated",
		"history message",
	]);
});

test("loop: a call that a crash left without an output gets one in the request", async () => {
	await using bench = await createBench([{ items: [{ type: "text", text: "ok" }] }]);
	const history = [{ type: "function_call", call_id: "lost", name: "t", arguments: "{}" }];
	await bench.run("again", { input: { history } });
	expect(bench.inputOf(0).map((item) => item.type)).toEqual([
		"function_call",
		"function_call_output",
		"message",
	]);
});

test("loop: hooks see the turn and each tool call", async () => {
	await using bench = await createBench([
		{ items: [{ type: "function_call", name: "t", args: {}, call_id: "c" }] },
		{ items: [{ type: "text", text: "x" }] },
	]);
	const names: string[] = [];
	const hooks = {
		run: (name: string) => {
			names.push(name);
			return Promise.resolve();
		},
	};
	await bench.run("go", { tools: [toolOf("t", () => Promise.resolve(said("")))], hooks });
	expect(names).toEqual([
		"before_agent_start",
		"before_tool_call",
		"after_tool_call",
		"tool_result_persist",
		"agent_end",
	]);
});
