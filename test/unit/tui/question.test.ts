import { describe, expect, test } from "vitest";
import type { Question } from "#protocol/record.ts";
import { AT_MS, makeThread } from "../../support/tui-records.ts";
import { createDriver, type Driver } from "./tui-driver.ts";

function makeQuestion(part: Partial<Question> = {}): Question {
	const options = [
		{ label: "Yes (Recommended)", description: "go" },
		{ label: "No", description: "stop" },
	];
	const asked = { id: "q1", header: "Go?", question: "Proceed?", isOther: true, isSecret: false, options };
	return {
		question_id: "question-1",
		thread_id: "t-1",
		turn_id: "turn-1",
		item_id: "call-1",
		agent_name: "coder",
		kind: "user_input",
		params: { questions: [asked], isBlocking: true },
		status: "pending",
		resolved_by: null,
		requested_at_ms: AT_MS,
		resolved_at_ms: null,
		...part,
	};
}

function openThread(): Driver {
	const driver = createDriver({ link: { kind: "connected", epoch: "e" } });
	const thread = makeThread({ thread_id: "t-1" });
	driver.do({ type: "thread_opening", threadId: "t-1" });
	driver.do({ type: "chat_snapshot", snapshot: { thread, turns: [], has_more: false, approvals: [] } });
	driver.effects();
	return driver;
}

function ask(driver: Driver, question: Question): void {
	const { thread_id, turn_id, item_id } = question;
	driver.do({
		type: "chat_event",
		event: { type: "chat.question.required", thread_id, turn_id, item_id, question },
	});
}

function answers(driver: Driver) {
	return driver.effects().filter((effect) => effect.kind === "answer_question");
}

describe("questions", () => {
	test("question: is shown with its options and answered by a number", () => {
		const driver = openThread();
		ask(driver, makeQuestion());
		expect(driver.live()).toContain("Proceed?");
		expect(driver.live()).toContain("2 No");
		driver.keys("2", "enter");
		expect(answers(driver)).toEqual([
			{ kind: "answer_question", questionId: "question-1", result: { answers: { q1: { answers: ["No"] } } } },
		]);
		expect(driver.live()).not.toContain("Proceed?");
		expect(driver.state().editor.text).toBe("");
	});

	test("question: words of one's own are an answer where they are allowed", () => {
		const driver = openThread();
		ask(driver, makeQuestion());
		driver.keys("text:later, please", "enter");
		expect(answers(driver)).toMatchObject([{ result: { answers: { q1: { answers: ["later, please"] } } } }]);
	});

	test("question: an answer that is none is kept in the composer and said", () => {
		const driver = openThread();
		const params = {
			questions: [{ id: "q", question: "Which?", isOther: false, options: [{ label: "one" }] }],
		};
		ask(driver, makeQuestion({ params }));
		driver.keys("text:seven", "enter");
		expect(answers(driver)).toEqual([]);
		expect(driver.state().editor.text).toBe("seven");
		expect(driver.live()).toContain("answer with a number: 1 one");
	});

	test("question: a server's form is asked field by field after the consent", () => {
		const driver = openThread();
		const requestedSchema = {
			type: "object",
			properties: {
				name: { type: "string", title: "Name" },
				ok: { type: "boolean" },
				n: { type: "integer" },
			},
		};
		const params = { serverName: "files", mode: "form", message: "Who are you?", requestedSchema };
		ask(driver, makeQuestion({ kind: "elicitation", params }));
		driver.keys("1", "enter", "text:Ana", "enter", "1", "enter", "7", "enter");
		expect(answers(driver)).toMatchObject([
			{ result: { action: "accept", content: { name: "Ana", ok: true, n: 7 } } },
		]);
	});

	test("question: a declined form asks nothing more", () => {
		const driver = openThread();
		const requestedSchema = { type: "object", properties: { name: { type: "string" } } };
		const params = { serverName: "files", mode: "form", message: "Who are you?", requestedSchema };
		ask(driver, makeQuestion({ kind: "elicitation", params }));
		driver.keys("2", "enter");
		expect(answers(driver)).toMatchObject([{ result: { action: "decline", content: null } }]);
	});

	test("question: another client's answer takes it off the screen", () => {
		const driver = openThread();
		const question = makeQuestion();
		ask(driver, question);
		const { thread_id, turn_id, item_id } = question;
		const answered: Question = { ...question, status: "answered", resolved_by: "web" };
		driver.do({
			type: "chat_event",
			event: { type: "chat.question.resolved", thread_id, turn_id, item_id, question: answered },
		});
		expect(driver.live()).not.toContain("Proceed?");
	});

	test("question: a tool call for another client is not shown and takes no words", () => {
		const driver = openThread();
		ask(driver, makeQuestion({ kind: "tool_call", params: { tool: "x" } }));
		driver.keys("text:hello", "enter");
		expect(answers(driver)).toEqual([]);
		expect(driver.state().outbox).toHaveLength(1);
	});
});

describe("steps", () => {
	test("step: a call of an MCP tool is one line with its state", () => {
		const driver = openThread();
		const item = {
			type: "mcpToolCall" as const,
			id: "call-9",
			server: "files",
			tool: "search",
			status: "inProgress" as const,
			arguments: { q: "x" },
			result: null,
			error: null,
			durationMs: null,
		};
		const about = { thread_id: "t-1", turn_id: "turn-1", item_id: item.id };
		driver.do({ type: "chat_event", event: { type: "chat.item.started", ...about, item } });
		expect(driver.live()).toMatch(/files\.search \{"q":"x"\} .*running/);
		const done = { ...item, status: "completed" as const };
		driver.do({ type: "chat_event", event: { type: "chat.item.completed", ...about, item: done } });
		expect(driver.printed()).toMatch(/files\.search \{"q":"x"\} .*done/);
	});

	test("step: the plan is printed anew each time it changes", () => {
		const driver = openThread();
		const about = {
			type: "chat.plan.updated" as const,
			thread_id: "t-1",
			turn_id: "turn-1",
			explanation: null,
		};
		const first = { ...about, plan: [{ step: "look", status: "inProgress" as const }] };
		const second = { ...about, plan: [{ step: "look", status: "completed" as const }] };
		for (const event of [first, first, second]) driver.do({ type: "chat_event", event });
		expect(driver.printed().match(/\[.\] look/g)).toEqual(["[>] look", "[x] look"]);
	});
});
