import { AppError } from "#base/app-error.ts";

/** Versions of the pty-host's protocol that this build speaks (docs/reference/pty-host.md); frozen once released. */
export const HOST_PROTOCOL = { min: 1, max: 1 } as const;

/** Frame types: below 16 the body is JSON, from 16 on it is binary. */
export const HOST_FRAME = {
	hello: 1,
	request: 2,
	response: 3,
	event: 4,
	/** u64 offset, then the program's bytes from there. */
	output: 16,
	/** u64 offset, then bytes that paint the screen as it was at that offset. */
	snapshot: 17,
	/** What was typed. */
	input: 18,
	/** u16 cols, u16 rows. */
	resize: 19,
	/** u64 offset: consumed up to here. */
	ack: 20,
	/** Empty: send a snapshot. */
	resync: 21,
} as const;

/** Length (4) and type (1) in front of every body. */
export const HOST_HEADER_BYTES = 5;
const OFFSET_BYTES = 8;
/** Before its hello was accepted a peer may send no more than this. */
export const HOST_FIRST_FRAME_BYTES = 64 * 1024;
/** What an attached client may send at once: a paste of 1 MiB. */
export const HOST_INPUT_FRAME_BYTES = 1024 * 1024 + 64;
/** Everything else: a start request with a large argv, a snapshot with history. */
export const HOST_FRAME_BYTES = 32 * 1024 * 1024;

/** Bytes in front of an output's own. */
export const HOST_BYTES_HEADROOM = HOST_HEADER_BYTES + OFFSET_BYTES;

const TWO_32 = 2 ** 32;

function writeU32(out: Uint8Array, at: number, value: number): void {
	out[at] = value >>> 24;
	out[at + 1] = value >>> 16;
	out[at + 2] = value >>> 8;
	out[at + 3] = value;
}

function readU32(bytes: Uint8Array, at: number): number {
	const low = ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
	return (bytes[at] ?? 0) * 2 ** 24 + low;
}

function writeHeader(out: Uint8Array, type: number, bodyLength: number): void {
	writeU32(out, 0, bodyLength + 1);
	out[4] = type;
}

function writeOffset(out: Uint8Array, at: number, offset: number): void {
	writeU32(out, at, Math.floor(offset / TWO_32));
	writeU32(out, at + 4, offset % TWO_32);
}

export function encodeHostFrame(type: number, body: Uint8Array): Uint8Array {
	const out = new Uint8Array(HOST_HEADER_BYTES + body.length);
	writeHeader(out, type, body.length);
	out.set(body, HOST_HEADER_BYTES);
	return out;
}

export function encodeHostJson(type: number, value: unknown): Uint8Array {
	return encodeHostFrame(type, new TextEncoder().encode(JSON.stringify(value)));
}

/** For output and snapshot: `bytes` begin at `offset` of the program's stream. */
export function encodeHostBytes(type: number, offset: number, bytes: Uint8Array): Uint8Array {
	const out = new Uint8Array(HOST_BYTES_HEADROOM + bytes.length);
	out.set(bytes, HOST_BYTES_HEADROOM);
	return frameHostBytes(type, offset, out.subarray(HOST_BYTES_HEADROOM));
}

/** Like encodeHostBytes without a copy: the header is written into the HOST_BYTES_HEADROOM bytes before `bytes`, which must be the caller's. */
export function frameHostBytes(type: number, offset: number, bytes: Uint8Array): Uint8Array {
	const out = new Uint8Array(
		bytes.buffer,
		bytes.byteOffset - HOST_BYTES_HEADROOM,
		HOST_BYTES_HEADROOM + bytes.length,
	);
	writeHeader(out, type, bytes.length + OFFSET_BYTES);
	writeOffset(out, HOST_HEADER_BYTES, offset);
	return out;
}

export function encodeHostResize(cols: number, rows: number): Uint8Array {
	const body = new Uint8Array(4);
	body.set([cols >>> 8, cols, rows >>> 8, rows]);
	return encodeHostFrame(HOST_FRAME.resize, body);
}

export function encodeHostAck(offset: number): Uint8Array {
	const body = new Uint8Array(OFFSET_BYTES);
	writeOffset(body, 0, offset);
	return encodeHostFrame(HOST_FRAME.ack, body);
}

/** @throws AppError PROTOCOL_INVALID_FRAME. */
export function parseHostOffset(body: Uint8Array): number {
	if (body.length < OFFSET_BYTES)
		throw new AppError("PROTOCOL_INVALID_FRAME", "A pty-host frame lacks its offset.");
	const offset = readU32(body, 0) * TWO_32 + readU32(body, 4);
	if (offset > Number.MAX_SAFE_INTEGER)
		throw new AppError("PROTOCOL_INVALID_FRAME", "An offset is out of range.");
	return offset;
}

/** @throws AppError PROTOCOL_INVALID_FRAME. The bytes share memory with `body`. */
export function parseHostBytes(body: Uint8Array): { offset: number; bytes: Uint8Array } {
	return { offset: parseHostOffset(body), bytes: body.subarray(OFFSET_BYTES) };
}

/** @throws AppError PROTOCOL_INVALID_FRAME. The size itself is not judged here. */
export function parseHostResize(body: Uint8Array): { cols: number; rows: number } {
	if (body.length !== 4) throw new AppError("PROTOCOL_INVALID_FRAME", "A resize frame has 4 bytes.");
	const both = readU32(body, 0);
	return { cols: both >>> 16, rows: both & 0xffff };
}

/** @throws AppError PROTOCOL_INVALID_FRAME when it is no JSON object. */
export function parseHostJson(body: Uint8Array): Record<string, unknown> {
	let value: unknown;
	try {
		value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
	} catch (error) {
		throw new AppError("PROTOCOL_INVALID_FRAME", "A pty-host frame is no JSON.", { cause: error });
	}
	if (typeof value !== "object" || value === null || Array.isArray(value)) {
		throw new AppError("PROTOCOL_INVALID_FRAME", "A pty-host frame is no JSON object.");
	}
	return value as Record<string, unknown>;
}

const NOTHING = new Uint8Array(0);

export interface HostFrameReader {
	/** Calls back once per whole frame, in order. @throws AppError PROTOCOL_INVALID_FRAME, PROTOCOL_LIMIT; then the stream is beyond repair. */
	push(chunk: Uint8Array): void;
	/** From now on frames up to this size are accepted. */
	setLimit(maxBytes: number): void;
}

/** `body` may share memory with what was pushed; copy it to keep it. */
export function createHostFrameReader(
	maxBytes: number,
	onFrame: (type: number, body: Uint8Array) => void,
): HostFrameReader {
	let limit = maxBytes;
	/** The beginning of a header; empty while a frame is open. */
	let start: Uint8Array = NOTHING;
	/** A frame that began in an earlier chunk: as large as it will be, and how much of it is there. */
	let open: Uint8Array | undefined;
	let filled = 0;

	/** Size of the frame that begins at `at`, its length's own bytes included. */
	function sizeAt(bytes: Uint8Array, at: number): number {
		const length = readU32(bytes, at);
		if (length < 1) throw new AppError("PROTOCOL_INVALID_FRAME", "A pty-host frame has no type.");
		if (length > limit)
			throw new AppError("PROTOCOL_LIMIT", `A pty-host frame of ${length} bytes is over ${limit}.`);
		return 4 + length;
	}
	/** Completes the open frame; where its bytes end in `chunk`. */
	function complete(frame: Uint8Array, chunk: Uint8Array): number {
		const taken = Math.min(frame.length - filled, chunk.length);
		frame.set(taken === chunk.length ? chunk : chunk.subarray(0, taken), filled);
		filled += taken;
		if (filled === frame.length) {
			open = undefined;
			onFrame(frame[4] ?? 0, frame.subarray(HOST_HEADER_BYTES));
		}
		return taken;
	}
	/** Whole frames are told of where they lie; the beginning of the next one is kept. */
	function take(bytes: Uint8Array, from: number): void {
		let at = from;
		start = NOTHING;
		while (bytes.length - at >= HOST_HEADER_BYTES) {
			const size = sizeAt(bytes, at);
			if (bytes.length - at < size) {
				open = new Uint8Array(size);
				open.set(bytes.subarray(at));
				filled = bytes.length - at;
				return;
			}
			const body = bytes.subarray(at + HOST_HEADER_BYTES, at + size);
			const type = bytes[at + 4] ?? 0;
			at += size;
			onFrame(type, body);
		}
		if (at < bytes.length) start = bytes.slice(at);
	}

	return {
		push(chunk) {
			if (open) {
				const at = complete(open, chunk);
				if (at < chunk.length) take(chunk, at);
			} else take(start.length === 0 ? chunk : joinBytes([start, chunk]), 0);
		},
		setLimit(next) {
			limit = next;
		},
	};
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
	const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		out.set(part, at);
		at += part.length;
	}
	return out;
}
