import { expect, test } from "vitest";
import { chatAnswerCommand } from "#cli/command/chat-answer.ts";
import { chatDeleteCommand } from "#cli/command/chat-delete.ts";
import { chatReviewCommand } from "#cli/command/chat-review.ts";
import { createTestContext } from "#test/support/cli-context.ts";
import { connectedState, createFakeDaemonClient } from "#test/support/fake-daemon-client.ts";

const THREAD = "01930000-0000-7000-8000-000000000000";
const QUESTION = {
	...{ question_id: "q1", thread_id: THREAD, turn_id: "u1", item_id: "i1", agent_name: "amber" },
	...{ kind: "user_input", status: "pending", resolved_by: null, requested_at_ms: 1, resolved_at_ms: null },
	params: {
		questions: [
			{ id: "color", question: "Which colour?", options: [{ label: "red" }] },
			{ id: "size", question: "Which size?", options: null },
		],
	},
};

type Command = typeof chatAnswerCommand;

async function run(command: Command, args: string[], options: Record<string, string | boolean> = {}) {
	const client = createFakeDaemonClient({
		initial: connectedState(),
		answer: (method) =>
			method === "chat.question.list"
				? { questions: [QUESTION] }
				: { question: QUESTION, thread_id: THREAD, turn_id: "u1", hint: "this" },
	});
	const context = { ...createTestContext({ HOME: "/nowhere" }), connect: async () => client };
	await command.run(context, { args, options });
	return client.calls.at(-1);
}

test("chat answer: words answer the questions in order, and nothing is sent when one is missing", async () => {
	expect(await run(chatAnswerCommand, ["q1", "red", "large"])).toMatchObject({
		method: "chat.question.respond",
		params: {
			question_id: "q1",
			result: { answers: { color: { answers: ["red"] }, size: { answers: ["large"] } } },
		},
	});
	await expect(run(chatAnswerCommand, ["q1", "red"])).rejects.toMatchObject({ code: "USAGE" });
	await expect(run(chatAnswerCommand, ["q2"])).rejects.toMatchObject({ code: "QUESTION_NOT_FOUND" });
});

test("chat answer: a whole result or a refusal is sent as it is", async () => {
	const declined = await run(chatAnswerCommand, ["q1"], { result: '{"action":"decline"}' });
	expect(declined?.params).toEqual({ question_id: "q1", result: { action: "decline" } });
	const refused = await run(chatAnswerCommand, ["q1"], { refuse: "not now" });
	expect(refused?.params).toEqual({ question_id: "q1", error: "not now" });
});

test("chat review: what to look at is said one way, and by default is what is not committed", async () => {
	expect((await run(chatReviewCommand, [THREAD]))?.params).toMatchObject({
		target: { type: "uncommittedChanges" },
	});
	const base = await run(chatReviewCommand, [THREAD], { base: "main" });
	expect(base?.params).toMatchObject({ target: { type: "baseBranch", branch: "main" } });
	await expect(run(chatReviewCommand, [THREAD, "all"], { base: "main" })).rejects.toMatchObject({
		code: "USAGE",
	});
});

test("chat delete: needs the word that it is meant", async () => {
	await expect(run(chatDeleteCommand, [THREAD])).rejects.toMatchObject({ code: "USAGE" });
	expect(await run(chatDeleteCommand, [THREAD], { yes: true })).toMatchObject({ method: "chat.delete" });
});
