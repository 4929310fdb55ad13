import type { Approval } from "#protocol/record.ts";
import { chordLabel } from "../keymap/default-keymap.ts";
import { chordOf } from "../keymap/resolve.ts";
import type { State } from "../store/state.ts";
import { sanitizeLine } from "../text/sanitize.ts";
import { wrapText } from "../text/wrap.ts";
import { fitLine, span, spreadLine } from "../theme/line.ts";
import type { Line } from "../theme/theme.ts";
import { approvalBody } from "./approval-body.ts";
import { NARROW, type View } from "./view.ts";

/** The part of an approval that is on the screen: rows `from` up to `to` of `total`. */
export interface ApprovalWindow {
	readonly from: number;
	readonly to: number;
	readonly total: number;
}

const HELD_SAYS = {
	accept: "approving",
	accept_for_session: "approving for this session",
	decline: "declining",
	cancel: "cancelling the turn",
} as const;

function stateRow(state: State, head: Approval, view: View): Line | undefined {
	const { approvals } = state;
	const isNarrow = view.width < NARROW;
	if (approvals.answers.some((answer) => answer.approvalId === head.approval_id))
		return [span("   sent, waiting for the daemon", "muted")];
	if (approvals.held !== undefined) {
		const says = `   ${HELD_SAYS[approvals.held.decision]}${view.glyphs.ellipsis}`;
		return [span(says, "attention", true), span(isNarrow ? "" : "  esc takes it back", "muted")];
	}
	if (approvals.confirm !== undefined) {
		const word = head.confirm_word ?? "";
		return [
			span(`   type ${word} to approve: `, "attention"),
			span(approvals.confirm, "text", true),
			span("_  "),
			span(isNarrow ? "esc" : "enter sends  esc back", "muted"),
		];
	}
	if (!approvals.isArmed) return [span(`   ${view.glyphs.ellipsis}`, "muted")];
	if (approvals.isFocused) return undefined;
	const label = chordLabel(chordOf("approval_waiting", "approval.focus"));
	return [
		span(`   ${label}`, "attention", true),
		span(isNarrow ? " to answer" : " to answer; your keys go to the composer", "muted"),
	];
}

function keyRow(state: State, head: Approval, isRead: boolean, view: View): Line {
	const said = stateRow(state, head, view);
	if (said) return said;
	const isNarrow = view.width < NARROW;
	const yes: [string, string][] = [[chordOf("approval", "approval.once"), "once"]];
	if (head.confirm_word === null)
		yes.push([chordOf("approval", "approval.session"), isNarrow ? "session" : "this session"]);
	const keys: [string, string][] = [
		...(isRead ? yes : ([["space", isNarrow ? "more" : "more, to the end"]] as [string, string][])),
		[chordOf("approval", "approval.decline"), "no"],
		[chordOf("approval", "approval.cancel"), isNarrow ? "stop" : "cancel turn"],
		["esc", isNarrow ? "" : "later"],
	];
	const gap = isNarrow ? " " : "   ";
	return [
		span("  "),
		...keys.flatMap(([key, word], index) => [
			span(`${index === 0 ? " " : gap}${key}`, "attention", true),
			span(word === "" ? "" : ` ${word}`),
		]),
	];
}

/** What must stay in sight whatever is scrolled. */
function warningLines(head: Approval, view: View): Line[] {
	if (head.destructive === null) return [];
	return wrapText(sanitizeLine(head.destructive), view.width - 7).map(
		(row, index): Line => [span(`   ${index === 0 ? view.glyphs.needsYou : " "} ${row}`, "bad", true)],
	);
}

function windowOf(state: State, total: number, room: number): ApprovalWindow {
	const from = Math.max(0, Math.min(state.approvals.scroll, total - room));
	return { from, to: Math.min(total, from + room), total };
}

function titleLine(state: State, head: Approval, shown: ApprovalWindow, view: View): Line {
	const { queue } = state.approvals;
	const isNarrow = view.width < NARROW;
	const count = queue.length > 1 ? ` 1 of ${queue.length}` : "";
	const rows = `${shown.from + 1}-${shown.to} of ${shown.total}`;
	const isWhole = shown.to - shown.from >= shown.total;
	const title: Line = [
		span(` ${view.glyphs.needsYou} approve${count}`, "attention", true),
		span(isWhole ? "" : `  ${isNarrow ? "" : "rows "}${rows}`, "attention"),
	];
	const agent = sanitizeLine(head.agent_name);
	const isHere = isNarrow || head.thread_id === state.slot.threadId;
	const from = isHere ? agent : `${agent} (another conversation)`;
	return spreadLine(title, [span(from, "muted"), span(" ")], view.width, view.glyphs.ellipsis);
}

/** The approval above the composer, at most `maxRows` high, and which rows of it are in sight. */
export function approvalLayout(
	state: State,
	view: View,
	maxRows: number,
): { lines: Line[]; shown: ApprovalWindow } | undefined {
	const head = state.approvals.queue[0];
	if (!head) return undefined;
	const body = approvalBody(state, head, view);
	const warning = warningLines(head, view);
	const shown = windowOf(state, body.length, Math.max(1, maxRows - 2 - warning.length));
	const isRead = state.approvals.isRead || shown.to >= shown.total;
	const lines = [
		titleLine(state, head, shown, view),
		...warning,
		...body.slice(shown.from, shown.to),
		fitLine(keyRow(state, head, isRead, view), view.width, view.glyphs.ellipsis),
	];
	return { lines, shown };
}
