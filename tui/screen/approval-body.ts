import type { Approval } from "#protocol/record.ts";
import type { State } from "../store/state.ts";
import { tildePath } from "../text/format.ts";
import { revealText, sanitizeLine } from "../text/sanitize.ts";
import { quoteWord, shellScript } from "../text/shell-words.ts";
import { graphemes, graphemeWidth, widthCells } from "../text/width.ts";
import { wrapText } from "../text/wrap.ts";
import { span } from "../theme/line.ts";
import type { Line, Token } from "../theme/theme.ts";
import { type DiffRow, parseDiff } from "./diff.ts";
import type { View } from "./view.ts";

/** Everything of an approval starts here. */
const LEAD_CELLS = 3;

interface Piece {
	text: string;
	/** The row goes on in the next one without a blank between the two. */
	isCut: boolean;
}

/** Rows of at most `width` cells that lose nothing: blanks stay at their row's end, a cut word says so. */
function cutRows(line: string, width: number): Piece[] {
	const rows: Piece[] = [];
	let row = "";
	let cells = 0;
	function push(isCut: boolean): void {
		rows.push({ text: row, isCut });
		row = "";
		cells = 0;
	}
	for (const word of line.match(/\s+|\S+/g) ?? []) {
		const isBlank = word.trim() === "";
		if (cells > 0 && !isBlank && cells + widthCells(word) > width) push(false);
		// A blank may stand where a cut word's sign would.
		const room = isBlank ? width + 1 : width;
		for (const grapheme of graphemes(word)) {
			const next = graphemeWidth(grapheme);
			if (cells + next > room) push(!isBlank);
			row += grapheme;
			cells += next;
		}
	}
	if (row !== "" || rows.length === 0) push(false);
	return rows;
}

/** `lead` before the first row, blanks before what it goes on in; a cut word ends in a muted backslash, as a shell would write it. */
function exactLines(text: string, lead: Line, look: { token: Token; bold?: boolean }, view: View): Line[] {
	const leadCells = lead.reduce((cells, part) => cells + widthCells(part.text), 0);
	const pieces = cutRows(text, Math.max(8, view.width - leadCells - 2));
	return pieces.map((piece, index): Line => {
		const begin = index === 0 ? lead : [span(" ".repeat(leadCells))];
		return [...begin, span(piece.text, look.token, look.bold), span(piece.isCut ? "\\" : "", "muted")];
	});
}

function commandRows(approval: Approval, view: View): Line[] {
	const { argv, command } = approval;
	const script = argv === null ? undefined : shellScript(argv);
	const shown = script?.script ?? (argv === null ? (command ?? "") : argv.map(quoteWord).join(" "));
	const lines = revealText(shown)
		.split("\n")
		.flatMap((line, index) =>
			exactLines(line, [span(index === 0 ? "   $ " : "   > ", "muted")], { token: "text", bold: true }, view),
		);
	if (script) lines.push([span(`   run by ${revealText(script.shell)}`, "muted")]);
	return lines;
}

function rowLines(row: DiffRow, view: View): Line[] {
	const sign = row.kind === "add" ? "+" : row.kind === "remove" ? view.glyphs.minus : " ";
	const token = row.kind === "add" ? "good" : row.kind === "remove" ? "bad" : "muted";
	const number = row.line === undefined ? "" : `${row.line} `;
	return exactLines(
		revealText(row.text),
		[span(`     ${number}`, "muted"), span(`${sign} `, token)],
		{ token },
		view,
	);
}

type ChangeKind = "add" | "delete" | "update";
const CHANGE_WORD: Readonly<Record<ChangeKind, string>> = {
	add: "new file",
	delete: "deletes the file",
	update: "changes",
};

interface Change {
	path: string;
	diff: string;
	kind?: { type: ChangeKind; move_path?: string | null | undefined };
}

/** The item of the transcript knows more of the same change than a request that was made before it. */
function changesOf(state: State, approval: Approval): Change[] {
	const cell = state.live.find((entry) => entry.kind === "patch" && entry.item.id === approval.item_id);
	const known = cell?.kind === "patch" ? cell.item.changes : [];
	return (approval.changes ?? []).map((change) => {
		const same = known.find((entry) => entry.path === change.path && entry.diff === change.diff);
		return { path: change.path, diff: change.diff, ...(same ? { kind: same.kind } : {}) };
	});
}

function changeRows(change: Change, cwd: string, view: View): Line[] {
	const isHunks = /^@@ /m.test(change.diff);
	const kind = change.kind?.type ?? (isHunks ? "update" : undefined);
	const word = kind === undefined ? "the whole file" : CHANGE_WORD[kind];
	const moved = change.kind?.move_path ? ` -> ${shownPath(change.kind.move_path, cwd)}` : "";
	const head = exactLines(
		`${shownPath(change.path, cwd)}${moved}`,
		[span("   ~ ", "muted")],
		{ token: "text", bold: true },
		view,
	);
	const rows =
		change.diff === "" ? [] : parseDiff(revealText(change.diff.replaceAll("\t", "    ")), kind ?? "add");
	const changed = rows.filter((row) => row.kind !== "same");
	return [...head, [span(`     ${word}`, "muted")], ...changed.flatMap((row) => rowLines(row, view))];
}

/** A path below the folder is told from there. */
export function shownPath(path: string, cwd: string | undefined): string {
	const isBelow = cwd !== undefined && cwd !== "/" && path.startsWith(`${cwd}/`);
	return revealText(isBelow ? path.slice(cwd.length + 1) : path).replaceAll("\n", "\\n");
}

/** All that will happen if the answer is yes, then why and where; nothing is cut, so it may be taller than the window. */
export function approvalBody(state: State, approval: Approval, view: View): Line[] {
	const what =
		approval.kind === "patch"
			? changesOf(state, approval).flatMap((change) => changeRows(change, approval.cwd, view))
			: commandRows(approval, view);
	const place = tildePath(sanitizeLine(approval.cwd), view.homeDir);
	const box =
		approval.sandbox === "danger-full-access" ? "outside the sandbox" : `sandbox ${approval.sandbox}`;
	const facts: Line[] = [];
	const why = sanitizeLine(approval.reason ?? "");
	for (const row of why === "" ? [] : wrapText(why, view.width - LEAD_CELLS - 1))
		facts.push([span(`   ${row}`)]);
	for (const row of wrapText(`in ${place} ${view.glyphs.dot} ${box}`, view.width - LEAD_CELLS - 1))
		facts.push([span(`   ${row}`, "muted")]);
	return [...what, ...facts];
}

/** What an approval is about, on one line. */
export function approvalSubject(approval: Approval): string {
	const { argv, command, cwd } = approval;
	if (approval.kind === "command") {
		const script = argv === null ? undefined : shellScript(argv)?.script;
		return `$ ${sanitizeLine(script ?? command ?? argv?.map(quoteWord).join(" ") ?? "")}`;
	}
	return `~ ${(approval.changes ?? []).map((change) => shownPath(change.path, cwd)).join(", ")}`;
}
