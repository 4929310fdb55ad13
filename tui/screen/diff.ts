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
	const rows: DiffRow[] = [];
	let oldLine: number | undefined;
	let newLine: number | undefined;
	let isInHunk = false;
	for (const line of lines) {
		const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line);
		if (hunk || line.startsWith("@@")) {
			oldLine = hunk ? Number(hunk[1]) : undefined;
			newLine = hunk ? Number(hunk[2]) : undefined;
			isInHunk = true;
		} else if (isInHunk && line.startsWith("-")) {
			rows.push({ kind: "remove", line: oldLine, text: line.slice(1) });
			oldLine = oldLine === undefined ? undefined : oldLine + 1;
		} else if (isInHunk && line.startsWith("+")) {
			rows.push({ kind: "add", line: newLine, text: line.slice(1) });
			newLine = newLine === undefined ? undefined : newLine + 1;
		} else if (isInHunk && !line.startsWith("\\")) {
			rows.push({ kind: "same", line: newLine, text: line.slice(1) });
			oldLine = oldLine === undefined ? undefined : oldLine + 1;
			newLine = newLine === undefined ? undefined : newLine + 1;
		}
	}
	return rows;
}

/** Changed rows only, at most `limit`; `hidden` says how many more there are. */
export function excerpt(rows: readonly DiffRow[], limit: number): { rows: DiffRow[]; hidden: number } {
	const changed = rows.filter((row) => row.kind !== "same");
	return { rows: changed.slice(0, limit), hidden: Math.max(0, changed.length - limit) };
}
