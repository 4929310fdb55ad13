import { CLOSE_CODE, LIMITS } from "#protocol/limits.ts";
import type { HubSink } from "./hub.ts";
import type { ServerLink } from "./server-link.ts";

/** All that goes out to one client: one write per tick, within the bounds, else the client is closed as too slow. */
export interface Outlet extends HubSink {
	readonly writable: boolean;
	onceWritable(listener: () => void): void;
	/** False above the high watermark; wait for `onDrain`. */
	pushBinary(bytes: Uint8Array): boolean;
	onDrain(listener: () => void): Disposable;
	/** Sends what is queued, then closes. */
	close(code: number, reason: string): void;
	readonly closed: boolean;
}

/** Above it a channel pauses: some hundred milliseconds of a fast terminal, far below the bound that closes a client. */
const CHANNEL_WATERMARK_BYTES = 512 * 1024;

export function createOutlet(link: ServerLink): Outlet {
	let texts: string[] = [];
	let textChars = 0;
	let closed = false;
	let writableWaiters: (() => void)[] = [];
	const drainListeners = new Set<() => void>();

	function flush(): void {
		if (texts.length === 0) return;
		const batch = texts;
		texts = [];
		textChars = 0;
		link.writeTexts(batch);
	}

	function close(code: number, reason: string): void {
		if (closed) return;
		flush();
		closed = true;
		writableWaiters = [];
		link.close(code, reason);
	}

	function closeSlow(): void {
		texts = [];
		close(CLOSE_CODE.slowConsumer, "slow consumer");
	}

	link.onDrain = () => {
		const waiters = writableWaiters;
		writableWaiters = [];
		for (const listener of waiters) listener();
		for (const listener of [...drainListeners]) listener();
	};

	return {
		push(text) {
			if (closed) return false;
			if (texts.length >= LIMITS.queue_length || link.bufferedBytes + textChars + text.length > LIMITS.buffered_bytes) return false;
			if (texts.length === 0) queueMicrotask(flush);
			texts.push(text);
			textChars += text.length;
			return true;
		},
		closeSlow,
		pushBinary(bytes) {
			if (closed) return false;
			if (link.bufferedBytes + textChars + bytes.length > LIMITS.buffered_bytes) {
				closeSlow();
				return false;
			}
			flush();
			link.writeBinary(bytes);
			return link.bufferedBytes < CHANNEL_WATERMARK_BYTES;
		},
		get writable() {
			return !closed && link.writable;
		},
		onceWritable(listener) {
			writableWaiters.push(listener);
		},
		onDrain(listener) {
			const own = (): void => listener();
			drainListeners.add(own);
			return { [Symbol.dispose]: () => void drainListeners.delete(own) };
		},
		close,
		get closed() {
			return closed;
		},
	};
}
