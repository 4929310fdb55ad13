import { type AttachSocket, openAttachSocket } from "#client/node/attach-socket.ts";
import { FRAME_FLAG, STREAM } from "#protocol/frame.ts";
import type { Channel } from "../../gateway/handler.ts";

interface ChannelAttachOptions {
	channel: Channel;
	socketPath: string;
	ticket: string;
	size: { cols: number; rows: number } | undefined;
	fromOffset: number | undefined;
}

/** Streams one terminal through a channel of a client's connection. */
export interface ChannelAttach {
	readonly socket: AttachSocket;
	close(): void;
}

/**
 * Pipes the host's frames into a channel, offsets kept. A client that cannot take more stops the reading here; the host then
 * passes it over and sends a snapshot once it reads again. Ends with the channel, and the channel with the terminal.
 * @throws AppError of openAttachSocket.
 */
export async function attachChannel(options: ChannelAttachOptions): Promise<ChannelAttach> {
	const { channel } = options;
	let socket: AttachSocket | undefined;
	let endOffset = 0;
	function send(offset: number, payload: Uint8Array, flags: number): void {
		endOffset = flags === 0 ? offset + payload.length : offset;
		if (!channel.send({ stream: STREAM.output, flags, offset, payload })) socket?.pause();
	}
	const opened = await openAttachSocket({
		socketPath: options.socketPath,
		ticket: options.ticket,
		size: options.size,
		paint: "full",
		fromOffset: options.fromOffset,
		handlers: {
			onSnapshot: (offset, bytes) => send(offset, bytes, FRAME_FLAG.snapshot),
			onOutput: (offset, bytes) => send(offset, bytes, 0),
			// Size, driver and exit reach channel clients by the topic terminals.state.
			onEvent: () => undefined,
			onClose: () => {
				channel.send({
					stream: STREAM.output,
					flags: FRAME_FLAG.end,
					offset: endOffset,
					payload: new Uint8Array(0),
				});
				channel.close();
			},
		},
	});
	socket = opened;
	channel.onDrain(() => opened.resume());
	channel.onClose(() => opened.close());
	channel.onFrame((frame) => {
		if (frame.stream === STREAM.input && frame.payload.length > 0) opened.input(frame.payload);
	});
	return { socket: opened, close: () => channel.close() };
}
