const ESC = 0x1b;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const C1_LEAD = 0xc2;
const LF = 0x0a;
const CR = 0x0d;

/** `string` covers OSC, DCS, SOS, PM and APC: they differ in meaning, not in where they end. */
type State = "ground" | "escape" | "csi" | "string";

const AFTER_ESCAPE: Readonly<Record<number, State>> = { 0x5b: "csi", 0x5d: "string", 0x50: "string", 0x58: "string", 0x5e: "string", 0x5f: "string" };
const C1: Readonly<Record<number, State>> = { 0x9b: "csi", 0x9d: "string", 0x90: "string", 0x98: "string", 0x9e: "string", 0x9f: "string" };

function nextState(state: State, byte: number): State {
	if (byte === ESC) return "escape";
	if (byte === CAN || byte === SUB) return "ground";
	switch (state) {
		case "escape":
			if (byte < 0x30) return "escape";
			return AFTER_ESCAPE[byte] ?? "ground";
		case "csi":
			return byte >= 0x40 && byte <= 0x7e ? "ground" : "csi";
		case "string":
			return byte === BEL ? "ground" : "string";
		case "ground":
			return "ground";
	}
}

/**
 * Where the escape sequence or UTF-8 character begins that `bytes` ends in the middle of; `bytes.length` when it ends
 * cleanly. `bytes` must begin at a clean place. A snapshot taken there carries the rest, so that the live bytes that follow
 * complete it.
 */
export function incompleteTailAt(bytes: Uint8Array): number {
	let state: State = "ground";
	let start = 0;
	for (let at = 0; at < bytes.length; at += 1) {
		const byte = bytes[at] ?? 0;
		if (state === "ground" && byte === C1_LEAD) {
			const next = C1[bytes[at + 1] ?? 0];
			if (next !== undefined) {
				state = next;
				start = at;
				at += 1;
				continue;
			}
		}
		if (byte === ESC) start = at;
		state = nextState(state, byte);
	}
	return state === "ground" ? incompleteUtf8At(bytes) : start;
}

function incompleteUtf8At(bytes: Uint8Array): number {
	for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
		const byte = bytes[bytes.length - back] ?? 0;
		if (byte < 0x80) break;
		if (byte < 0xc0) continue;
		const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
		return length > back ? bytes.length - back : bytes.length;
	}
	return bytes.length;
}

const QUERY = new RegExp(
	// DSR and CPR, DA1 to DA3, DECRQM, kitty flags, window reports, XTVERSION; then colour and clipboard queries, DECRQSS, XTGETTCAP, DECID and ENQ.
	// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are made of control characters.
	"(?:\\x1b\\[|\\x9b)(?:[?>=]?[0-9;]*(?:n|c)|\\??[0-9;]*\\$p|\\?u|[0-9;]*t|>[0-9]*q)|\\x1b\\][^\\x07\\x1b]*\\?(?:\\x07|\\x1b)|\\x1bP[+$]q|\\x1bZ|\\x05",
);

/** True when a terminal that is shown these bytes would answer something; then they must not be shown twice. */
export function holdsQuery(bytes: Uint8Array): boolean {
	return QUERY.test(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1"));
}

export interface ScrolledOff {
	/** Bytes that may be left out, from the beginning; 0 when none. */
	cut: number;
	/** To be parsed in their place: what they leave behind in colours. */
	instead: Uint8Array;
	/** Where an SGR sequence begins that the bytes end in the middle of; their length when they do not. */
	end: number;
}

/** An SGR sequence is not longer than this. */
const MAX_SGR_BYTES = 64;

/**
 * Finds how many leading bytes of plain lines need not be parsed, because at least `keepLines` line feeds follow them before
 * anything else happens: all they leave on a screen without margins is the present colour. Only text, SGR, TAB, CR and LF count
 * as plain; the cut is after a CR LF, so that the column is known. This is what lets an emulator that parses 30 MB/s keep
 * up with a flood of 80.
 */
export function scrolledOffPrefix(bytes: Uint8Array, keepLines: number): ScrolledOff {
	const lineEnds: number[] = [];
	const stop = plainEnd(bytes, lineEnds);
	const cutUnfinished = stop < bytes.length && bytes.length - stop < MAX_SGR_BYTES && bytes[stop] === ESC && incompleteTailAt(bytes.subarray(stop)) === 0;
	const end = cutUnfinished ? stop : bytes.length;
	const cut = lineEnds[lineEnds.length - 1 - keepLines] ?? 0;
	return { cut, instead: lastColours(bytes.subarray(0, cut)), end };
}

/** Bytes that end a run of plain text: controls but TAB and CR, and the lead byte of C1 controls. */
const STOPS = Uint8Array.from({ length: 256 }, (_, byte) => (byte === C1_LEAD || (byte < 0x20 && byte !== 0x09 && byte !== 0x0d) ? 1 : 0));

/** Index of the first byte that is not plain; fills in where each CR LF ends. */
function plainEnd(bytes: Uint8Array, lineEnds: number[]): number {
	const { length } = bytes;
	let at = 0;
	for (;;) {
		while (at < length && STOPS[bytes[at] ?? 0] === 0) at += 1;
		const after = at < length ? stepOver(bytes, at) : at;
		if (after === at) return at;
		if (bytes[at] === LF && bytes[at - 1] === CR) lineEnds.push(after);
		at = after;
	}
}

/** One past what begins at `at` when it is plain after all (a line feed, SGR, a Latin-1 letter), else `at`. */
function stepOver(bytes: Uint8Array, at: number): number {
	switch (bytes[at]) {
		case LF:
			return at + 1;
		case ESC:
			return sgrEnd(bytes, at) || at;
		case C1_LEAD:
			return (bytes[at + 1] ?? 0) >= 0xa0 ? at + 2 : at;
		default:
			return at;
	}
}

/** One past the SGR sequence that begins at `at`; 0 when it is something else or incomplete. */
function sgrEnd(bytes: Uint8Array, at: number): number {
	if (bytes[at + 1] !== 0x5b) return 0;
	for (let i = at + 2; i < bytes.length; i += 1) {
		const byte = bytes[i] ?? 0;
		if (byte === 0x6d) return i + 1;
		if (byte < 0x30 || byte > 0x3b) return 0;
	}
	return 0;
}

/** The SGR sequences since the last full reset; nothing before a reset matters. */
function lastColours(bytes: Uint8Array): Uint8Array {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
	const reset = Math.max(buffer.lastIndexOf("\x1b[0m"), buffer.lastIndexOf("\x1b[m"));
	const parts: Buffer[] = [];
	for (let at = Math.max(0, reset); ; ) {
		const next = buffer.indexOf(ESC, at);
		if (next < 0) break;
		const after = sgrEnd(buffer, next);
		if (after === 0) break;
		parts.push(buffer.subarray(next, after));
		at = after;
	}
	return Buffer.concat(parts);
}
