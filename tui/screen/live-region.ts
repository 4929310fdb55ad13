import { popupOf } from "../store/popup.ts";
import type { Outgoing, State } from "../store/state.ts";
import { sanitizeLine } from "../text/sanitize.ts";
import { fitLine, span, spreadLine } from "../theme/line.ts";
import { GLYPHS, type Glyphs, type Line } from "../theme/theme.ts";
import { type ApprovalWindow, approvalLayout } from "./approval-lines.ts";
import { cellLines, tailOf } from "./cell-lines.ts";
import { composerLayout } from "./composer-lines.ts";
import { panelLines, popupLines } from "./list-lines.ts";
import { questionLines } from "./question-lines.ts";
import { bannerLines, noticeLines, statusLine } from "./status-line.ts";
import type { View } from "./view.ts";
import { welcomeLines } from "./welcome-lines.ts";

export interface LiveLayout {
	lines: Line[];
	/** Where the terminal's cursor belongs, from the region's top left. */
	cursor: { x: number; y: number } | undefined;
}

export function viewOf(state: State, glyphs: Glyphs): View {
	// A terminal of fewer columns than this is not written for, but must not break anything.
	return {
		width: Math.max(20, state.columns),
		glyphs,
		nowMs: state.nowMs,
		homeDir: state.surroundings.homeDir,
		cwd: state.thread?.cwd,
		waiting: new Set(state.approvals.queue.map((entry) => entry.item_id)),
	};
}

const OUTGOING_SAYS: Readonly<Record<Outgoing["state"], string>> = {
	waiting: "waits for the daemon",
	sending: "sending",
	started: "sent",
	steered: "steers the turn",
	queued: "queued for the next turn",
};

function outboxLines(state: State, view: View): Line[] {
	return state.outbox.map((entry): Line => {
		const left: Line = [span(` ${view.glyphs.prompt} `, "muted"), span(sanitizeLine(entry.text), "muted")];
		return spreadLine(
			left,
			[span(OUTGOING_SAYS[entry.state], "muted"), span(" ")],
			view.width,
			view.glyphs.ellipsis,
		);
	});
}

/** The newest rows of what is not finished yet. */
function streamLines(state: State, view: View, room: number): Line[] {
	if (room <= 0) return [];
	const lines: Line[] = [];
	for (const cell of [...state.live, ...state.mail].toReversed()) {
		lines.unshift(...cellLines(tailOf(cell, room, view.width), view));
		if (lines.length >= room) break;
	}
	return lines.slice(-room);
}

function bodyLines(state: State, view: View, room: number): Line[] {
	if (room <= 0) return [];
	if (state.panel) return panelLines(state, state.panel, view, room);
	if (!state.hasConversation) {
		const welcome = welcomeLines(state, view);
		return welcome.length > room ? welcome.slice(0, room) : welcome;
	}
	const outbox = outboxLines(state, view).slice(-Math.max(1, Math.floor(room / 3)));
	return [...streamLines(state, view, room - outbox.length), ...outbox].slice(-room);
}

/** From this height on, a blank row keeps what was said apart from what is being written. */
const ROOMY_ROWS = 18;

/** What always has its place: the composer, and the link's state and remarks above it. */
function lowerRows(state: State, view: View) {
	const total = Math.max(3, state.rows - 1);
	const composer = composerLayout(state, view, Math.max(1, Math.min(10, Math.floor(total / 3))));
	const rest = Math.max(0, total - composer.lines.length - 1);
	const asked = questionLines(state, view);
	const banner = [...asked, ...bannerLines(state, view), ...noticeLines(state, view)].slice(0, rest);
	const gap: Line[] = state.rows >= ROOMY_ROWS && state.hasConversation ? [[]] : [];
	return { total, composer, banner, gap, free: rest - banner.length - gap.length };
}

/** In a tall window a request leaves some of the conversation in sight. */
function approvalRows(total: number, room: number): number {
	return Math.max(3, Math.min(room, Math.max(14, Math.floor(total * 0.6))));
}

/** Which rows of the request the screen shows, for the keys that scroll it. */
export function approvalWindow(state: State): ApprovalWindow | undefined {
	const view = viewOf(state, GLYPHS);
	const { total, free } = lowerRows(state, view);
	return approvalLayout(state, view, approvalRows(total, free))?.shown;
}

/**
 * All rows below the scrollback: newest unfinished steps or a panel, approval, banner, composer, popup, status. Never taller
 * than the window less one row: a taller region would make the terminal scroll and the whole screen be cleared.
 */
export function liveLayout(state: State, glyphs: Glyphs): LiveLayout {
	const view = viewOf(state, glyphs);
	if (state.isExiting) return { lines: [], cursor: undefined };
	const { total, composer, banner, gap, free } = lowerRows(state, view);
	let room = free;
	const approval = approvalLayout(state, view, approvalRows(total, room));
	const shownApproval = (approval?.lines ?? []).slice(0, Math.max(0, room));
	room -= shownApproval.length;
	const popup = popupOf(state);
	const popupRows = popup && room > 0 ? popupLines(state, popup, view, room).slice(0, room) : [];
	room -= popupRows.length;
	const body = bodyLines(state, view, room);
	const above = [...body, ...gap, ...shownApproval, ...banner];
	const lines = [...above, ...composer.lines, ...popupRows, statusLine(state, view)];
	const cursor = composer.cursor && { x: composer.cursor.column, y: above.length + composer.cursor.row };
	return { lines: lines.map((line) => fitLine(line, view.width, glyphs.ellipsis)), cursor };
}
