import { writeSync } from "node:fs";
import type { PtyView } from "./pty-process.ts";

/** What may wait for a program that does not read: far above any paste. */
const WAITING_MAX_BYTES = 8 * 1024 * 1024;
/** Between two looks at a program whose input is full; a spinning wait would cost a core. */
const RETRY_MS = 4;

/**
 * What is typed into a PTY. Written here and not by node-pty, which goes on writing to the number of a descriptor that was
 * closed: the next terminal has that number, and would get the keys. Looking and writing are one step on one thread.
 */
export function createPtyInput(view: PtyView, isOpen: () => boolean) {
	let waiting: Uint8Array[] = [];
	let waitingBytes = 0;
	let retry: NodeJS.Timeout | undefined;

	/** How much the kernel takes at once. */
	function writeNow(bytes: Uint8Array): number {
		try {
			return writeSync(view.fd, bytes);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
			// The other side is gone: nothing will ever read it.
			return bytes.length;
		}
	}
	function flush(): void {
		retry = undefined;
		while (isOpen()) {
			const [first] = waiting;
			if (first === undefined) return;
			const written = writeNow(first);
			waitingBytes -= written;
			if (written === first.length) waiting.shift();
			else {
				waiting[0] = first.subarray(written);
				retry = setTimeout(flush, RETRY_MS);
				return;
			}
		}
		forget();
	}
	function forget(): void {
		clearTimeout(retry);
		retry = undefined;
		waiting = [];
		waitingBytes = 0;
	}
	return {
		/** False when nothing of it was taken. */
		write(bytes: Uint8Array): boolean {
			if (!isOpen() || waitingBytes + bytes.length > WAITING_MAX_BYTES) return false;
			const written = waitingBytes > 0 ? 0 : writeNow(bytes);
			if (written === bytes.length) return true;
			// A copy: the bytes may lie in a buffer that is used again.
			waiting.push(bytes.slice(written));
			waitingBytes += bytes.length - written;
			retry ??= setTimeout(flush, RETRY_MS);
			return true;
		},
		forget,
	};
}
