import {
	type LoopPorts,
	REPLACED_REASON,
	type TurnInput,
	type TurnOutcome,
} from "#daemon/agent/loop-port.ts";
import type { Item } from "#protocol/codex-item.ts";
import { contextItems } from "./context.ts";
import { assistantItem, TURN_ABORTED_TEXT, userItem } from "./history.ts";
import { agentMessage, tellWhole } from "./open-items.ts";
import { NO_REVIEW, renderReview } from "./review-output.ts";
import { createTurn, remember, type Turn } from "./turn.ts";
import { addMessages } from "./user-input.ts";

/** What clients are told of a review that did not come to its end. */
const INTERRUPTED = "Review was interrupted. Please re-run /review and wait for it to complete.";

const userAction = (context: string, results: string): string =>
	`<user_action>\n  <context>${context}</context>\n  <action>review</action>\n  <results>\n  ${results}\n  </results>\n</user_action>\n`;
const DONE =
	"The person had a reviewer look at the changes; this is all it said. They may ask you to mend some of it.";
const STOPPED =
	"The person started a review that did not come to its end. Should they ask about it: it has to be started anew with `/review`.";

/** The review's own conversation: its prompt is what a person would have said. */
function conversation(input: TurnInput, ports: LoopPorts, signal: AbortSignal): Turn {
	const turn = createTurn(input, ports, signal, true);
	turn.history = contextItems([], { prelude: input.prelude, model: input.model, newId: ports.newId });
	return turn;
}

/** What the thread keeps of the review. */
async function keep(
	turn: Turn,
	[context, results, answer]: readonly [string, string, string],
): Promise<void> {
	const { newId } = turn.ports;
	await remember(turn, [
		userItem(userAction(context, results), `msg_${newId()}`),
		assistantItem(answer, `msg_${newId()}`),
	]);
}

/**
 * Runs a review: a conversation of its own, of which clients see the steps but not the streamed answer, and the thread
 * keeps the findings only.
 */
export async function runReview(
	input: TurnInput,
	ports: LoopPorts,
	signal: AbortSignal,
	converse: (turn: Turn) => Promise<TurnOutcome>,
): Promise<TurnOutcome> {
	const { newId } = ports;
	const main = createTurn(input, ports, signal);
	const apart = conversation(input, ports, signal);
	const hint = input.review?.userFacingHint ?? "";
	await tellWhole(main, { type: "enteredReviewMode", id: newId(), review: hint });
	const prompt = { clientId: null, text: input.review?.prompt ?? hint, itemId: newId() };
	await addMessages(apart, input.messages.length > 0 ? input.messages : [prompt]);
	const outcome = await converse(apart);
	const done = outcome.status === "completed" && (outcome.finalText ?? "").trim() !== "";
	const review = done ? renderReview(outcome.finalText ?? "") : NO_REVIEW;
	const answer = done ? review : INTERRUPTED;
	const exited: Item = { type: "exitedReviewMode", id: newId(), review };
	await tellWhole(main, exited);
	await keep(main, done ? [DONE, review, answer] : [STOPPED, "None.", answer]);
	if (outcome.status === "interrupted" && outcome.reason !== REPLACED_REASON)
		await remember(main, [userItem(TURN_ABORTED_TEXT, `msg_${newId()}`)]);
	const timing = { startedAtMs: null, completedAtMs: null };
	await tellWhole(main, agentMessage({ id: `msg_${newId()}`, text: answer, phase: null, timing }));
	return outcome.status === "completed" ? { status: "completed", finalText: answer } : outcome;
}
