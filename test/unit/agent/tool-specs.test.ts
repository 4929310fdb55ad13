import { expect, test } from "vitest";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { Tool } from "#daemon/agent/tool.ts";
import { requestSpecs } from "#daemon/agent/tool-specs.ts";

const tool = (spec: ModelItem): Tool => ({
	name: String(spec["name"]),
	spec,
	execute: () => Promise.resolve({ output: "", success: true, stopTurn: false }),
});
const inner = (name: string, more: object = {}): ModelItem => ({ type: "function", name, ...more });
const group = (name: string, ...tools: ModelItem[]): ModelItem => ({ type: "namespace", name, tools });

test("tool specs: tools of one namespace are told as one, deferred ones not at all, the order stays", () => {
	const specs = [
		inner("exec_command"),
		group("mcp__a", inner("x")),
		group("mcp__b", inner("y")),
		group("mcp__a", inner("z")),
		group("mcp__c", inner("w", { defer_loading: true })),
		inner("late", { defer_loading: true }),
		{ type: "web_search" },
	];
	expect(requestSpecs(specs.map(tool))).toEqual([
		inner("exec_command"),
		group("mcp__a", inner("x"), inner("z")),
		group("mcp__b", inner("y")),
		{ type: "web_search" },
	]);
});
