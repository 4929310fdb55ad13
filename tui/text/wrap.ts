import { graphemes, graphemeWidth, sliceCells, widthCells } from "./width.ts";

/** Breaks one word that is longer than a line. */
function breakWord(word: string, width: number, lines: string[]): string {
	let rest = word;
	while (widthCells(rest) > width) {
		const head = sliceCells(rest, width) || (graphemes(rest)[0] ?? "");
		lines.push(head);
		rest = rest.slice(head.length);
	}
	return rest;
}

function wrapLine(line: string, width: number, out: string[]): void {
	if (widthCells(line) <= width) {
		out.push(line);
		return;
	}
	// A line keeps its own indentation on its continuation, so that lists and code stay readable.
	const indent = /^\s*(?:[-*•]\s+|\d+[.)]\s+)?/.exec(line)?.[0] ?? "";
	const hanging = widthCells(indent) <= width / 2 ? " ".repeat(widthCells(indent)) : "";
	let current = "";
	let isEmpty = true;
	for (const token of line.match(/\s+|[^\s]+/g) ?? []) {
		if (widthCells(current) + widthCells(token) <= width) {
			current += token;
			isEmpty = isEmpty && token.trim() === "";
			continue;
		}
		if (token.trim() === "") {
			out.push(current);
			current = hanging;
			isEmpty = true;
			continue;
		}
		if (!isEmpty) {
			out.push(current.trimEnd());
			current = hanging;
		}
		current = breakWord(current + token, width, out);
		isEmpty = false;
	}
	if (!isEmpty) out.push(current);
}

/** Wraps at words to lines of at most `width` cells; long words are cut, wide characters are never halved, empty lines stay. */
export function wrapText(text: string, width: number): string[] {
	const out: string[] = [];
	for (const line of text.split("\n")) wrapLine(line, Math.max(1, width), out);
	return out;
}

/** A row of the composer and where its text begins in the draft. */
export interface EditorRow {
	text: string;
	startIndex: number;
}

/** Cuts a draft into rows of at most `width` cells exactly where it says, so that a cursor index has one place on the screen. */
export function wrapExact(text: string, width: number): EditorRow[] {
	const rows: EditorRow[] = [];
	let startIndex = 0;
	for (const line of text.split("\n")) {
		let row = "";
		let cells = 0;
		let rowStart = startIndex;
		for (const grapheme of graphemes(line)) {
			const next = graphemeWidth(grapheme);
			if (cells + next > width && row !== "") {
				rows.push({ text: row, startIndex: rowStart });
				rowStart += row.length;
				row = "";
				cells = 0;
			}
			row += grapheme;
			cells += next;
		}
		rows.push({ text: row, startIndex: rowStart });
		startIndex += line.length + 1;
	}
	return rows;
}
