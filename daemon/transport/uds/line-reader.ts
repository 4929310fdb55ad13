/** Longest line of coord.sock in bytes, its newline left out: a 1 MiB text does not fit with escapes, mail is shorter. */
export const LINE_MAX_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;

/** What came out of the bytes: a whole line, or the news that one was over the bound (it is skipped to its end). */
export type LineEvent = { readonly line: string } | { readonly tooLong: true };

/** Cuts a byte stream into lines; keeps at most one bound of bytes. Blank lines are left out. */
export function createLineReader(maxBytes: number = LINE_MAX_BYTES): {
	push(chunk: Uint8Array): LineEvent[];
} {
	let parts: Uint8Array[] = [];
	let size = 0;
	let skipping = false;

	function endLine(events: LineEvent[]): void {
		const line = skipping ? "" : Buffer.concat(parts).toString("utf8").trim();
		if (line !== "") events.push({ line });
		parts = [];
		size = 0;
		skipping = false;
	}

	function take(piece: Uint8Array, events: LineEvent[]): void {
		if (skipping || piece.length === 0) return;
		size += piece.length;
		if (size <= maxBytes) {
			parts.push(piece);
			return;
		}
		parts = [];
		skipping = true;
		events.push({ tooLong: true });
	}

	return {
		push(chunk) {
			const events: LineEvent[] = [];
			let from = 0;
			for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
				take(chunk.subarray(from, at), events);
				endLine(events);
				from = at + 1;
			}
			take(chunk.subarray(from), events);
			return events;
		},
	};
}
