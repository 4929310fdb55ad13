import { connect } from "node:net";
import { AppError } from "#base/app-error.ts";
import { ERROR_TABLE, type ErrorCode } from "#base/error-table.ts";
import {
	createHostFrameReader,
	encodeHostAck,
	encodeHostFrame,
	encodeHostJson,
	encodeHostResize,
	HOST_FRAME,
	HOST_FRAME_BYTES,
	HOST_PROTOCOL,
	parseHostBytes,
	parseHostJson,
} from "../attach/host-frame.ts";
import {
	type HostEvent,
	type HostTerminal,
	type PaintKind,
	parseHostEvent,
	parseHostTerminal,
	readObject,
	readText,
} from "../attach/host-message.ts";

/** A paste is sent in pieces of this size, well under the host's frame limit. */
const INPUT_PIECE_BYTES = 256 * 1024;
const HELLO_TIMEOUT_MS = 10_000;

export interface AttachHandlers {
	/** Paints the screen as it was at `offset`; what follows begins there. */
	onSnapshot(offset: number, bytes: Uint8Array): void;
	onOutput(offset: number, bytes: Uint8Array): void;
	onEvent(event: HostEvent): void;
	/** Once, after the hello; also after `close()`. */
	onClose(): void;
}

export interface AttachSocketOptions {
	socketPath: string;
	/** Single use. */
	ticket: string;
	size: { cols: number; rows: number } | undefined;
	paint: PaintKind;
	fromOffset?: number | undefined;
	handlers: AttachHandlers;
}

/** One attachment to a terminal, straight to the pty-host. */
export interface AttachSocket {
	readonly terminal: HostTerminal;
	input(bytes: Uint8Array): void;
	resize(cols: number, rows: number): void;
	ack(offset: number): void;
	/** Asks for a fresh snapshot. */
	resync(): void;
	/** Stops and goes on reading; the host then passes this client over and sends a snapshot later. */
	pause(): void;
	resume(): void;
	close(): void;
}

function refusal(code: string, message: string): AppError {
	return new AppError(Object.hasOwn(ERROR_TABLE, code) ? (code as ErrorCode) : "INTERNAL", message);
}

/** @throws AppError AUTH_REQUIRED (ticket used or expired), TERMINAL_NOT_FOUND, HOST_UNAVAILABLE. */
export async function openAttachSocket(options: AttachSocketOptions): Promise<AttachSocket> {
	const { handlers } = options;
	const opened = Promise.withResolvers<AttachSocket>();
	let greeted = false;
	const socket = connect(options.socketPath);
	const reader = createHostFrameReader(HOST_FRAME_BYTES, (type, body) => {
		if (type === HOST_FRAME.output || type === HOST_FRAME.snapshot) {
			const { offset, bytes } = parseHostBytes(body);
			if (type === HOST_FRAME.output) handlers.onOutput(offset, bytes);
			else handlers.onSnapshot(offset, bytes);
		} else if (type === HOST_FRAME.hello) {
			greeted = true;
			socket.setTimeout(0);
			opened.resolve(attached(parseHostTerminal(readObject(parseHostJson(body), "terminal"))));
		} else if (type === HOST_FRAME.event) hear(parseHostJson(body));
	});
	function hear(value: Record<string, unknown>): void {
		const event = parseHostEvent(value);
		if (!event) return;
		if (event.event === "refused" && !greeted) opened.reject(refusal(readText(value, "code"), event.message));
		else handlers.onEvent(event);
	}
	const attached = (terminal: HostTerminal): AttachSocket => ({
		terminal,
		input(bytes) {
			for (let at = 0; at < bytes.length; at += INPUT_PIECE_BYTES) {
				socket.write(encodeHostFrame(HOST_FRAME.input, bytes.subarray(at, at + INPUT_PIECE_BYTES)));
			}
		},
		resize: (cols, rows) => void socket.write(encodeHostResize(cols, rows)),
		ack: (offset) => void socket.write(encodeHostAck(offset)),
		resync: () => void socket.write(encodeHostFrame(HOST_FRAME.resync, new Uint8Array(0))),
		pause: () => void socket.pause(),
		resume: () => void socket.resume(),
		close: () => void socket.destroy(),
	});
	socket.setTimeout(HELLO_TIMEOUT_MS, () => {
		if (!greeted) socket.destroy();
	});
	socket.on("connect", () => {
		socket.write(
			encodeHostJson(HOST_FRAME.hello, {
				...HOST_PROTOCOL,
				role: "attach",
				ticket: options.ticket,
				paint: options.paint,
				...options.size,
				...(options.fromOffset === undefined ? {} : { from_offset: options.fromOffset }),
			}),
		);
	});
	socket.on("data", (chunk) => {
		try {
			reader.push(chunk);
		} catch (error) {
			opened.reject(error);
			socket.destroy();
		}
	});
	socket.on("error", () => socket.destroy());
	socket.on("close", () => {
		opened.reject(new AppError("HOST_UNAVAILABLE", "The pty-host cannot be reached."));
		if (greeted) handlers.onClose();
	});
	return await opened.promise;
}
