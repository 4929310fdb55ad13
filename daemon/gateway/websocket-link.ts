import type { Duplex } from "node:stream";
import { type RawData, WebSocket } from "ws";
import type { Clock } from "#base/clock.ts";
import { CLOSE_CODE, PING_INTERVAL_MS } from "#protocol/limits.ts";
import type { LinkHandlers, ServerLink } from "./server-link.ts";

/** Two missed pongs close (contracts.md 3). */
const MISSED_PONGS_MAX = 2;
/** A closed peer that does not follow is cut: it may be the very one that does not read. */
const CLOSE_GRACE_MS = 2_000;
/** Batches up to here are copied into one write; above it the copy costs more than the vectored write. */
const COPY_MAX_BYTES = 256 * 1024;
const HEADER_MAX_BYTES = 10;
const OPCODE_TEXT = 0x81;
const OPCODE_BINARY = 0x82;

function headerOf(opcode: number, sizeBytes: number): Buffer {
	if (sizeBytes < 126) return Buffer.from([opcode, sizeBytes]);
	if (sizeBytes < 0x1_00_00) {
		const header = Buffer.from([opcode, 126, 0, 0]);
		header.writeUInt16BE(sizeBytes, 2);
		return header;
	}
	const header = Buffer.alloc(10);
	header[0] = opcode;
	header[1] = 127;
	header.writeBigUInt64BE(BigInt(sizeBytes), 2);
	return header;
}

function writeFrame(text: string, into: Buffer, at: number, sizeBytes: number): number {
	const header = headerOf(OPCODE_TEXT, sizeBytes);
	header.copy(into, at);
	return at + header.length + into.write(text, at + header.length, "utf8");
}

/**
 * Frames from server to client are not masked, so one encoding serves every subscriber that is given the same batch:
 * that, and one write per client and tick, is what makes the fan-out as fast as it is.
 */
const framesOfBatch = new WeakMap<readonly string[], Buffer>();

function encodeBatch(texts: readonly string[]): Buffer {
	const present = framesOfBatch.get(texts);
	if (present) return present;
	const sizes = texts.map((text) => Buffer.byteLength(text));
	const frames = Buffer.allocUnsafe(sizes.reduce((sum, sizeBytes) => sum + sizeBytes + HEADER_MAX_BYTES, 0));
	let end = 0;
	for (const [index, text] of texts.entries()) end = writeFrame(text, frames, end, sizes[index] ?? 0);
	const encoded = frames.subarray(0, end);
	framesOfBatch.set(texts, encoded);
	return encoded;
}

function bytesOf(data: RawData): Uint8Array {
	if (Array.isArray(data)) return Buffer.concat(data);
	return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

function watchPings(websocket: WebSocket, clock: Clock, onLost: () => void): Disposable {
	let missed = 0;
	let timer = clock.after(PING_INTERVAL_MS, beat);
	websocket.on("pong", () => {
		missed = 0;
	});
	function beat(): void {
		if (missed >= MISSED_PONGS_MAX) {
			onLost();
			return;
		}
		missed += 1;
		if (websocket.readyState === WebSocket.OPEN) websocket.ping();
		timer = clock.after(PING_INTERVAL_MS, beat);
	}
	return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}

/**
 * Puts a link on an accepted WebSocket. Whole frames go to `socket` directly; ws itself only writes control frames, also
 * whole (no compression is negotiated), so the two never mix inside a frame.
 */
export function createWebSocketLink(
	websocket: WebSocket,
	socket: Duplex,
	clock: Clock,
	handlers: LinkHandlers,
): ServerLink {
	let closing: Disposable | undefined;

	function write(chunks: readonly Uint8Array[]): void {
		if (websocket.readyState !== WebSocket.OPEN || socket.destroyed) return;
		const [first] = chunks;
		if (chunks.length === 1 && first) {
			socket.write(first);
			return;
		}
		const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
		if (sizeBytes <= COPY_MAX_BYTES) {
			socket.write(Buffer.concat(chunks, sizeBytes));
			return;
		}
		socket.cork();
		for (const chunk of chunks) socket.write(chunk);
		socket.uncork();
	}

	function close(code: number, reason: string): void {
		if (closing) return;
		closing = clock.after(CLOSE_GRACE_MS, () => websocket.terminate());
		websocket.close(code, reason);
	}

	const pings = watchPings(websocket, clock, () => close(CLOSE_CODE.pongMissed, "no pong"));
	const link: ServerLink = {
		writeTexts: (batches) => write(batches.map(encodeBatch)),
		writeBinary: (bytes) => write([headerOf(OPCODE_BINARY, bytes.length), bytes]),
		get bufferedBytes() {
			return socket.writableLength;
		},
		get writable() {
			return !socket.writableNeedDrain;
		},
		onDrain: undefined,
		close,
	};
	socket.on("drain", () => link.onDrain?.());
	websocket.on("message", (data, isBinary) => {
		if (closing) return;
		if (isBinary) handlers.onBinary(bytesOf(data));
		else handlers.onText(String(data));
	});
	websocket.on("error", () => handlers.onLinkError());
	websocket.on("close", () => {
		pings[Symbol.dispose]();
		closing?.[Symbol.dispose]();
		handlers.onClose();
	});
	return link;
}
