import type { PatchHunk } from "./parse.ts";

/** Ways to compare a line, strictest first: a looser one counts only where no stricter one finds the place. */
const NORMALIZERS: readonly ((line: string) => string)[] = [
	(line) => line,
	(line) => line.trimEnd(),
	(line) => line.trim(),
	(line) => plainPunctuation(line.trim()),
];

/** Typographic dashes, quotes and blanks, which models write as ASCII. */
function plainPunctuation(line: string): string {
	return line
		.replaceAll(/[\u2010-\u2015\u2212]/g, "-")
		.replaceAll(/[\u2018-\u201b]/g, "'")
		.replaceAll(/[\u201c-\u201f]/g, '"')
		.replaceAll(/[\u00a0\u2002-\u200a\u202f\u205f\u3000]/g, " ");
}

/** Index of the first place at or after `from` where `wanted` stands; undefined when there is none. */
export function findLines(
	lines: readonly string[],
	wanted: readonly string[],
	from: number,
	atEnd: boolean,
): number | undefined {
	if (wanted.length === 0) return from;
	const last = lines.length - wanted.length;
	for (const normalize of NORMALIZERS) {
		const pattern = wanted.map(normalize);
		const matches = (start: number): boolean =>
			pattern.every((line, index) => normalize(lines[start + index] ?? "") === line);
		if (atEnd && last >= 0 && matches(last)) return last;
		for (let start = from; start <= last; start += 1) if (matches(start)) return start;
	}
	return undefined;
}

export type HunkResult = { ok: true; text: string } | { ok: false; reason: string };

/** Applies the hunks in order, each behind the one before. Line ends of the file are kept. */
export function applyHunks(original: string, hunks: readonly PatchHunk[], path: string): HunkResult {
	const newline = original.includes("\r\n") ? "\r\n" : "\n";
	const lines = original.split(/\r?\n/);
	// What follows the last newline is no line.
	const openEnd = lines.at(-1) !== "" && original !== "";
	if (!openEnd) lines.pop();
	const out: string[] = [];
	let done = 0;
	for (const hunk of hunks) {
		const place = locate(lines, hunk, { path, done });
		if (!place.ok) return place;
		out.push(...lines.slice(done, place.start), ...keepContext(lines, hunk, place));
		done = place.start + place.length;
	}
	out.push(...lines.slice(done));
	if (out.length === 0) return { ok: true, text: "" };
	// A patched file ends with a newline, as editors and the reference server leave it.
	return { ok: true, text: out.join(newline) + newline };
}

type Place = { ok: true; start: number; length: number } | { ok: false; reason: string };

function locate(
	lines: readonly string[],
	hunk: PatchHunk,
	{ path, done }: { path: string; done: number },
): Place {
	let from = done;
	for (const anchor of hunk.anchors) {
		const at = findLines(lines, [anchor], from, false);
		if (at === undefined) return { ok: false, reason: `Failed to find context '${anchor}' in ${path}` };
		from = at + 1;
	}
	if (hunk.oldLines.length === 0) {
		// Nothing to stand on: added at the named place, else at the end.
		return { ok: true, start: hunk.anchors.length > 0 && !hunk.atEnd ? from : lines.length, length: 0 };
	}
	const start = findLines(lines, hunk.oldLines, from, hunk.atEnd);
	if (start !== undefined && start >= done) return { ok: true, start, length: hunk.oldLines.length };
	// An empty last line of a hunk often stands for the end of the file.
	const shorter = hunk.oldLines.at(-1) === "" ? hunk.oldLines.slice(0, -1) : [];
	const second = shorter.length === 0 ? undefined : findLines(lines, shorter, from, hunk.atEnd);
	if (second !== undefined && second >= done) return { ok: true, start: second, length: shorter.length };
	return { ok: false, reason: `Failed to find expected lines in ${path}:\n${hunk.oldLines.join("\n")}` };
}

/** Where a loose comparison found the place, unchanged lines stay as the file has them, not as the model wrote them. */
function keepContext(
	lines: readonly string[],
	hunk: PatchHunk,
	place: { start: number; length: number },
): string[] {
	const out: string[] = [];
	for (const [index, line] of hunk.newLines.entries()) {
		const old = hunk.kept[index] ?? null;
		if (old === null) out.push(line);
		// Beyond the place is only the empty line that stood for the end of the file.
		else if (old < place.length) out.push(lines[place.start + old] ?? line);
	}
	return out;
}
