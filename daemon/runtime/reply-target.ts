import type { MessageState, TurnStatus, WeaveAgent, WeaveMessage } from "#protocol/record.ts";
import { mayBeAnswered } from "./loop-guard.ts";
import { mayAdvance } from "./message-state.ts";

/** How the work on a message ended. */
export interface Outcome {
	readonly state: Extract<MessageState, "answered" | "done" | "failed" | "dropped">;
	readonly answer: string | null;
	readonly reason: string | null;
}

/** What the decision needs to know of a message. */
export interface Question {
	readonly message_id: string;
	readonly kind: WeaveMessage["kind"];
	readonly state: MessageState;
	readonly from_agent_id: string;
	readonly to_agent_id: string;
	/** Of the one who asked; `left` when no longer a member. */
	readonly asker: WeaveAgent["kind"] | "left";
}

export type Effect =
	| { readonly effect: "settle"; readonly message_id: string; readonly outcome: Outcome }
	| {
			readonly effect: "reply";
			readonly in_reply_to: string;
			readonly from_agent_id: string;
			readonly to_agent_id: string;
			readonly text: string;
	  };

/** The answer of a turn is its final text; a turn that says nothing leaves the question done. */
export function outcomeOfTurn(turn: { status: TurnStatus; final_text: string | null }): Outcome {
	if (turn.status === "interrupted") return { state: "failed", answer: null, reason: "interrupted" };
	if (turn.status !== "completed") return { state: "failed", answer: null, reason: "turn_failed" };
	const text = turn.final_text ?? "";
	if (text.trim() === "") return { state: "done", answer: null, reason: null };
	return { state: "answered", answer: text, reason: null };
}

function guarded(kind: Question["kind"], outcome: Outcome): Outcome {
	if (outcome.state !== "answered") return outcome;
	if (mayBeAnswered(kind) && outcome.answer !== null && outcome.answer.trim() !== "") return outcome;
	return { state: "done", answer: null, reason: null };
}

/**
 * Settles a question once: nothing happens to one already settled, a reply goes only to the one who asked, and only to
 * agents (a person reads the answer on the message itself).
 */
export function settleQuestion(question: Question, wanted: Outcome): readonly Effect[] {
	const outcome = guarded(question.kind, wanted);
	if (!mayAdvance(question.state, outcome.state)) return [];
	const settle: Effect = { effect: "settle", message_id: question.message_id, outcome };
	const repliesTo = question.asker === "thread" || question.asker === "external";
	if (outcome.state !== "answered" || outcome.answer === null || !repliesTo) return [settle];
	const reply: Effect = {
		effect: "reply",
		in_reply_to: question.message_id,
		from_agent_id: question.to_agent_id,
		to_agent_id: question.from_agent_id,
		text: outcome.answer,
	};
	return [settle, reply];
}
