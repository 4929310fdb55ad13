import type { Approval } from "#protocol/record.ts";
import { approvalSubject } from "../screen/approval-body.ts";
import { sanitizeLine } from "../text/sanitize.ts";
import { truncateCells } from "../text/width.ts";
import type { Effect } from "./action.ts";
import { settleFocus } from "./approval-answer.ts";
import { type ApprovalQueue, NO_APPROVALS, type State } from "./state.ts";
import { append, isShown, noteCell, only, remark, type Update } from "./update.ts";

/** A prompt cannot be answered before it has been on the screen this long (experience.md, terminal UI 5). */
export const ARM_MS = 400;

/** Puts a queue in place; a new head is shown from now on and arms later. */
function withQueue(state: State, approvals: ApprovalQueue, nowMs: number): Update {
	const before = state.approvals.queue[0]?.approval_id;
	const head = approvals.queue[0];
	if (head?.approval_id === before) return only({ ...state, approvals });
	if (!head) return only({ ...state, approvals: { ...NO_APPROVALS, answers: approvals.answers } });
	const effect: Effect = { kind: "arm_approval", approvalId: head.approval_id, afterMs: ARM_MS };
	const { queue, answers } = approvals;
	const shown = { ...NO_APPROVALS, queue, answers, shownAtMs: nowMs };
	return only({ ...state, approvals: shown }, effect, { kind: "bell" });
}

export function putApproval(state: State, approval: Approval, nowMs: number): Update {
	const { queue } = state.approvals;
	// A request is immutable: one that is known keeps what was shown.
	if (approval.status !== "pending" || queue.some((entry) => entry.approval_id === approval.approval_id))
		return only(state);
	return withQueue(state, { ...state.approvals, queue: [...queue, approval] }, nowMs);
}

/** What waits now: known ones keep their place, vanished ones go, new ones queue behind. */
export function replaceApprovals(state: State, approvals: readonly Approval[], nowMs: number): Update {
	const ids = new Set(approvals.map((entry) => entry.approval_id));
	const kept = state.approvals.queue.filter((entry) => ids.has(entry.approval_id));
	const known = new Set(kept.map((entry) => entry.approval_id));
	const added = approvals.filter((entry) => entry.status === "pending" && !known.has(entry.approval_id));
	return withQueue(state, { ...state.approvals, queue: [...kept, ...added] }, nowMs);
}

/** The head's 400 ms are over: it takes the keys as soon as nobody uses them. */
export function armApproval(state: State, approvalId: string, nowMs: number): Update {
	const head = state.approvals.queue[0];
	if (head?.approval_id !== approvalId) return only(state);
	return settleFocus({ ...state, approvals: { ...state.approvals, isArmed: true } }, nowMs);
}

const OUTCOME: Readonly<Record<Approval["status"], string>> = {
	pending: "pending",
	accepted: "approved",
	declined: "declined",
	cancelled: "cancelled",
	expired: "expired",
};

/** An approval ended: it leaves the queue, and the transcript tells who answered if it was not this client. */
export function resolveApproval(state: State, approval: Approval, nowMs: number): Update {
	const { queue, answers } = state.approvals;
	const id = approval.approval_id;
	const isOwn = answers.some((answer) => answer.approvalId === id);
	const isKnown = queue.some((entry) => entry.approval_id === id);
	const rest = {
		...state.approvals,
		queue: queue.filter((entry) => entry.approval_id !== id),
		answers: answers.filter((answer) => answer.approvalId !== id),
	};
	const update = withQueue(state, rest, nowMs);
	// The step itself tells what came of one's own answer.
	const isTold = isOwn && approval.thread_id === state.slot.threadId && approval.status !== "expired";
	if (isTold) return update;
	const key = `approval:${id}`;
	if (!(isKnown || isOwn) || isShown(state, key)) return update;
	const who = isOwn ? "you" : sanitizeLine(approval.resolved_by ?? "");
	const by = who === "" || approval.status === "expired" ? "" : ` by ${who}`;
	const why = approval.resolved_reason ? ` (${sanitizeLine(approval.resolved_reason)})` : "";
	const text = `${OUTCOME[approval.status]}${by}${why}  ${truncateCells(approvalSubject(approval), 120)}`;
	const isGood = approval.status === "accepted";
	const cell = noteCell(key, [text], {
		token: isGood ? "muted" : "attention",
		glyph: isGood ? "done" : "failed",
	});
	return { state: append(update.state, cell), effects: update.effects };
}

/** An answer that was refused: told, and one that is gone leaves the queue. */
export function refuseApproval(
	state: State,
	refusal: { approvalId: string; message: string; isGone: boolean },
	nowMs: number,
): Update {
	const { approvalId, message, isGone } = refusal;
	const answers = state.approvals.answers.filter((answer) => answer.approvalId !== approvalId);
	const queue = isGone
		? state.approvals.queue.filter((entry) => entry.approval_id !== approvalId)
		: state.approvals.queue;
	const told = remark(state, message, nowMs, "attention");
	return withQueue(told, { ...state.approvals, queue, answers }, nowMs);
}
