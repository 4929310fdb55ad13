import { expect, test } from "vitest";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { Tool } from "#daemon/agent/tool.ts";
import { deferredNamespaces, functionNamespace, requestSpecs } from "#daemon/agent/tool-specs.ts";

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

test("tool specs: a model that reads tools in its input has all in namespaces, and none that the provider runs", () => {
	const specs = [
		inner("exec"),
		{ type: "custom", name: "script" },
		group("mcp__a", inner("x")),
		{ type: "web_search" },
	];
	expect(functionNamespace(specs)).toEqual([
		{ ...group("functions", inner("exec"), { type: "custom", name: "script" }), description: "" },
		group("mcp__a", inner("x")),
	]);
});

test("tool specs: a deferred namespace is named once, one that is told is not", () => {
	const late = { defer_loading: true };
	const named = { ...group("mcp__b", inner("x", late)), description: "Notes" };
	const tools = [
		named,
		group("mcp__b", inner("y", late)),
		group("mcp__a", inner("z", late)),
		group("told", inner("t")),
	];
	expect(deferredNamespaces(tools.map(tool))).toEqual([
		{ name: "mcp__a", description: "" },
		{ name: "mcp__b", description: "Notes" },
	]);
});
