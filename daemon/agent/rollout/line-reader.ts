import { createReadStream } from "node:fs";

/** Longest line that is taken into memory; pictures and long outputs are far below. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

export interface FileLine {
	/** Null: too long to be read. */
	text: string | null;
	/** Where the next line begins. */
	endBytes: number;
	/** False: the file ends within the line; somebody may still be writing it. */
	isWhole: boolean;
}

/** A file line by line from a place on, never more of it in memory than a line. @throws errors of the file system. */
export async function* readLines(
	path: string,
	{ fromBytes = 0, maxLineBytes = MAX_LINE_BYTES }: { fromBytes?: number; maxLineBytes?: number } = {},
): AsyncGenerator<FileLine> {
	let parts: Buffer[] = [];
	let size = 0;
	let at = fromBytes;

	function take(piece: Buffer): void {
		size += piece.length;
		if (size <= maxLineBytes) parts.push(piece);
		else parts = [];
	}

	function finish(isWhole: boolean): FileLine {
		const text = size > maxLineBytes ? null : Buffer.concat(parts).toString("utf8");
		parts = [];
		size = 0;
		return { text, endBytes: at, isWhole };
	}

	for await (const chunk of createReadStream(path, { start: fromBytes, highWaterMark: CHUNK_BYTES })) {
		const bytes = chunk as Buffer;
		let start = 0;
		for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
			take(bytes.subarray(start, end));
			at += end - start + 1;
			start = end + 1;
			yield finish(true);
		}
		take(bytes.subarray(start));
		at += bytes.length - start;
	}
	if (size > 0) yield finish(false);
}
