import { truncateCells } from "../text/width.ts";
import { fitLine, lineWidth, span, spreadLine } from "../theme/line.ts";
import type { Line } from "../theme/theme.ts";
import { shownPath } from "./approval-body.ts";
import { type DiffRow, excerpt, parseDiff } from "./diff.ts";
import { gutterOf, type View } from "./view.ts";

interface Change {
	path: string;
	diff: string;
	kind?: { type: "add" | "delete" | "update"; move_path?: string | null | undefined };
}

/** `~ path +1 −1` and the state at the right; a long path is cut, the numbers stay. */
function headLine(change: Change, rows: readonly DiffRow[], right: Line, view: View): Line {
	const added = rows.filter((row) => row.kind === "add").length;
	const removed = rows.filter((row) => row.kind === "remove").length;
	const counts: Line = [span(` +${added}`, "good"), span(` ${view.glyphs.minus}${removed}`, "bad")];
	const lead: Line = [span(" ".repeat(gutterOf(view.width))), span("~ ", "muted")];
	const taken = lineWidth(lead) + lineWidth(counts) + (right.length > 0 ? lineWidth(right) + 2 : 1);
	const moved = change.kind?.move_path
		? ` ${view.glyphs.arrow} ${shownPath(change.kind.move_path, view.cwd)}`
		: "";
	const path = truncateCells(
		shownPath(change.path, view.cwd) + moved,
		Math.max(8, view.width - taken),
		view.glyphs.ellipsis,
	);
	return spreadLine([...lead, span(path), ...counts], right, view.width, view.glyphs.ellipsis);
}

function rowLine(row: DiffRow, view: View): Line {
	const sign = row.kind === "add" ? "+" : view.glyphs.minus;
	const number = row.line === undefined ? "" : `${row.line} `;
	const token = row.kind === "add" ? "good" : "bad";
	const lead = span(`${" ".repeat(gutterOf(view.width))}  ${number}`, "muted");
	return fitLine([lead, span(`${sign} ${row.text}`, token)], view.width - 1, view.glyphs.ellipsis);
}

/** Files and diffs of the transcript: all files, at most `limit` diff rows, and how many are left out. */
export function changeLines(changes: readonly Change[], right: Line, limit: number, view: View): Line[] {
	const lines: Line[] = [];
	let left = limit;
	for (const [index, change] of changes.entries()) {
		const rows = parseDiff(change.diff, change.kind?.type ?? "update");
		lines.push(headLine(change, rows, index === 0 ? right : [], view));
		const shown = excerpt(rows, left);
		left -= shown.rows.length;
		lines.push(...shown.rows.map((row) => rowLine(row, view)));
		if (shown.hidden > 0 && limit > 0) {
			const lead = span(" ".repeat(gutterOf(view.width)));
			lines.push([lead, span(`  ${view.glyphs.ellipsis} ${shown.hidden} more (Ctrl+O)`, "muted")]);
		}
	}
	return lines;
}
