import type { BinaryFrame } from "#protocol/frame.ts";

/** Binary frames by channel, for the present link. */
export interface FrameRouter {
	on(channel: number, listener: (frame: BinaryFrame) => void): Disposable;
	route(frame: BinaryFrame): void;
	/** Channels end with their link: early frames of a lost one are forgotten. */
	clear(): void;
}

/** The first frames of a channel may come in the same read as the answer that names it, before anybody could listen. */
const EARLY_FRAMES_MAX = 256;

export function createFrameRouter(): FrameRouter {
	const listeners = new Map<number, Set<{ readonly listener: (frame: BinaryFrame) => void }>>();
	let early: BinaryFrame[] = [];
	return {
		on(channel, listener) {
			const own = { listener };
			const set = listeners.get(channel) ?? new Set();
			listeners.set(channel, set.add(own));
			const waiting = early.filter((frame) => frame.channel === channel);
			if (waiting.length > 0) {
				early = early.filter((frame) => frame.channel !== channel);
				for (const frame of waiting) listener(frame);
			}
			return {
				[Symbol.dispose]: () => {
					set.delete(own);
					if (set.size === 0 && listeners.get(channel) === set) listeners.delete(channel);
				},
			};
		},
		route(frame) {
			const set = listeners.get(frame.channel);
			if (set) for (const { listener } of [...set]) listener(frame);
			else if (early.length < EARLY_FRAMES_MAX) early.push(frame);
		},
		clear() {
			early = [];
		},
	};
}
