/** A run of lines to find, and what stands there afterwards. */
export interface PatchHunk {
	/** Text after `@@`: a line that comes somewhere before. Several narrow the place down one after the other. */
	readonly anchors: readonly string[];
	readonly oldLines: readonly string[];
	readonly newLines: readonly string[];
	/** For each new line that stays unchanged its index in `oldLines`, else null. */
	readonly kept: readonly (number | null)[];
	/** The lines stand at the end of the file. */
	readonly atEnd: boolean;
}

export type PatchOperation =
	| { kind: "add"; path: string; text: string }
	| { kind: "delete"; path: string }
	| { kind: "update"; path: string; moveTo: string | null; hunks: readonly PatchHunk[] };

export type ParsedPatch = { ok: true; operations: readonly PatchOperation[] } | { ok: false; reason: string };

/** Told as it is, without words around it. */
export const EMPTY_PATCH = "patch rejected: empty patch";
const BEGIN = "*** Begin Patch";
const END = "*** End Patch";
const END_OF_FILE = "*** End of File";
const ADD = "*** Add File: ";
const DELETE = "*** Delete File: ";
const UPDATE = "*** Update File: ";
const MOVE = "*** Move to: ";

/** Lines with a reading position; the parser's only state. */
interface Cursor {
	readonly lines: readonly string[];
	at: number;
}

class PatchSyntaxError extends Error {}

/** Parses the patch language; the reason of a refusal names the line, so that a model can mend its patch. */
export function parsePatch(text: string): ParsedPatch {
	const lines = unwrapHeredoc(text.replaceAll("\r\n", "\n").trim()).split("\n");
	if (lines[0]?.trim() !== BEGIN)
		return { ok: false, reason: `invalid patch: The first line of the patch must be '${BEGIN}'` };
	if (lines.at(-1)?.trim() !== END)
		return { ok: false, reason: `invalid patch: The last line of the patch must be '${END}'` };
	const cursor: Cursor = { lines: lines.slice(0, -1), at: 1 };
	const operations: PatchOperation[] = [];
	try {
		while (cursor.at < cursor.lines.length) {
			// Blank lines part operations; ahead of the first they are a mistake.
			if (operations.length > 0 && cursor.lines[cursor.at]?.trim() === "") cursor.at += 1;
			else operations.push(readOperation(cursor));
		}
	} catch (error) {
		if (error instanceof PatchSyntaxError) return { ok: false, reason: error.message };
		throw error;
	}
	if (operations.length === 0) return { ok: false, reason: EMPTY_PATCH };
	return { ok: true, operations };
}

/** Models sometimes keep the shell's here-document around the patch. */
function unwrapHeredoc(text: string): string {
	const match = /^<<-?\s*(['"]?)(\w+)\1\n([\s\S]*)\n\2$/.exec(text);
	return match?.[3]?.trim() ?? text;
}

function fail(cursor: Cursor, what: string): never {
	return failAt(cursor.at + 1, what);
}

function failAt(line: number, what: string): never {
	throw new PatchSyntaxError(`invalid hunk at line ${line}, ${what}`);
}

function readOperation(cursor: Cursor): PatchOperation {
	const line = (cursor.lines[cursor.at] ?? "").trim();
	const path = [ADD, DELETE, UPDATE].map((marker) =>
		line.startsWith(marker) ? line.slice(marker.length).trim() : "",
	);
	const named = path.find((one) => one !== "");
	if (named === undefined)
		return fail(
			cursor,
			`'${line}' is not a valid hunk header. Valid hunk headers: '${ADD}{path}', '${DELETE}{path}', '${UPDATE}{path}'`,
		);
	cursor.at += 1;
	if (line.startsWith(ADD)) return { kind: "add", path: named, text: readAddedText(cursor) };
	if (line.startsWith(DELETE)) return { kind: "delete", path: named };
	return readUpdate(cursor, named);
}

function readAddedText(cursor: Cursor): string {
	let text = "";
	for (;;) {
		const line = cursor.lines[cursor.at];
		if (line === undefined || !line.startsWith("+")) return text;
		text += `${line.slice(1)}\n`;
		cursor.at += 1;
	}
}

function readUpdate(cursor: Cursor, path: string): PatchOperation {
	const header = cursor.at;
	let moveTo: string | null = null;
	const moveLine = cursor.lines[cursor.at]?.trim();
	if (moveLine?.startsWith(MOVE)) {
		moveTo = moveLine.slice(MOVE.length).trim();
		cursor.at += 1;
	}
	const hunks: PatchHunk[] = [];
	for (;;) {
		const line = cursor.lines[cursor.at];
		if (line === undefined || isFileHeader(line)) break;
		if (line.trim() === "") {
			// A blank line between hunks is decoration; inside one it is an empty line of the file.
			cursor.at += 1;
			continue;
		}
		hunks.push(readHunk(cursor, hunks.length === 0));
	}
	if (hunks.length === 0) return failAt(header, `Update file hunk for path '${path}' is empty`);
	return { kind: "update", path, moveTo, hunks };
}

function isFileHeader(line: string): boolean {
	const trimmed = line.trim();
	return [ADD, DELETE, UPDATE].some((marker) => trimmed.startsWith(marker.trimEnd()));
}

function readHunk(cursor: Cursor, first: boolean): PatchHunk {
	const anchors = readAnchors(cursor);
	if (anchors === undefined && !first)
		return fail(
			cursor,
			`Expected update hunk to start with a @@ context marker, got: '${cursor.lines[cursor.at] ?? ""}'`,
		);
	const lines: HunkLines = { oldLines: [], newLines: [], kept: [] };
	const start = cursor.at;
	for (let line = hunkLine(cursor); line !== undefined; line = hunkLine(cursor)) {
		// Behind lines of its own, a foreign one ends the hunk.
		if (cursor.at > start && !/^(?:[ +-]|$)/.test(line)) break;
		readHunkLine(cursor, line, lines);
		cursor.at += 1;
	}
	const atEnd = cursor.lines[cursor.at]?.trim() === END_OF_FILE;
	if (atEnd) cursor.at += 1;
	if (cursor.at === start) return fail(cursor, "Update hunk does not contain any lines");
	return { anchors: anchors ?? [], ...lines, atEnd };
}

/** The `@@` lines at the cursor; undefined when there is none. */
function readAnchors(cursor: Cursor): string[] | undefined {
	let anchors: string[] | undefined;
	for (;;) {
		const line = cursor.lines[cursor.at]?.trimEnd();
		if (line === undefined || !(line === "@@" || line.startsWith("@@ "))) return anchors;
		anchors ??= [];
		const anchor = line.slice(3);
		// `@@ -1,2 +1,2 @@` of a unified diff says nothing that the lines do not say.
		if (anchor.trim() !== "" && !/^-\d+(?:,\d+)? \+\d+(?:,\d+)? @@/.test(anchor)) anchors.push(anchor);
		cursor.at += 1;
	}
}

/** The line at the cursor while it belongs to the hunk. */
function hunkLine(cursor: Cursor): string | undefined {
	const line = cursor.lines[cursor.at];
	if (line === undefined || line.startsWith("@@") || isFileHeader(line) || line.trim() === END_OF_FILE)
		return undefined;
	return line;
}

interface HunkLines {
	oldLines: string[];
	newLines: string[];
	kept: (number | null)[];
}

function readHunkLine(cursor: Cursor, line: string, into: HunkLines): void {
	const mark = line.charAt(0);
	const text = line.slice(1);
	if (mark === "+") {
		into.newLines.push(text);
		into.kept.push(null);
	} else if (mark === "-") {
		into.oldLines.push(text);
	} else if (mark === " " || mark === "") {
		into.kept.push(into.oldLines.length);
		into.oldLines.push(text);
		into.newLines.push(text);
	} else
		fail(
			cursor,
			`Unexpected line found in update hunk: '${line}'. Every line should start with ' ' (context line), '+' (added line), or '-' (removed line)`,
		);
}
