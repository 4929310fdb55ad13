import type { CodexLink, CodexPeerKind } from "../link.ts";
import { BUFFERED_MAX_BYTES, PAUSE_ABOVE_BYTES } from "./limits.ts";

/** What a transport can do for a link. */
export interface Wire {
	/** In order, in one write where the transport can. */
	write(texts: readonly string[]): void;
	/** Written and not yet taken by the system. */
	readonly bufferedBytes: number;
	/** Stops and starts reading from the peer. */
	pause(): void;
	resume(): void;
	/** Sends what was written, then ends; `reason` is for peers that can be told. */
	close(reason: "done" | "slow"): void;
}

/** A link and the ends of it that its transport calls. */
export interface WiredLink {
	readonly link: CodexLink;
	received(text: string): void;
	/** The system took everything that was written. */
	drained(): void;
	/** The connection is over; again does nothing. */
	ended(): void;
}

/** The one CodexLink of all transports: writes are gathered for a tick, a peer that does not read is paused, then ended. */
export function createLink(place: { label: string; kind: CodexPeerKind }, wire: Wire): WiredLink {
	let outgoing: string[] = [];
	let early: string[] = [];
	let listener: ((text: string) => void) | undefined;
	let closeListeners: (() => void)[] = [];
	let open = true;
	let paused = false;

	function ended(): void {
		if (!open) return;
		open = false;
		outgoing = [];
		early = [];
		const listeners = closeListeners;
		closeListeners = [];
		for (const told of listeners) told();
	}

	function flush(): void {
		if (outgoing.length === 0) return;
		const texts = outgoing;
		outgoing = [];
		wire.write(texts);
		if (wire.bufferedBytes > BUFFERED_MAX_BYTES) {
			wire.close("slow");
			ended();
		} else if (!paused && wire.bufferedBytes > PAUSE_ABOVE_BYTES) {
			paused = true;
			wire.pause();
		}
	}

	const link: CodexLink = {
		...place,
		send(text) {
			if (!open) return;
			if (outgoing.push(text) === 1) queueMicrotask(flush);
		},
		onMessage(next) {
			listener = next;
			const kept = early;
			early = [];
			for (const text of kept) next(text);
			return {
				[Symbol.dispose]() {
					if (listener === next) listener = undefined;
				},
			};
		},
		onClose(told) {
			if (!open) {
				told();
				return { [Symbol.dispose]: () => undefined };
			}
			closeListeners.push(told);
			return {
				[Symbol.dispose]() {
					closeListeners = closeListeners.filter((one) => one !== told);
				},
			};
		},
		close() {
			if (!open) return;
			flush();
			wire.close("done");
			ended();
		},
	};

	return {
		link,
		received(text) {
			if (!open) return;
			if (listener) listener(text);
			else early.push(text);
		},
		drained() {
			if (!paused) return;
			paused = false;
			wire.resume();
		},
		ended() {
			flush();
			ended();
		},
	};
}
