import { AppError } from "#base/app-error.ts";

/** What a binary frame carries (contracts.md 3). */
export const STREAM = { output: 0, error: 1, input: 2, file: 3, audio: 4, token: 5, diff: 6 } as const;
export const FRAME_FLAG = { end: 1, snapshot: 2 } as const;
export const FRAME_HEADER_BYTES = 16;
const FRAME_VERSION = 1;
const MAX_STREAM = 6;

/** One binary frame; `offset` is the position of its first byte in that stream since the stream began. */
export interface BinaryFrame {
	stream: number;
	flags: number;
	channel: number;
	offset: number;
	payload: Uint8Array;
}

/** 16-byte big-endian header, then the raw bytes. Offsets above 2^53 are refused. */
export function encodeFrame({ stream, flags, channel, offset, payload }: BinaryFrame): Uint8Array {
	const out = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
	const view = new DataView(out.buffer);
	view.setUint8(0, FRAME_VERSION);
	view.setUint8(1, stream);
	view.setUint16(2, flags);
	view.setUint32(4, channel);
	view.setBigUint64(8, BigInt(offset));
	out.set(payload, FRAME_HEADER_BYTES);
	return out;
}

/** @throws AppError PROTOCOL_INVALID_FRAME. The payload shares memory with `bytes`. */
export function parseFrame(bytes: Uint8Array): BinaryFrame {
	if (bytes.length < FRAME_HEADER_BYTES)
		throw new AppError("PROTOCOL_INVALID_FRAME", "A binary frame is shorter than its 16-byte header.");
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const version = view.getUint8(0);
	const stream = view.getUint8(1);
	if (version !== FRAME_VERSION)
		throw new AppError("PROTOCOL_INVALID_FRAME", `Binary frame version ${version} is not spoken here.`);
	if (stream > MAX_STREAM)
		throw new AppError("PROTOCOL_INVALID_FRAME", `Binary stream ${stream} is unknown.`);
	const offset = view.getBigUint64(8);
	if (offset > BigInt(Number.MAX_SAFE_INTEGER))
		throw new AppError("PROTOCOL_INVALID_FRAME", "A binary frame's offset is out of range.");
	return {
		stream,
		flags: view.getUint16(2),
		channel: view.getUint32(4),
		offset: Number(offset),
		payload: bytes.subarray(FRAME_HEADER_BYTES),
	};
}
