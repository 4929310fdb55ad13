import { expect, test } from "vitest";
import { renderReview } from "#daemon/agent/loop/review-output.ts";
import type { LoopEvent } from "#daemon/agent/loop-port.ts";
import { createBench, said, toolOf } from "./fixture.ts";

const finding = (title: string, path: string) => ({
	title,
	body: "First.\nSecond.",
	confidence_score: 0.9,
	priority: 1,
	code_location: { absolute_file_path: path, line_range: { start: 1, end: 3 } },
});
const output = (findings: unknown[], overall_explanation = "There is a bug.") =>
	JSON.stringify({ findings, overall_correctness: "patch is incorrect", overall_explanation });
const REVIEW = {
	kind: "review" as const,
	review: {
		target: { type: "uncommittedChanges" },
		userFacingHint: "current changes",
		prompt: "Look at it.",
	},
	messages: [],
	prelude: [{ type: "message", role: "developer", content: [{ type: "input_text", text: "Reviewer." }] }],
	history: [{ type: "message", role: "user", content: [{ type: "input_text", text: "of the thread" }] }],
};
const kept = (events: readonly LoopEvent[]) =>
	events.flatMap((event) => (event.type === "history" ? event.items : []));
const textOf = (item: unknown): string => JSON.stringify(item);

test("review: a conversation of its own, of which the thread keeps the findings", async () => {
	const text = output([finding("[P1] Bug", "/x/a.ts")]);
	await using bench = await createBench([
		{ items: [{ type: "function_call", name: "look", args: {}, call_id: "c" }] },
		{ items: [{ type: "text", text, id: "msg_r" }] },
	]);
	const rendered = "There is a bug.\n\nReview comment:\n\n- [P1] Bug — /x/a.ts:1-3\n  First.\n  Second.";
	const outcome = await bench.run("", {
		tools: [toolOf("look", () => Promise.resolve(said("seen")))],
		input: REVIEW,
	});
	expect(outcome).toEqual({ status: "completed", finalText: rendered });
	expect(bench.lines()).toEqual([
		"item_started enteredReviewMode",
		"item_completed enteredReviewMode",
		"item_started userMessage",
		"item_completed userMessage",
		"item_started agentMessage",
		"item_started exitedReviewMode",
		"item_completed exitedReviewMode",
		"history message,message",
		"item_started agentMessage",
		"item_completed agentMessage",
	]);
	expect(bench.asked.map((request) => request.kind)).toEqual(["review", "review"]);
	expect(bench.inputOf(0).map((item) => item["role"])).toEqual(["developer", "user"]);
	expect(textOf(bench.inputOf(0))).not.toContain("of the thread");
	expect(textOf(bench.inputOf(1).slice(0, 2))).toBe(textOf(bench.inputOf(0)));
	const [action, answer] = kept(bench.events);
	expect(textOf(action)).toMatch(/<user_action>.*\[P1\] Bug/);
	expect(answer).toMatchObject({ role: "assistant", content: [{ type: "output_text", text: rendered }] });
});

test("review: one that fails or says nothing tells so, and the thread keeps that it did not end", async () => {
	await using bench = await createBench([
		{ status: 400, body: "no" },
		{ items: [{ type: "text", text: "" }] },
	]);
	expect(await bench.run("", { input: REVIEW })).toMatchObject({ status: "failed" });
	expect(bench.lines().slice(4)).toEqual([
		"error no",
		"item_started exitedReviewMode",
		"item_completed exitedReviewMode",
		"history message,message",
		"item_started agentMessage",
		"item_completed agentMessage",
	]);
	expect(bench.events.at(-1)).toMatchObject({
		item: { text: "Review was interrupted. Please re-run /review and wait for it to complete." },
	});
	expect(textOf(kept(bench.events)[0])).toContain("None.");
	expect(await bench.run("", { input: REVIEW })).toMatchObject({ status: "completed" });
});

test("review: an interrupt ends it with the same words", async () => {
	await using bench = await createBench([{ items: [{ type: "text", chunks: ["zz", { gate: "never" }] }] }]);
	const running = bench.run("", { input: REVIEW });
	await bench.told("item_started agentMessage");
	bench.interrupt();
	expect(await running).toMatchObject({ status: "interrupted" });
	expect(bench.lines().some((line) => line.startsWith("delta"))).toBe(false);
	expect(kept(bench.events)).toHaveLength(3);
	expect(JSON.stringify(kept(bench.events)[2])).toContain("<turn_aborted>");
});

test("review: findings are shown with their places, and text that is no JSON as it is", () => {
	const two = output([finding("A", "/x/a"), finding("B", "/x/b")], "");
	expect(renderReview(`Here: ${two} so`)).toBe(
		"Full review comments:\n\n- A — /x/a:1-3\n  First.\n  Second.\n\n- B — /x/b:1-3\n  First.\n  Second.",
	);
	expect(renderReview(output([], "Fine."))).toBe("Fine.");
	expect(renderReview(" plain words ")).toBe("plain words");
	expect(renderReview("{}")).toBe("{}");
	expect(renderReview(output([], ""))).toBe("Reviewer failed to output a response.");
});
