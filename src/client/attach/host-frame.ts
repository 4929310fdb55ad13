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

function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function encodeHostFrame(type: number, body: Uint8Array): Uint8Array {
	const out = new Uint8Array(HOST_HEADER_BYTES + body.length);
	viewOf(out).setUint32(0, body.length + 1);
	out[4] = type;
	out.set(body, HOST_HEADER_BYTES);
	return out;
}

export function encodeHostJson(type: number, value: unknown): Uint8Array {
	return encodeHostFrame(type, new TextEncoder().encode(JSON.stringify(value)));
}

/** For output and snapshot: `bytes` begin at `offset` of the program's stream. */
export function encodeHostBytes(type: number, offset: number, bytes: Uint8Array): Uint8Array {
	const out = new Uint8Array(HOST_HEADER_BYTES + OFFSET_BYTES + bytes.length);
	const view = viewOf(out);
	view.setUint32(0, bytes.length + OFFSET_BYTES + 1);
	out[4] = type;
	view.setBigUint64(HOST_HEADER_BYTES, BigInt(offset));
	out.set(bytes, HOST_HEADER_BYTES + OFFSET_BYTES);
	return out;
}

export function encodeHostResize(cols: number, rows: number): Uint8Array {
	const body = new Uint8Array(4);
	viewOf(body).setUint16(0, cols);
	viewOf(body).setUint16(2, rows);
	return encodeHostFrame(HOST_FRAME.resize, body);
}

export function encodeHostAck(offset: number): Uint8Array {
	const body = new Uint8Array(OFFSET_BYTES);
	viewOf(body).setBigUint64(0, BigInt(offset));
	return encodeHostFrame(HOST_FRAME.ack, body);
}

/** @throws AppError PROTOCOL_INVALID_FRAME. */
export function parseHostOffset(body: Uint8Array): number {
	if (body.length < OFFSET_BYTES) throw new AppError("PROTOCOL_INVALID_FRAME", "A pty-host frame lacks its offset.");
	const offset = viewOf(body).getBigUint64(0);
	if (offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new AppError("PROTOCOL_INVALID_FRAME", "An offset is out of range.");
	return Number(offset);
}

/** @throws AppError PROTOCOL_INVALID_FRAME. The bytes share memory with `body`. */
export function parseHostBytes(body: Uint8Array): { offset: number; bytes: Uint8Array } {
	return { offset: parseHostOffset(body), bytes: body.subarray(OFFSET_BYTES) };
}

/** @throws AppError PROTOCOL_INVALID_FRAME. The size itself is not judged here. */
export function parseHostResize(body: Uint8Array): { cols: number; rows: number } {
	if (body.length !== 4) throw new AppError("PROTOCOL_INVALID_FRAME", "A resize frame has 4 bytes.");
	return { cols: viewOf(body).getUint16(0), rows: viewOf(body).getUint16(2) };
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

export interface HostFrameReader {
	/** Calls back once per whole frame, in order. @throws AppError PROTOCOL_INVALID_FRAME, PROTOCOL_LIMIT; then the stream is beyond repair. */
	push(chunk: Uint8Array): void;
	/** From now on frames up to this size are accepted. */
	setLimit(maxBytes: number): void;
}

/** `body` shares memory with what was pushed; copy it to keep it. */
export function createHostFrameReader(maxBytes: number, onFrame: (type: number, body: Uint8Array) => void): HostFrameReader {
	let limit = maxBytes;
	let parts: Uint8Array[] = [];
	let held = 0;
	let needed = HOST_HEADER_BYTES;

	function take(bytes: Uint8Array): Uint8Array {
		let at = 0;
		while (bytes.length - at >= HOST_HEADER_BYTES) {
			const length = viewOf(bytes).getUint32(at);
			if (length < 1) throw new AppError("PROTOCOL_INVALID_FRAME", "A pty-host frame has no type.");
			if (length > limit) throw new AppError("PROTOCOL_LIMIT", `A pty-host frame of ${length} bytes is over ${limit}.`);
			if (bytes.length - at < 4 + length) {
				needed = 4 + length;
				return bytes.subarray(at);
			}
			const type = bytes[at + 4] ?? 0;
			const body = bytes.subarray(at + HOST_HEADER_BYTES, at + 4 + length);
			at += 4 + length;
			onFrame(type, body);
		}
		needed = HOST_HEADER_BYTES;
		return bytes.subarray(at);
	}

	return {
		push(chunk) {
			parts.push(chunk);
			held += chunk.length;
			// Parts are joined only once a whole frame is there, else a large frame would be copied again and again.
			if (held < needed) return;
			const rest = take(parts.length === 1 ? chunk : joinBytes(parts));
			parts = rest.length > 0 ? [rest] : [];
			held = rest.length;
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
