import { AppError } from "#base/app-error.ts";
import { defineCommand } from "../descriptor.ts";
import { textOption } from "./option-value.ts";

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		throw new AppError("USAGE", "--result takes JSON.");
	}
}

export const chatAnswerCommand = defineCommand({
	program: "weave-codex",
	name: "chat answer",
	summary: "Answer what an agent or a server asks; the first valid answer wins.",
	arguments: [
		{ name: "question", summary: "id of the question", required: true },
		{ name: "answer", summary: "one for each question asked, in order", required: false, variadic: true },
	],
	options: [
		{ flags: "--result <json>", summary: "the whole answer, as a Codex client gives it" },
		{ flags: "--refuse <why>", summary: "answer that there is no answer" },
	],
	examples: [
		{ command: 'weave-codex chat answer 0193... "the second one"', says: "one question, one answer" },
		{ command: `weave-codex chat answer 0193... --result '{"action":"decline"}'`, says: "an elicitation" },
	],
	json: true,
	async run(context, { args: [id = "", ...words], options }) {
		const { answersOf, describeQuestion } = await import("./chat-question.ts");
		const client = await context.connect();
		const { questions } = await client.call("chat.question.list", {});
		const question = questions.find((entry) => entry.question_id === id);
		if (question === undefined) throw new AppError("QUESTION_NOT_FOUND", `There is no open question ${id}.`);
		const error = textOption(options, "refuse");
		const json = textOption(options, "result");
		const result = json === undefined ? undefined : parseJson(json);
		const answer =
			error === undefined
				? { result: result === undefined ? answersOf(question, words) : result }
				: { error };
		const answered = await client.call("chat.question.respond", { question_id: id, ...answer });
		context.print(answered, describeQuestion(answered.question));
		return 0;
	},
});
