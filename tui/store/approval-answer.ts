import type { Approval, ApprovalDecision } from "#protocol/record.ts";
import type { KeyEvent } from "../keymap/key-event.ts";
import { chordOf } from "../keymap/resolve.ts";
import { approvalWindow } from "../screen/live-region.ts";
import type { ApprovalQueue, State } from "./state.ts";
import { only, type ReduceContext, remark, type Update } from "./update.ts";

/**
 * A prompt takes the keys by itself only when none was pressed for this long: longer than a pause between two words, short
 * enough for somebody who waits for it.
 */
export const QUIET_MS = 1_500;
/**
 * An answer to a prompt that took the keys by itself waits this long for a second key, which would make it the beginning of
 * a sentence; slow typists need about 400 ms from key to key.
 */
export const HOLD_MS = 500;

function put(state: State, part: Partial<ApprovalQueue>): State {
	return { ...state, approvals: { ...state.approvals, ...part } };
}

function isOccupied(state: State): boolean {
	return state.editor.text !== "" || state.panel !== undefined || state.history.search !== undefined;
}

/** Gives the keys to the head if nobody uses them; asks to be called again when that may be so later. */
export function settleFocus(state: State, nowMs: number): Update {
	const { approvals } = state;
	const head = approvals.queue[0];
	if (!head || !approvals.isArmed || approvals.isFocused || approvals.isPutOff || isOccupied(state))
		return only(state);
	if (approvals.answers.some((answer) => answer.approvalId === head.approval_id)) return only(state);
	const waitMs = state.lastKeyMs + QUIET_MS - nowMs;
	if (waitMs <= 0) return only(put(state, { isFocused: true, isAsked: false }));
	const action = { type: "approval_quiet", approvalId: head.approval_id } as const;
	return only(state, { kind: "later", afterMs: waitMs, action });
}

function send(state: State, head: Approval, decision: ApprovalDecision, confirm?: string): Update {
	const answers = [...state.approvals.answers, { approvalId: head.approval_id, decision }];
	return only(put(state, { isFocused: false, confirm: undefined, held: undefined, answers }), {
		kind: "answer_approval",
		approvalId: head.approval_id,
		digest: head.digest,
		decision,
		...(confirm === undefined ? {} : { confirm }),
	});
}

/** An answer is meant: sent, or its explicit word is asked for. */
function decide(state: State, head: Approval, decision: ApprovalDecision): Update {
	const isAccept = decision === "accept" || decision === "accept_for_session";
	if (!isAccept || head.confirm_word === null) return send(state, head, decision);
	return only(put(state, { confirm: "", held: undefined }));
}

const DECISION: Readonly<Record<string, ApprovalDecision>> = {
	"approval.once": "accept",
	"approval.session": "accept_for_session",
	"approval.decline": "decline",
	"approval.cancel": "cancel",
};

function scroll(state: State, command: string): Update {
	const shown = approvalWindow(state);
	if (!shown) return only(state);
	const page = Math.max(1, shown.to - shown.from - 1);
	const last = shown.total - (shown.to - shown.from);
	const step: Readonly<Record<string, number>> = {
		"approval.up": -1,
		"approval.down": 1,
		"approval.page_up": -page,
		"approval.page_down": page,
		"approval.first": -shown.total,
		"approval.last": shown.total,
	};
	const to = Math.max(0, Math.min(last, shown.from + (step[command] ?? 0)));
	return only(put(state, { scroll: to, isRead: state.approvals.isRead || to >= last }));
}

function answer(state: State, head: Approval, command: string, context: ReduceContext): Update {
	const { approvals } = state;
	const decision = DECISION[command];
	if (decision === undefined) return scroll(state, command);
	const isAccept = decision === "accept" || decision === "accept_for_session";
	const shown = approvalWindow(state);
	if (isAccept && !approvals.isRead && shown !== undefined && shown.to < shown.total)
		return only(remark(state, "there is more of it: space shows it, to the end", context.nowMs, "attention"));
	if (decision === "accept_for_session" && head.confirm_word !== null)
		return only(remark(state, "this kind can only be approved once at a time", context.nowMs, "attention"));
	if (approvals.isAsked) return decide(state, head, decision);
	const holdId = context.newId();
	return only(put(state, { held: { decision, holdId, key: chordOf("approval", command) } }), {
		kind: "later",
		afterMs: HOLD_MS,
		action: { type: "approval_held", holdId },
	});
}

/** A key of the approval prompt; only an armed and focused one takes an answer. */
export function runApprovalCommand(state: State, command: string, context: ReduceContext): Update {
	const { approvals } = state;
	const head = approvals.queue[0];
	if (!head) return only(state);
	if (command === "approval.focus") {
		if (!approvals.isArmed) return only(state);
		return only(put(state, { isFocused: true, isAsked: true, isPutOff: false }));
	}
	if (command === "approval.later") return only(put(state, { isFocused: false, isPutOff: true }));
	if (!(approvals.isArmed && approvals.isFocused)) return only(state);
	if (approvals.answers.some((entry) => entry.approvalId === head.approval_id)) return only(state);
	return answer(state, head, command, context);
}

/** The quiet window of an answer is over. */
export function endHold(state: State, holdId: string): Update {
	const { held, queue } = state.approvals;
	const head = queue[0];
	return head && held?.holdId === holdId ? decide(state, head, held.decision) : only(state);
}

/**
 * A key while an answer is held. Its own key again or Enter sends it, Esc takes it back; text shows that it began a sentence:
 * then `typed` is what belongs to the composer. Undefined: any other key, which takes it back and does what it does.
 */
export function keyWhileHeld(state: State, event: KeyEvent): { update: Update; typed?: string } | undefined {
	const { held, queue } = state.approvals;
	const head = queue[0];
	if (!held || !head) return undefined;
	if (event.chord === held.key || event.chord === "enter")
		return { update: decide(state, head, held.decision) };
	const released = put(state, { held: undefined });
	if (event.chord === "escape") return { update: only(released) };
	if (event.text === undefined) return undefined;
	return { update: only(put(released, { isFocused: false })), typed: held.key + event.text };
}

/** The explicit word of a destructive approval: typed whole, then Enter. */
export function runConfirmCommand(state: State, command: string, nowMs: number): Update {
	const head = state.approvals.queue[0];
	const typed = state.approvals.confirm;
	if (!head || typed === undefined) return only(state);
	const set = (confirm: string | undefined): Update => only(put(state, { confirm }));
	if (command === "confirm.leave") return set(undefined);
	if (command === "confirm.clear") return set("");
	if (command === "confirm.backspace") return set(typed.slice(0, -1));
	if (typed.trim() !== head.confirm_word) {
		return only(
			remark(state, `type the word “${head.confirm_word ?? ""}” to approve, or Esc`, nowMs, "attention"),
		);
	}
	return send(state, head, "accept", typed.trim());
}
