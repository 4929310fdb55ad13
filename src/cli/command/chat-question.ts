import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import type { Question } from "#protocol/record.ts";

/** Params of Codex `item/tool/requestUserInput`, as far as a terminal shows them. */
const inputParamsSchema = z.looseObject({
	questions: z
		.array(
			z.looseObject({
				id: z.string(),
				question: z.string(),
				options: z
					.array(z.looseObject({ label: z.string() }))
					.nullable()
					.optional(),
			}),
		)
		.catch([]),
});

function inputsOf(question: Question) {
	return inputParamsSchema.parse(question.params).questions;
}

function bodyOf(question: Question): string {
	if (question.kind !== "user_input") return `  ${JSON.stringify(question.params)}`;
	return inputsOf(question)
		.map(({ question: text, options }) => {
			const labels = (options ?? []).map((option) => `    - ${option.label}`);
			return [`  ${text}`, ...labels].join("\n");
		})
		.join("\n");
}

/** What is asked, in lines for people. */
export function describeQuestion(question: Question): string {
	const { question_id, agent_name, kind, status } = question;
	return `${question_id}  #${agent_name}  ${kind}  ${status}\n${bodyOf(question)}`;
}

/** The words as the answers of a person's questions, one each, in order. @throws AppError USAGE. */
export function answersOf(question: Question, words: readonly string[]): unknown {
	if (question.kind !== "user_input")
		throw new AppError("USAGE", "Words answer only a question to a person; give --result or --refuse.");
	const inputs = inputsOf(question);
	if (inputs.length !== words.length)
		throw new AppError("USAGE", `It has ${inputs.length} questions; give one answer for each.`);
	const answers = inputs.map(({ id }, at) => [id, { answers: [words[at] ?? ""] }] as const);
	return { answers: Object.fromEntries(answers) };
}
