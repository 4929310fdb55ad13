import { joinBytes } from "./host-frame.ts";

/** What is written to the person's terminal, and whether the screen must be painted anew after it. */
export interface Guarded {
	bytes: Uint8Array;
	/** The program changed screens: what comes next belongs onto a picture that only the host has. */
	repaint: boolean;
}

export interface ScreenGuard {
	push(bytes: Uint8Array): Guarded;
	/** Forgets an unfinished sequence; after a snapshot. */
	reset(): void;
	/** How many entries the program has on the terminal's keyboard stack (kitty protocol). */
	readonly keyboardDepth: number;
}

const NOTHING = new Uint8Array(0);
const ESC = 0x1b;
/** A sequence longer than this is none that is guarded against. */
const MAX_SEQUENCE_BYTES = 128;
const ALTERNATE = new Set(["47", "1047", "1049"]);

interface Verdict {
	text: string;
	repaint: boolean;
	/** Change of the keyboard stack's depth. */
	keyboard: number;
}

const asIs = (text: string): Verdict => ({ text, repaint: false, keyboard: 0 });

/**
 * An attach lives on the terminal's alternate screen, so that the person's own screen comes back as it was. Hence a program must
 * not leave that screen, reset the terminal, or clear the history: those sequences are taken out, and answered with a repaint.
 */
function judge(sequence: string): Verdict {
	if (sequence === "\x1bc") return { text: "\x1b[!p\x1b[H\x1b[2J", repaint: true, keyboard: 0 };
	if (sequence === "\x1b[3J") return asIs("");
	const push = /^\x1b\[>[\d;]*u$/.test(sequence);
	if (push) return { text: sequence, repaint: false, keyboard: 1 };
	const pop = /^\x1b\[<(\d*)u$/.exec(sequence);
	if (pop) return { text: sequence, repaint: false, keyboard: -Math.max(1, Number(pop[1] ?? 1)) };
	const mode = /^\x1b\[\?([\d;]*)([hl])$/.exec(sequence);
	if (!mode) return asIs(sequence);
	const all = (mode[1] ?? "").split(";");
	const kept = all.filter((number) => !ALTERNATE.has(number));
	if (kept.length === all.length) return asIs(sequence);
	return { text: kept.length === 0 ? "" : `\x1b[?${kept.join(";")}${mode[2]}`, repaint: true, keyboard: 0 };
}

/** One past the CSI or two-byte escape that begins at `at`; undefined while unfinished; `at + 1` when it is another kind. */
function sequenceEnd(bytes: Uint8Array, at: number): number | undefined {
	const kind = bytes[at + 1];
	if (kind === undefined) return undefined;
	if (kind === 0x63) return at + 2;
	if (kind !== 0x5b) return at + 1;
	for (let i = at + 2; i < bytes.length; i += 1) {
		const byte = bytes[i] ?? 0;
		if (byte >= 0x40 && byte <= 0x7e) return i + 1;
		if (byte < 0x20 || i - at > MAX_SEQUENCE_BYTES) return at + 1;
	}
	return undefined;
}

/** Everything after a screen change in the same push is dropped: the repaint shows it. */
export function createScreenGuard(): ScreenGuard {
	let unfinished: Uint8Array = NOTHING;
	let keyboardDepth = 0;

	/** Judges one sequence; undefined lets it through as it is. */
	function replacement(bytes: Uint8Array): Verdict | undefined {
		if (bytes.length < 2) return undefined;
		const sequence = String.fromCharCode(...bytes);
		const verdict = judge(sequence);
		keyboardDepth = Math.max(0, keyboardDepth + verdict.keyboard);
		return verdict.text === sequence && !verdict.repaint ? undefined : verdict;
	}
	function takeUnfinished(incoming: Uint8Array): Uint8Array {
		const bytes = unfinished.length === 0 ? incoming : joinBytes([unfinished, incoming]);
		unfinished = NOTHING;
		return bytes;
	}
	return {
		push(incoming) {
			const bytes = takeUnfinished(incoming);
			const parts: Uint8Array[] = [];
			let from = 0;
			for (let at = bytes.indexOf(ESC); at >= 0; ) {
				const end = sequenceEnd(bytes, at);
				if (end === undefined) {
					unfinished = bytes.slice(at);
					return { bytes: joinBytes([...parts, bytes.subarray(from, at)]), repaint: false };
				}
				const verdict = replacement(bytes.subarray(at, end));
				if (verdict) {
					parts.push(bytes.subarray(from, at), new TextEncoder().encode(verdict.text));
					from = end;
					if (verdict.repaint) return { bytes: joinBytes(parts), repaint: true };
				}
				at = bytes.indexOf(ESC, end);
			}
			return { bytes: from === 0 ? bytes : joinBytes([...parts, bytes.subarray(from)]), repaint: false };
		},
		reset() {
			unfinished = NOTHING;
		},
		get keyboardDepth() {
			return keyboardDepth;
		},
	};
}
