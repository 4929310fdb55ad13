import { CLOSE_CODE, LIMITS } from "#protocol/limits.ts";
import type { HubBatch, HubSink } from "./hub.ts";
import type { ServerLink } from "./server-link.ts";

/** All that goes out to one client: one write per tick, within the bounds, else the client is closed as too slow. */
export interface Outlet extends HubSink {
	pushAll(batch: HubBatch): boolean;
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
	/** Batches as they were handed over; single texts gather in one of the outlet's own. */
	let batches: (readonly string[])[] = [];
	let own: string[] | undefined;
	let queued = 0;
	let queuedBytes = 0;
	let closed = false;
	let writableWaiters: (() => void)[] = [];
	const drainListeners = new Set<() => void>();

	function flush(): void {
		if (queued === 0) return;
		const all = batches;
		forget();
		link.writeTexts(all);
	}

	function forget(): void {
		batches = [];
		own = undefined;
		queued = 0;
		queuedBytes = 0;
	}

	function hasRoom(count: number, sizeBytes: number): boolean {
		if (closed || queued + count > LIMITS.queue_length) return false;
		return link.bufferedBytes + queuedBytes + sizeBytes <= LIMITS.buffered_bytes;
	}

	function note(count: number, sizeBytes: number): void {
		if (queued === 0) queueMicrotask(flush);
		queued += count;
		queuedBytes += sizeBytes;
	}

	function close(code: number, reason: string): void {
		if (closed) return;
		flush();
		closed = true;
		writableWaiters = [];
		link.close(code, reason);
	}

	function closeSlow(): void {
		forget();
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
			if (!hasRoom(1, text.length)) return false;
			note(1, text.length);
			if (!own) {
				own = [];
				batches.push(own);
			}
			own.push(text);
			return true;
		},
		pushAll({ texts, sizeBytes }) {
			if (!hasRoom(texts.length, sizeBytes)) return false;
			note(texts.length, sizeBytes);
			own = undefined;
			batches.push(texts);
			return true;
		},
		closeSlow,
		pushBinary(bytes) {
			if (closed) return false;
			if (!hasRoom(0, bytes.length)) {
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
			const entry = (): void => listener();
			drainListeners.add(entry);
			return { [Symbol.dispose]: () => void drainListeners.delete(entry) };
		},
		close,
		get closed() {
			return closed;
		},
	};
}
