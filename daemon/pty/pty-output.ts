import { readSync } from "node:fs";
import { HOST_BYTES_HEADROOM } from "#client/attach/host-frame.ts";
import type { PtyView } from "./pty-process.ts";

/** Memory is taken in pieces of this size, and shared by all terminals' output. */
const SLAB_BYTES = 256 * 1024;
/** The kernel gives a terminal's reader no more than this at once; less means that there was no more. */
const FULL_READ_BYTES = 4095;
/** A flood is handed on in pieces of up to this size: one frame, one write. */
const PIECE_BYTES = 64 * 1024;

let slab = Buffer.allocUnsafeSlow(0);
let used = 0;

/** Room for a piece with what goes before it. */
function room(bytes: number): void {
	if (slab.length - used >= HOST_BYTES_HEADROOM + bytes) return;
	slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
	used = 0;
}

/**
 * Makes of what node-pty read a piece that has HOST_BYTES_HEADROOM bytes of its own in front, for a header to be written
 * without a copy. While the program floods, what the kernel has ready is read along: node-pty itself would come back for it
 * through the event loop every 4 KiB, which is most of what a flood costs.
 */
export function takePtyOutput(view: PtyView, first: Uint8Array): Buffer {
	const floods = first.length >= FULL_READ_BYTES;
	room(floods ? Math.max(PIECE_BYTES, first.length) : first.length);
	const start = used + HOST_BYTES_HEADROOM;
	slab.set(first, start);
	let end = start + first.length;
	// What the stream has kept back comes first.
	if (floods && view._socket.readableLength === 0) end = readAlong(view, end, start + PIECE_BYTES);
	used = end;
	return slab.subarray(start, end);
}

/** Reads from `end` on until the kernel has no more, or `limit`. */
function readAlong(view: PtyView, end: number, limit: number): number {
	let at = end;
	while (limit - at >= FULL_READ_BYTES && !view._socket.destroyed) {
		let read: number;
		try {
			read = readSync(view.fd, slab, at, FULL_READ_BYTES, null);
		} catch {
			// Nothing there, or the program is gone: node-pty's own reading tells which.
			return at;
		}
		at += read;
		if (read < FULL_READ_BYTES) return at;
	}
	return at;
}
