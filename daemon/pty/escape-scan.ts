const ESC = 0x1b;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const C1_LEAD = 0xc2;
const LF = 0x0a;
const CR = 0x0d;

/** `string` covers OSC, DCS, SOS, PM and APC: they differ in meaning, not in where they end. */
type State = "ground" | "escape" | "csi" | "string";

const AFTER_ESCAPE: Readonly<Record<number, State>> = {
	91: "csi",
	93: "string",
	80: "string",
	88: "string",
	94: "string",
	95: "string",
};
const C1: Readonly<Record<number, State>> = {
	155: "csi",
	157: "string",
	144: "string",
	152: "string",
	158: "string",
	159: "string",
};

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

const QUERY =
	/(?:\x1b\[|\x9b)(?:[?>=]?[0-9;]*(?:n|c)|\??[0-9;]*\$p|\?u|[0-9;]*t|>[0-9]*q)|\x1b\][^\x07\x1b]*\?(?:\x07|\x1b)|\x1bP[+$]q|\x1bZ|\x05/;

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
	/** All from `cut` to `end` is plain, too: more of the same may make it scroll off. */
	plain: boolean;
}

/** An SGR sequence is not longer than this. */
const MAX_SGR_BYTES = 64;

/**
 * Finds how many leading bytes of plain lines need not be parsed, because at least `keepLines` line feeds follow them before
 * anything else happens: all they leave on a screen without margins is the present colour. Text, SGR and the controls that
 * only move the cursor count as plain; the cut is after a CR LF, so that the column is known. This is what lets an emulator
 * that parses 30 MB/s keep up with a flood of 80.
 */
export function scrolledOffPrefix(bytes: Uint8Array, keepLines: number): ScrolledOff {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
	const stop = plainEnd(buffer);
	const cutUnfinished =
		stop < bytes.length &&
		bytes.length - stop < MAX_SGR_BYTES &&
		bytes[stop] === ESC &&
		incompleteTailAt(bytes.subarray(stop)) === 0;
	const end = cutUnfinished ? stop : bytes.length;
	const cut = lineStartBefore(bytes, stop, keepLines);
	return { cut, instead: lastColours(bytes.subarray(0, cut)), end, plain: stop === end };
}

/** Backspace, which can lead to the line above; shift out and in, which change what letters mean; escape; C1. */
const SUSPECTS = [0x08, 0x0e, 0x0f, ESC, C1_LEAD] as const;
/** What is neither text nor SGR: another escape sequence, a shift, a C1 control. Tried on bytes as Latin-1. */
const NOT_PLAIN = /[\x08\x0e\x0f]|\x1b(?!\[[0-9:;]*m)|\xc2(?![\xa0-\xff])/;

/** Index of the first byte that is not plain. Native searches, the cheaper one first: JavaScript alone takes five times as long. */
function plainEnd(buffer: Buffer): number {
	if (!SUSPECTS.some((byte) => buffer.includes(byte))) return buffer.length;
	const found = NOT_PLAIN.exec(buffer.toString("latin1"));
	return found ? found.index : buffer.length;
}

/** Where the line begins that `lines` line feeds precede `stop` by; 0 when there are not so many after a CR LF. */
function lineStartBefore(bytes: Uint8Array, stop: number, lines: number): number {
	let passed = 0;
	for (let at = stop - 1; at > 0; at -= 1) {
		if (bytes[at] !== LF || bytes[at - 1] !== CR) continue;
		if (passed === lines) return at + 1;
		passed += 1;
	}
	return 0;
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

/** The SGR sequences since the last full reset; nothing before a reset matters. Of plain bytes. */
export function lastColours(bytes: Uint8Array): Uint8Array {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
	if (!buffer.includes(ESC)) return buffer.subarray(0, 0);
	const long = Math.max(0, buffer.lastIndexOf("\x1b[0m"));
	// Only after the other one: a search that finds nothing goes through it all.
	const short = buffer.subarray(long).lastIndexOf("\x1b[m");
	const parts: Buffer[] = [];
	for (let at = long + Math.max(0, short); ; ) {
		const next = buffer.indexOf(ESC, at);
		if (next < 0) break;
		const after = sgrEnd(buffer, next);
		if (after === 0) break;
		parts.push(buffer.subarray(next, after));
		at = after;
	}
	return Buffer.concat(parts);
}
