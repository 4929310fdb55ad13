import type { Question } from "#protocol/record.ts";
import type { State } from "./state.ts";
import { only, type ReduceContext, remark, type Update } from "./update.ts";

/** One thing that is asked; `id` names its place in the answer. */
export interface Asked {
	readonly id: string;
	readonly title: string;
	readonly text: string;
	readonly options: readonly { readonly label: string; readonly description: string }[];
	/** Words of one's own are an answer too. */
	readonly isFree: boolean;
}

type Loose = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const isLoose = (value: unknown): value is Loose => typeof value === "object" && value !== null;
const loose = (value: unknown): Loose => (isLoose(value) ? value : {});
const list = (value: unknown): readonly Loose[] => (Array.isArray(value) ? value.filter(isLoose) : []);

function askedByModel(params: Loose): Asked[] {
	return list(params["questions"]).map((entry) => {
		const options = list(entry["options"]).map((option) => ({
			label: text(option["label"]),
			description: text(option["description"]),
		}));
		return {
			id: text(entry["id"]),
			title: text(entry["header"]),
			text: text(entry["question"]),
			options,
			isFree: options.length === 0 || entry["isOther"] === true,
		};
	});
}

const CONSENT = "\u0000consent";
const ACCEPT = { label: "accept", description: "" };
const DECLINE = { label: "decline", description: "" };

/** A server's form is asked field by field, after the consent to answer at all. */
function askedByServer(params: Loose): Asked[] {
	const about = [text(params["message"]), text(params["url"])].filter(Boolean).join("\n");
	const consent: Asked = {
		id: CONSENT,
		title: text(params["serverName"]),
		text: about,
		options: [ACCEPT, DECLINE],
		isFree: false,
	};
	const schema = loose(params["requestedSchema"]);
	const fields = Object.entries(loose(schema["properties"])).map(([id, value]): Asked => {
		const field = loose(value);
		const choices = field["type"] === "boolean" ? ["yes", "no"] : field["enum"];
		const options = Array.isArray(choices)
			? choices.map((choice) => ({ label: String(choice), description: "" }))
			: [];
		const label = text(field["title"]) || id;
		return { id, title: label, text: text(field["description"]), options, isFree: options.length === 0 };
	});
	return [consent, ...fields];
}

/** What a question asks, in order; empty for what a terminal cannot answer (a tool that another client brought). */
export function askedOf(question: Question): Asked[] {
	if (question.kind === "user_input") return askedByModel(question.params);
	return question.kind === "elicitation" ? askedByServer(question.params) : [];
}

/** The question on the screen: the oldest of the open conversation that a terminal can answer, and which part of it is next. */
export function openQuestion(state: State): { question: Question; asked: Asked; index: number } | undefined {
	const { threadId } = state.slot;
	for (const question of state.questions.queue) {
		if (threadId === undefined || question.thread_id !== threadId) continue;
		const parts = askedOf(question);
		const index = state.questions.answers.length;
		const asked = parts[index];
		if (asked !== undefined) return { question, asked, index };
	}
	return undefined;
}

/** Puts a pending question at the end of the queue; takes away one that is over. */
export function putQuestion(state: State, question: Question): State {
	const rest = state.questions.queue.filter((entry) => entry.question_id !== question.question_id);
	const isOpen = question.status === "pending";
	// Answers so far belong to the head; another head starts anew.
	const isHead = state.questions.queue[0]?.question_id === question.question_id;
	const answers = isHead && !isOpen ? [] : state.questions.answers;
	return { ...state, questions: { queue: isOpen ? [...rest, question] : rest, answers } };
}

/** The questions of a thread are these from now on; those of others stay. */
export function replaceQuestions(state: State, threadId: string, questions: readonly Question[]): State {
	const others = state.questions.queue.filter((entry) => entry.thread_id !== threadId);
	const head = state.questions.queue[0]?.question_id;
	const isKept = questions.some((entry) => entry.question_id === head);
	return {
		...state,
		questions: { queue: [...others, ...questions], answers: isKept ? state.questions.answers : [] },
	};
}

/** The answer that a draft gives: the label of a numbered or named option, or the words themselves. */
function answerOf(asked: Asked, draft: string): string | undefined {
	const byNumber = /^\d{1,2}$/.test(draft) ? asked.options[Number(draft) - 1] : undefined;
	const lower = draft.toLowerCase();
	const byName = asked.options.find((option) => option.label.toLowerCase() === lower);
	return (byNumber ?? byName)?.label ?? (asked.isFree ? draft : undefined);
}

function fieldValue(field: Loose, answer: string): unknown {
	const type = field["type"];
	if (type === "boolean") return answer === "yes";
	if (type === "integer" || type === "number") return Number(answer);
	return answer;
}

/** The answers in the shape of the Codex client's reply. */
function resultOf(question: Question, answers: readonly string[]): unknown {
	const parts = askedOf(question);
	if (question.kind === "user_input") {
		const entries = parts.map((part, index) => [part.id, { answers: [answers[index] ?? ""] }]);
		return { answers: Object.fromEntries(entries) };
	}
	if (answers[0] !== ACCEPT.label) return { action: "decline", content: null, _meta: null };
	const schema = loose(loose(question.params)["requestedSchema"]);
	const fields = loose(schema["properties"]);
	const values = parts.slice(1).map((part, index) => {
		const answer = answers[index + 1] ?? "";
		return [part.id, fieldValue(loose(fields[part.id]), answer)];
	});
	return { action: "accept", content: Object.fromEntries(values), _meta: null };
}

/** Takes a draft as the answer to what is asked; undefined when nothing is. The draft is the caller's to clear. */
export function answerQuestion(state: State, draft: string, { nowMs }: ReduceContext): Update | undefined {
	const open = openQuestion(state);
	if (open === undefined) return undefined;
	const answer = answerOf(open.asked, draft);
	if (answer === undefined) {
		const names = open.asked.options.map((option, index) => `${index + 1} ${option.label}`).join(", ");
		return only(remark(state, `answer with a number: ${names}`, nowMs, "attention"));
	}
	const answers = [...state.questions.answers, answer];
	const parts = askedOf(open.question);
	const isRefused = open.asked.id === CONSENT && answer !== ACCEPT.label;
	if (answers.length < parts.length && !isRefused)
		return only({ ...state, questions: { ...state.questions, answers } });
	const { question_id: questionId } = open.question;
	const queue = state.questions.queue.filter((entry) => entry.question_id !== questionId);
	return only(
		{ ...state, questions: { queue, answers: [] } },
		{ kind: "answer_question", questionId, result: resultOf(open.question, answers) },
	);
}
