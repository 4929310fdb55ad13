import { expect, test } from "vitest";
import { createToolSearch } from "#daemon/agent/mcp/search.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { Tool } from "#daemon/agent/tool.ts";
import { createBench, said } from "./fixture.ts";

const add: Tool = {
	name: "mcp__ex__add",
	spec: {
		type: "namespace",
		name: "mcp__ex",
		description: "Sums.",
		tools: [
			{ type: "function", name: "add", description: "Adds numbers.", defer_loading: true, parameters: {} },
		],
	},
	execute: () => Promise.resolve(said("3")),
};

const searchCall: ModelItem = {
	type: "tool_search_call",
	id: "ts_1",
	call_id: "call_ts",
	status: "completed",
	execution: "client",
	arguments: { query: "add numbers" },
};

test("loop: a search for tools is answered by their specs, which no request listed, and the tool is called by its namespace", async () => {
	await using bench = await createBench([
		{ items: [{ type: "raw", item: searchCall }] },
		{ items: [{ type: "function_call", name: "add", namespace: "mcp__ex", args: {}, call_id: "call_add" }] },
		{ items: [{ type: "text", text: "3" }] },
	]);
	const outcome = await bench.run("sum", { tools: [createToolSearch([add]), add] });
	expect(outcome).toEqual({ status: "completed", finalText: "3" });
	expect(bench.asked.map(({ tools }) => tools.map(({ type }) => type))).toEqual(
		Array.from({ length: 3 }, () => ["tool_search"]),
	);
	expect(bench.inputOf(1).slice(-2)).toMatchObject([
		searchCall,
		{
			type: "tool_search_output",
			call_id: "call_ts",
			status: "completed",
			execution: "client",
			tools: [add.spec],
		},
	]);
	expect(bench.inputOf(2).at(-1)).toMatchObject({ type: "function_call_output", output: "3" });
});

test("loop: a model that reads its tools in the input has them there, the same in each request", async () => {
	const answers = [{ items: [{ type: "text" as const, text: "One." }] }];
	await using bench = await createBench(answers, { model: { toolsInInput: true } });
	const exec: Tool = { ...add, name: "exec", spec: { type: "custom", name: "exec" } };
	await bench.run("hi", { tools: [exec] });
	expect(bench.inputOf(0)[0]).toMatchObject({
		type: "additional_tools",
		role: "developer",
		tools: [{ type: "namespace", name: "functions", tools: [{ type: "custom", name: "exec" }] }],
	});
});
