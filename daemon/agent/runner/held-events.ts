import type { ChatEvent } from "#protocol/chat-event.ts";

/** An event in its turn; `needs` is the batch of the journal that has to be on disk before it is told, 0 none. */
interface Held {
	readonly event: ChatEvent;
	readonly needs: number;
	readonly onTold: () => void;
}

/** Tells events in the order in which they were said, none before what it needs is on disk. */
export interface HeldEvents {
	tell(event: ChatEvent, needs?: number, onTold?: () => void): void;
	readonly isHolding: boolean;
	/** Batches up to this one are on disk. */
	settled(batch: number): void;
	/** This batch will never be: what needs it is forgotten. */
	lost(batch: number): void;
}

export function createHeldEvents(send: (event: ChatEvent) => void): HeldEvents {
	let held: Held[] = [];
	let onDisk = 0;

	function drain(): void {
		for (let next = held[0]; next !== undefined && next.needs <= onDisk; next = held[0]) {
			held.shift();
			next.onTold();
			send(next.event);
		}
	}

	return {
		tell(event, needs = 0, onTold = () => undefined) {
			held.push({ event, needs, onTold });
			drain();
		},
		get isHolding() {
			return held.length > 0;
		},
		settled(batch) {
			onDisk = Math.max(onDisk, batch);
			drain();
		},
		lost(batch) {
			held = held.filter((entry) => entry.needs !== batch);
			drain();
		},
	};
}
