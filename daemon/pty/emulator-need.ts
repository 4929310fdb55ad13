import { joinBytes } from "#client/attach/host-frame.ts";
import { holdsQuery, incompleteTailAt } from "./escape-scan.ts";

const NOTHING = new Uint8Array(0);
/** Of an unfinished sequence so much is remembered: enough to know what it will be. */
const MAX_TAIL_BYTES = 4096;
const ESC = 0x1b;
const ENQ = 0x05;
/** Lead byte of C1 controls in UTF-8. */
const C1_LEAD = 0xc2;
/** OSC sets titles. */
const OSC = /\x1b\]|\xc2\x9d/;

/**
 * Tells which pieces of a program's output an emulator has to see soon: those that hold a query, which it may have to
 * answer, or a title, and those that end in the middle of a sequence. The rest can wait until somebody looks.
 */
export function createEmulatorNeed(): (piece: Uint8Array) => boolean {
	let tail: Uint8Array = NOTHING;
	return (piece) => {
		if (tail.length === 0 && !(piece.includes(ESC) || piece.includes(ENQ) || piece.includes(C1_LEAD)))
			return false;
		const bytes = tail.length === 0 ? piece : joinBytes([tail, piece]);
		tail = bytes.slice(incompleteTailAt(bytes)).subarray(0, MAX_TAIL_BYTES);
		const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
		return tail.length > 0 || OSC.test(text) || holdsQuery(bytes);
	};
}
