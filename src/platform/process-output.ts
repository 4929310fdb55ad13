import { createByteRing } from "#base/ring-buffer.ts";

/** Collects a byte stream as text within a bound: its first and its last half, with a marker between. */
export interface OutputCollector {
	/** Returns the text of this chunk; bytes of a character that is not whole yet wait for the next chunk. */
	push(chunk: Uint8Array): string;
	/** Text of bytes that stayed incomplete at the end of the stream. */
	flush(): string;
	text(): string;
	readonly totalBytes: number;
}

/** @param limitBytes at most this much is kept, the marker not counted. */
export function createOutputCollector(limitBytes: number): OutputCollector {
	const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
	const headLimit = Math.ceil(limitBytes / 2);
	const tail = createByteRing(limitBytes - headLimit);
	const head: Uint8Array[] = [];
	let headBytes = 0;
	let totalBytes = 0;

	function keep(chunk: Uint8Array): void {
		totalBytes += chunk.length;
		const room = headLimit - headBytes;
		if (room > 0) {
			const part = chunk.slice(0, room);
			head.push(part);
			headBytes += part.length;
		}
		if (chunk.length > room) tail.append(room > 0 ? chunk.subarray(room) : chunk);
	}

	return {
		push(chunk) {
			keep(chunk);
			return decoder.decode(chunk, { stream: true });
		},
		flush: () => decoder.decode(),
		text() {
			const first = Buffer.concat(head);
			const last = Buffer.from(tail.readFrom(tail.startOffset) ?? new Uint8Array());
			const lostBytes = totalBytes - first.length - last.length;
			if (lostBytes === 0) return decodeWhole(Buffer.concat([first, last]));
			return `${decodeOpenEnd(first)}\n[... ${lostBytes} bytes left out ...]\n${decodeWhole(last.subarray(characterStart(last)))}`;
		},
		get totalBytes() {
			return totalBytes;
		},
	};
}

function decodeWhole(bytes: Uint8Array): string {
	return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** A streaming decode keeps an incomplete last character back, which is what a cut needs. */
function decodeOpenEnd(bytes: Uint8Array): string {
	return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes, { stream: true });
}

function characterStart(bytes: Uint8Array): number {
	let at = 0;
	while (at < 3 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at += 1;
	return at;
}
