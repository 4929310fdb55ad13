import { sanitizeText } from "../text/sanitize.ts";

export interface DiffRow {
	kind: "add" | "remove" | "same";
	/** Line number: the old one for a removed line, else the new one. */
	line: number | undefined;
	text: string;
}

/** Rows of a unified diff, or of a whole added or deleted file given as plain text. */
export function parseDiff(diff: string, kind: "add" | "delete" | "update"): DiffRow[] {
	const lines = sanitizeText(diff).replace(/\n$/, "").split("\n");
	if (kind !== "update" && !lines.some((line) => line.startsWith("@@"))) {
		const row = kind === "add" ? "add" : "remove";
		return lines.map((text, index) => ({ kind: row, line: index + 1, text: text.replace(/^[+-]/, "") }));
	}
	return parseHunks(lines);
}

interface Position {
	old: number | undefined;
	next: number | undefined;
}

function hunkStart(line: string): Position {
	const [, old, next] = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line) ?? [];
	return {
		old: old === undefined ? undefined : Number(old),
		next: next === undefined ? undefined : Number(next),
	};
}

const KIND: Readonly<Record<string, DiffRow["kind"]>> = { "-": "remove", "+": "add" };

function parseHunks(lines: readonly string[]): DiffRow[] {
	const rows: DiffRow[] = [];
	let position: Position | undefined;
	for (const line of lines) {
		if (line.startsWith("@@")) {
			position = hunkStart(line);
			continue;
		}
		// Before the first hunk are file names; a backslash row tells of a missing newline.
		if (position === undefined || line.startsWith("\\")) continue;
		const kind = KIND[line.charAt(0)] ?? "same";
		rows.push({ kind, line: kind === "remove" ? position.old : position.next, text: line.slice(1) });
		position = { old: after(position.old, kind !== "add"), next: after(position.next, kind !== "remove") };
	}
	return rows;
}

function after(line: number | undefined, isCounted: boolean): number | undefined {
	return line === undefined || !isCounted ? line : line + 1;
}

/** Changed rows only, at most `limit`; `hidden` says how many more there are. */
export function excerpt(rows: readonly DiffRow[], limit: number): { rows: DiffRow[]; hidden: number } {
	const changed = rows.filter((row) => row.kind !== "same");
	return { rows: changed.slice(0, limit), hidden: Math.max(0, changed.length - limit) };
}
