import { wrapExact, wrapText } from "../text/wrap.ts";
import { span } from "../theme/line.ts";
import type { Line } from "../theme/theme.ts";

const FENCE = /^\s*(?:```|~~~)\s*([\w+.#-]*)\s*$/;
const HEADING = /^#{1,6}\s+(.*)$/;

/** Bold and code, when both marks are on the row; everything else stays as written. */
function inlineSpans(row: string): Line {
	const spans: Line[number][] = [];
	let at = 0;
	for (const match of row.matchAll(/\*\*(\S(?:.*?\S)?)\*\*|`([^`]+)`/g)) {
		if (match.index > at) spans.push(span(row.slice(at, match.index)));
		spans.push(match[1] === undefined ? span(match[2] ?? "", "accent") : span(match[1], "text", true));
		at = match.index + match[0].length;
	}
	if (at < row.length) spans.push(span(row.slice(at)));
	return spans;
}

function codeRows(line: string, width: number): Line[] {
	return wrapExact(line, Math.max(1, width - 2)).map((row): Line => [span(`  ${row.text}`, "accent")]);
}

function proseRows(line: string, width: number): Line[] {
	const heading = HEADING.exec(line)?.[1];
	if (heading === undefined) return wrapText(line, width).map(inlineSpans);
	return wrapText(heading, width).map((row): Line => [span(row, "text", true)]);
}

/** An agent's text as rows: fences become an indented block whose lines are only cut, never filled; headings are bold. */
export function markdownLines(text: string, width: number): Line[] {
	const lines: Line[] = [];
	let isCode = false;
	for (const line of text.split("\n")) {
		const language = FENCE.exec(line)?.[1];
		if (language === undefined) {
			lines.push(...(isCode ? codeRows(line, width) : proseRows(line, width)));
			continue;
		}
		isCode = !isCode;
		if (isCode && language !== "") lines.push([span(language, "muted")]);
	}
	return lines;
}
