import { expect, test } from "vitest";
import { splitPlan } from "#daemon/agent/loop/plan-text.ts";
import type { TurnInput } from "#daemon/agent/loop-port.ts";
import { type Bench, createBench } from "./fixture.ts";

const PLAN: Partial<TurnInput> = { mode: "plan" };
/** Lines between the person's message and the history, deltas of one kind joined. */
function shown(bench: Bench): string[] {
	const lines: string[] = [];
	for (const line of bench.lines().slice(3)) {
		const kind = /^(delta|plan) /.exec(line)?.[0];
		const last = lines.at(-1);
		if (kind !== undefined && last?.startsWith(kind))
			lines[lines.length - 1] = last + line.slice(kind.length);
		else lines.push(line);
	}
	return lines;
}

test("plan: the block becomes an item of its own and is cut out of the answer, not out of the history", async () => {
	const text = "Intro.\n<proposed_plan>\n# Plan\n- do a\n</proposed_plan>\nThanks.";
	await using bench = await createBench([{ items: [{ type: "text", text, id: "msg_p" }] }]);
	expect(await bench.run("go", { input: PLAN })).toEqual({
		status: "completed",
		finalText: "Intro.\nThanks.",
	});
	expect(shown(bench)).toEqual([
		"item_started agentMessage",
		"delta Intro.\n",
		"item_started plan",
		"plan # Plan\n- do a\n",
		"delta Thanks.",
		"history message",
		"item_completed plan",
		"item_completed agentMessage",
		"usage_updated",
	]);
	const items = bench.events.flatMap((event) => (event.type === "item_completed" ? [event.item] : []));
	expect(items.slice(1)).toMatchObject([
		{ type: "plan", id: "turn-plan", text: "# Plan\n- do a\n" },
		{ type: "agentMessage", id: "msg_p", text: "Intro.\nThanks." },
	]);
	const history = bench.events.flatMap((event) => (event.type === "history" ? event.items : []));
	expect(JSON.stringify(history)).toContain("<proposed_plan>");
});

test("plan: an answer that is all plan has no message", async () => {
	const text = "<proposed_plan>\nonly\n</proposed_plan>";
	await using bench = await createBench([{ items: [{ type: "text", text }] }]);
	await bench.run("go", { input: PLAN });
	expect(shown(bench)).toEqual([
		"item_started plan",
		"plan only\n",
		"history message",
		"item_completed plan",
		"usage_updated",
	]);
});

test("plan: outside of plan mode the block stays text", async () => {
	const text = "<proposed_plan>\nx\n</proposed_plan>";
	await using bench = await createBench([{ items: [{ type: "text", text }] }]);
	expect(await bench.run("go")).toMatchObject({ finalText: text });
});

test.each([
	[
		"a tag within a line is text",
		"Hi <proposed_plan>in</proposed_plan> it\n",
		{ text: "Hi <proposed_plan>in</proposed_plan> it\n", plan: null },
	],
	["an open block goes to the end", "A\n<proposed_plan>\nx\ny", { text: "A\n", plan: "x\ny" }],
	[
		"of two blocks the last counts",
		"<proposed_plan>\n1\n</proposed_plan>\nm\n<proposed_plan>\n2\n</proposed_plan>\n",
		{ text: "m\n", plan: "2\n" },
	],
	[
		"blanks around a tag do not matter",
		"  <proposed_plan> \nw\n </proposed_plan>\nafter",
		{ text: "after", plan: "w\n" },
	],
] as const)("plan: %s", (_name, text, parts) => {
	expect(splitPlan(text)).toEqual(parts);
});
