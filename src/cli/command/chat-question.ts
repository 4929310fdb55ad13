import { AppError } from "#base/app-error.ts";
import type { Question } from "#protocol/record.ts";

/** One question of Codex `item/tool/requestUserInput`, as far as a terminal shows it. */
interface AskedInput {
	id: string;
	question: string;
	labels: string[];
}

function textOf(value: unknown, member: string): string {
	if (typeof value !== "object" || value === null) return "";
	const found: unknown = Reflect.get(value, member);
	return typeof found === "string" ? found : "";
}

/** Members of another type count as empty: the daemon passes on what a model asked. */
function inputsOf(question: Question): AskedInput[] {
	const asked: unknown = question.params["questions"];
	if (!Array.isArray(asked)) return [];
	return asked.map((entry: unknown) => {
		const options: unknown = typeof entry === "object" && entry !== null ? Reflect.get(entry, "options") : [];
		const labels = Array.isArray(options) ? options.map((option: unknown) => textOf(option, "label")) : [];
		return { id: textOf(entry, "id"), question: textOf(entry, "question"), labels };
	});
}

function bodyOf(question: Question): string {
	if (question.kind !== "user_input") return `  ${JSON.stringify(question.params)}`;
	return inputsOf(question)
		.map(({ question: text, labels }) => [`  ${text}`, ...labels.map((label) => `    - ${label}`)].join("\n"))
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
