import { searchMatch } from "../editor/history.ts";
import type { State } from "../store/state.ts";
import { widthCells } from "../text/width.ts";
import { wrapExact } from "../text/wrap.ts";
import { fitLine, span, spreadLine } from "../theme/line.ts";
import type { Line } from "../theme/theme.ts";
import { NARROW, type View } from "./view.ts";

export interface ComposerLayout {
	lines: Line[];
	/** Row within `lines` and column on the screen where the cursor stands. */
	cursor: { row: number; column: number } | undefined;
}

const LEAD_CELLS = 3;

function searchLayout(state: State, view: View): ComposerLayout {
	const query = state.history.search?.query ?? "";
	const match = searchMatch(state.history);
	const label = ` search: ${query}`;
	const found = match === undefined ? "nothing found" : match.replaceAll("\n", " ");
	const line = fitLine(
		[span(label, "accent"), span("  "), span(found, match === undefined ? "muted" : "text")],
		view.width,
		view.glyphs.ellipsis,
	);
	return { lines: [line], cursor: { row: 0, column: Math.min(view.width - 1, widthCells(label)) } };
}

/** What a line may begin with; `!` is for the offline agent alone. */
function prefixes(state: State): string {
	return (state.thread?.provider ?? state.account?.provider) === "offline" ? "# / !" : "# /";
}

/** The draft with its prompt, at most `maxRows` rows around the cursor. */
export function composerLayout(state: State, view: View, maxRows: number): ComposerLayout {
	if (state.history.search !== undefined) return searchLayout(state, view);
	const { text, cursor } = state.editor;
	// One cell stays free at the right, so that a cursor after the last character has a place.
	const rows = wrapExact(text.replaceAll("\t", " "), Math.max(1, view.width - LEAD_CELLS - 1));
	const at = Math.max(
		0,
		rows.findLastIndex((row) => row.startIndex <= cursor),
	);
	const first = Math.max(0, Math.min(at - Math.floor(maxRows / 2), rows.length - maxRows));
	const shown = rows.slice(first, first + maxRows);
	const lines = shown.map((row, index): Line => {
		const mark = first + index === 0 ? view.glyphs.prompt : " ";
		return [span(` ${mark} `, "accent"), span(row.text)];
	});
	if (text === "" && view.width >= NARROW)
		lines[0] = spreadLine(lines[0] ?? [], [span(prefixes(state), "muted"), span(" ")], view.width);
	const row = rows[at];
	const column = LEAD_CELLS + widthCells(row === undefined ? "" : row.text.slice(0, cursor - row.startIndex));
	return { lines, cursor: { row: at - first, column: Math.min(column, view.width - 1) } };
}
