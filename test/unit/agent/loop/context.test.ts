import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ModelItem } from "#daemon/agent/model.ts";
import {
	createPreludeBuilder,
	type PreludeBuilder,
	type PreludeRequest,
} from "#daemon/agent/prompt/build-prelude.ts";
import { createFakeClock, type FakeClock } from "#test/support/fake-clock.ts";
import { type Bench, createBench, said, toolOf } from "./fixture.ts";

let root = "";
let clock: FakeClock;
beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), "weave-context-"));
	mkdirSync(join(root, "sub"));
	mkdirSync(join(root, "codex"));
	writeFileSync(join(root, "AGENTS.md"), "Rules.");
	clock = createFakeClock(Date.UTC(2026, 5, 1, 12, 0));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function daemon(): PreludeBuilder {
	return createPreludeBuilder({
		codexHome: join(root, "codex"),
		env: {},
		clock,
		environment: { readText: (path) => readFile(path, "utf8").catch(() => undefined) },
		timeZone: "UTC",
	});
}

const told = (bench: Bench): ModelItem[] =>
	bench.events.flatMap((event) => (event.type === "history" ? event.items : []));
const request = (change: Partial<PreludeRequest> = {}): PreludeRequest => ({
	threadId: "thread",
	cwd: root,
	approvalPolicy: "never",
	sandbox: "danger-full-access",
	...change,
});
const answer = (text: string) => ({ items: [{ type: "text" as const, text }] });

/** What a request says beyond the one before, as `role:start of its first part`. */
function added(bench: Bench, index: number): string[] {
	const before = bench.inputOf(index - 1);
	return bench
		.inputOf(index)
		.slice(before.length)
		.map((item) => {
			const [part] = (item["content"] ?? []) as { text: string }[];
			return `${String(item["role"] ?? item.type)}:${part?.text.slice(0, 22) ?? ""}`;
		});
}

test("context: consecutive requests share their prefix byte for byte over turns, calls, settings, days and a restart", async () => {
	await using bench = await createBench([
		{ items: [{ type: "function_call", name: "t", args: {}, call_id: "c" }] },
		answer("one"),
		answer("two"),
		answer("three"),
		answer("four"),
		answer("five"),
		answer("six"),
	]);
	const tools = [toolOf("t", () => Promise.resolve(said("out")))];
	let build = daemon();
	async function turn(text: string, change: Partial<PreludeRequest> = {}, model = "gpt-5.5"): Promise<void> {
		const prelude = await build(request(change));
		const outcome = await bench.run(text, { tools, input: { prelude, model, history: told(bench) } });
		expect(outcome.status).toBe("completed");
	}
	await turn("first");
	await turn("policy", { approvalPolicy: "on-request", sandbox: "read-only" });
	await turn("folder", { approvalPolicy: "on-request", sandbox: "read-only", cwd: join(root, "sub") });
	clock.advance(24 * 3_600_000);
	writeFileSync(join(root, "sub", "AGENTS.md"), "More rules.");
	build = daemon();
	const there = { approvalPolicy: "on-request", sandbox: "read-only", cwd: join(root, "sub") } as const;
	await turn("restarted", there);
	await turn("planned", { ...there, settings: { collaboration_mode: { mode: "plan" } } });
	await turn("model", { ...there, settings: { collaboration_mode: { mode: "plan" } } }, "gpt-5.4");

	for (let index = 1; index < 7; index += 1) {
		const before = bench.inputOf(index - 1);
		const same = bench.inputOf(index).slice(0, before.length);
		expect(JSON.stringify(same)).toBe(JSON.stringify(before));
	}
	const context = bench.inputOf(0).map((item) => item["role"]);
	expect(context).toEqual(["developer", "developer", "user", "user"]);
	expect(added(bench, 2)).toEqual([
		"assistant:one",
		"developer:<permissions instructi",
		"user:<environment_context>\n",
		"user:policy",
	]);
	expect(added(bench, 3)).toEqual(["assistant:two", "user:<environment_context>\n", "user:folder"]);
	expect(added(bench, 4)).toEqual(["assistant:three", "user:# AGENTS.md instructio", "user:restarted"]);
	expect(added(bench, 5)).toEqual(["assistant:four", "developer:<collaboration_mode># ", "user:planned"]);
	expect(added(bench, 6)).toEqual(["assistant:five", "developer:<model_switch>\nAnother", "user:model"]);
});

test("context: a history without base instructions gets them ahead of each request, and keeps none", async () => {
	await using bench = await createBench([answer("ok")]);
	const history = [{ type: "message", role: "user", content: [{ type: "input_text", text: "imported" }] }];
	await bench.run("on", { input: { prelude: await daemon()(request()), history } });
	expect(bench.inputOf(0).map((item) => item["role"])).toEqual([
		"developer",
		"user",
		"developer",
		"user",
		"user",
	]);
	expect(told(bench).filter((item) => item["role"] === "developer")).toHaveLength(1);
});

test("context: without a prelude nothing is added", async () => {
	await using bench = await createBench([answer("ok")]);
	await bench.run("hi");
	expect(bench.inputOf(0)).toHaveLength(1);
});
