import type { Approval } from "#protocol/record.ts";
import { chordLabel } from "../keymap/default-keymap.ts";
import { chordOf } from "../keymap/resolve.ts";
import type { State } from "../store/state.ts";
import { tildePath } from "../text/format.ts";
import { revealText, sanitizeLine } from "../text/sanitize.ts";
import { wrapText } from "../text/wrap.ts";
import { fitLine, span, spreadLine } from "../theme/line.ts";
import type { Line } from "../theme/theme.ts";
import { changeLines } from "./change-lines.ts";
import { NARROW, type View } from "./view.ts";

/** Rows of a patch in an approval; all of it is in the transcript's item. */
const PATCH_ROWS = 8;

function keyRow(state: State, head: Approval, view: View): Line {
	const { approvals } = state;
	const isNarrow = view.width < NARROW;
	if (approvals.answers.some((answer) => answer.approvalId === head.approval_id))
		return [span("   sent, waiting for the daemon", "muted")];
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
	if (!approvals.isFocused) {
		const label = chordLabel(chordOf("approval_waiting", "approval.focus"));
		return [
			span(`   ${label}`, "attention", true),
			span(isNarrow ? " to answer" : " to answer; your keys go to the composer", "muted"),
		];
	}
	const keys: [string, string][] = [
		[chordOf("approval", "approval.once"), "once"],
		...(head.confirm_word === null
			? [[chordOf("approval", "approval.session"), isNarrow ? "session" : "this session"] as [string, string]]
			: []),
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

function bodyLines(head: Approval, view: View): Line[] {
	if (head.kind === "patch") return changeLines(head.changes ?? [], [], PATCH_ROWS, view);
	const rows = wrapText(revealText(head.command ?? head.argv?.join(" ") ?? ""), view.width - 6);
	return rows.map(
		(row, index): Line => [span(index === 0 ? "   $ " : "     ", "muted"), span(row, "text", true)],
	);
}

/** The approval box above the composer, at most `maxRows`: the title and the keys stay, what is to be approved is cut last. */
export function approvalLines(state: State, view: View, maxRows: number): Line[] {
	const { queue } = state.approvals;
	const head = queue[0];
	if (!head) return [];
	const isNarrow = view.width < NARROW;
	const count = queue.length > 1 ? ` 1 of ${queue.length}` : "";
	const title: Line = [span(` ${view.glyphs.needsYou} approve${count}`, "attention", true)];
	const agent = sanitizeLine(head.agent_name);
	const from = head.thread_id === state.slot.threadId ? agent : `${agent} (another conversation)`;
	const where: Line = isNarrow ? [span(agent, "muted"), span(" ")] : [span(from, "muted"), span(" ")];
	const lines: Line[] = [spreadLine(title, where, view.width, view.glyphs.ellipsis)];
	const facts: Line[] = [];
	if (head.destructive !== null) {
		facts.push(
			fitLine(
				[span(`   ${view.glyphs.needsYou} ${sanitizeLine(head.destructive)}`, "bad", true)],
				view.width - 1,
				view.glyphs.ellipsis,
			),
		);
	}
	if (head.reason !== null && head.reason !== "")
		facts.push(fitLine([span(`   ${sanitizeLine(head.reason)}`)], view.width - 1, view.glyphs.ellipsis));
	const place = `   in ${tildePath(sanitizeLine(head.cwd), view.homeDir)} ${view.glyphs.dot} sandbox ${head.sandbox}`;
	const folder: Line = fitLine([span(place, "muted")], view.width - 1, view.glyphs.ellipsis);
	const optional = [...facts, ...(isNarrow ? [] : [folder])];
	const body = bodyLines(head, view);
	const room = Math.max(1, maxRows - 2);
	const shownBody =
		body.length > room
			? [
					...body.slice(0, Math.max(0, room - 1)),
					[span(`     ${view.glyphs.ellipsis} ${body.length - room + 1} more rows`, "attention")] as Line,
				]
			: body;
	const shownFacts = optional.slice(0, Math.max(0, room - shownBody.length));
	return [
		...lines,
		...shownBody,
		...shownFacts,
		fitLine(keyRow(state, head, view), view.width, view.glyphs.ellipsis),
	];
}
