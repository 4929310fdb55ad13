import type { Socket } from "node:net";
import { encodeHostBytes, encodeHostJson, HOST_FRAME } from "#client/attach/host-frame.ts";
import type { AttachMode, HostEvent, PaintKind } from "#client/attach/host-message.ts";

/** Bytes waiting in a client's socket, or not acknowledged by one that acknowledges, above which it is passed over. */
const HIGH_WATER_BYTES = 4 * 1024 * 1024;

/** What a link needs of its terminal. */
export interface LinkSource {
	/** Offset one past the newest byte. */
	endOffset(): number;
	/** Undefined when some are gone. */
	readFrom(offset: number): Uint8Array | undefined;
	paint(kind: Exclude<PaintKind, "none">): Promise<Uint8Array>;
	/** Holds the program for a reader that must miss nothing. */
	hold(reason: object): void;
	release(reason: object): void;
}

export interface LinkOptions {
	socket: Socket;
	client: string;
	device: string;
	/** What it asked for; whether it drives is the terminal's decision. */
	mode: AttachMode;
	paint: PaintKind;
	/** A pipe, not a screen: nothing may be left out, so its slowness holds the program as a pipe's would. */
	lossless: boolean;
	size: { cols: number; rows: number } | undefined;
	sinceMs: number;
}

/** One attached client. `live` gets bytes as they come, `painting` waits for a snapshot, `lagging` is too slow for either. */
export interface AttachLink {
	readonly options: LinkOptions;
	size: { cols: number; rows: number } | undefined;
	/** Begins: a snapshot, or the bytes from `fromOffset` on. */
	start(fromOffset: number | undefined): void;
	/** New bytes at `offset`, as the frame that all links share; before they are in `LinkSource`. */
	output(offset: number, length: number, frame: Uint8Array): void;
	resync(): void;
	ack(offset: number): void;
	send(event: HostEvent): void;
	/** The program has ended: everything before is delivered first, then the link closes. */
	finish(event: HostEvent): void;
	close(): void;
}

export function createAttachLink(options: LinkOptions, source: LinkSource): AttachLink {
	const { socket } = options;
	let state: "live" | "painting" | "lagging" | "closed" = "painting";
	let sentOffset = 0;
	let ackedOffset: number | undefined;
	let last: HostEvent | undefined;
	let overruns = 0;
	const holder = {};

	function overfull(): boolean {
		if (socket.writableLength > HIGH_WATER_BYTES) return true;
		return ackedOffset !== undefined && sentOffset - ackedOffset > HIGH_WATER_BYTES;
	}
	function afterWrite(): void {
		if (state !== "live" || !overfull()) return;
		if (options.lossless) source.hold(holder);
		else state = "lagging";
	}
	function end(): void {
		if (!last) return;
		socket.write(encodeHostJson(HOST_FRAME.event, last));
		state = "closed";
		source.release(holder);
		socket.end();
	}
	async function paint(): Promise<void> {
		state = "painting";
		const offset = source.endOffset();
		if (options.paint !== "none") {
			const bytes = await source.paint(options.paint);
			if (closed()) return;
			socket.write(encodeHostBytes(HOST_FRAME.snapshot, offset, bytes));
		}
		const since = source.readFrom(offset);
		if (!since) {
			// A flood overran the ring meanwhile. From the second time on it has to wait for this snapshot.
			overruns += 1;
			if (overruns > 1) source.hold(holder);
			await paint();
			return;
		}
		overruns = 0;
		goLive(offset, since);
	}
	const closed = (): boolean => state === "closed" || socket.destroyed;

	function goLive(offset: number, bytes: Uint8Array): void {
		state = "live";
		if (bytes.length > 0) socket.write(encodeHostBytes(HOST_FRAME.output, offset, bytes));
		sentOffset = offset + bytes.length;
		source.release(holder);
		if (last) end();
		else afterWrite();
	}
	function catchUp(): void {
		if (overfull()) return;
		source.release(holder);
		if (state === "lagging") void paint();
	}
	socket.on("drain", catchUp);

	return {
		options,
		size: options.size,
		start(fromOffset) {
			const held = fromOffset === undefined ? undefined : source.readFrom(fromOffset);
			if (fromOffset !== undefined && held) goLive(fromOffset, held);
			else void paint();
		},
		output(offset, length, frame) {
			if (state !== "live") return;
			socket.write(frame);
			sentOffset = offset + length;
			afterWrite();
		},
		resync() {
			if (state === "live") void paint();
		},
		ack(offset) {
			ackedOffset = Math.min(offset, sentOffset);
			catchUp();
		},
		send(event) {
			if (!closed()) socket.write(encodeHostJson(HOST_FRAME.event, event));
		},
		finish(event) {
			last = event;
			if (state === "live") end();
		},
		close() {
			state = "closed";
			source.release(holder);
			socket.destroy();
		},
	};
}
