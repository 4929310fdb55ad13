import { sliceCells, truncateCells, widthCells } from "../text/width.ts";
import type { Line, Span, Token } from "./theme.ts";

/** One span. */
export function span(text: string, token: Token = "text", bold = false): Span {
	return bold ? { text, token, bold } : { text, token };
}

/** Cells of a row. */
export function lineWidth(line: Line): number {
	return line.reduce((cells, part) => cells + widthCells(part.text), 0);
}

/** The row as plain text. */
export function lineText(line: Line): string {
	return line.map((part) => part.text).join("");
}

/** Cuts a row to `maxCells`; the cut is shown by `ellipsis`. */
export function fitLine(line: Line, maxCells: number, ellipsis = "…"): Line {
	if (lineWidth(line) <= maxCells) return line;
	const out: Span[] = [];
	let left = Math.max(0, maxCells - widthCells(ellipsis));
	for (const part of line) {
		const text = sliceCells(part.text, left);
		if (text !== "") out.push({ ...part, text });
		left -= widthCells(part.text);
		if (left <= 0) break;
	}
	out.push({ text: truncateCells(ellipsis, maxCells, ""), token: "muted" });
	return out;
}

/** Left text, filling, right text: the left one is cut first, the right one always stays when it fits at all. */
export function spreadLine(left: Line, right: Line, width: number, ellipsis = "…"): Line {
	const rightCells = lineWidth(right);
	if (rightCells === 0 || rightCells + 4 > width) return fitLine(left, width, ellipsis);
	const fitted = fitLine(left, width - rightCells - 2, ellipsis);
	return [...fitted, { text: " ".repeat(width - rightCells - lineWidth(fitted)) }, ...right];
}
