import { AppError } from "#base/app-error.ts";
import { type BinaryFrame, encodeFrame } from "#protocol/frame.ts";
import type { Channel } from "./handler.ts";
import type { Outlet } from "./outlet.ts";

type ChannelFrame = Omit<BinaryFrame, "channel">;

/** The byte channels of one connection; ids count up and are never used again. */
export interface ChannelTable {
	open(): Channel;
	get(id: number): Channel | undefined;
	/** @throws AppError NOT_FOUND for an id that was never given out; a frame for one that has closed is dropped. */
	route(frame: BinaryFrame): void;
	closeAll(): void;
}

/** A client with more terminals on one connection is not a person's. */
const CHANNELS_MAX = 1024;

function createListeners<T>(): { add(listener: (value: T) => void): Disposable; tell(value: T): void } {
	const listeners = new Set<{ readonly listener: (value: T) => void }>();
	return {
		add(listener) {
			const own = { listener };
			listeners.add(own);
			return { [Symbol.dispose]: () => void listeners.delete(own) };
		},
		tell(value) {
			for (const { listener } of [...listeners]) listener(value);
		},
	};
}

export function createChannelTable(outlet: Outlet): ChannelTable {
	const channels = new Map<number, { channel: Channel; tell(frame: ChannelFrame): void; shut(): void }>();
	let lastId = 0;

	function open(): Channel {
		if (channels.size >= CHANNELS_MAX)
			throw new AppError("PROTOCOL_LIMIT", `A connection holds at most ${CHANNELS_MAX} channels.`);
		lastId += 1;
		const id = lastId;
		const frames = createListeners<ChannelFrame>();
		const drains = createListeners<undefined>();
		const closes = createListeners<undefined>();
		const draining = outlet.onDrain(() => drains.tell(undefined));
		function shut(): void {
			if (!channels.delete(id)) return;
			draining[Symbol.dispose]();
			closes.tell(undefined);
		}
		const channel: Channel = {
			id,
			send: ({ stream, flags, offset, payload }) =>
				channels.has(id) && outlet.pushBinary(encodeFrame({ stream, flags, channel: id, offset, payload })),
			onFrame: frames.add,
			onDrain: (listener) => drains.add(listener),
			onClose: (listener) => closes.add(listener),
			close: shut,
		};
		channels.set(id, { channel, tell: frames.tell, shut });
		return channel;
	}

	return {
		open,
		get: (id) => channels.get(id)?.channel,
		route({ stream, flags, channel, offset, payload }) {
			const entry = channels.get(channel);
			if (entry) entry.tell({ stream, flags, offset, payload });
			else if (channel === 0 || channel > lastId)
				throw new AppError("NOT_FOUND", `Channel ${channel} was never opened.`);
		},
		closeAll() {
			for (const { shut } of [...channels.values()]) shut();
		},
	};
}
