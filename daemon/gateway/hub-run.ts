import type { HubEntry } from "./hub-outbox.ts";
import { deliver, type TopicState } from "./hub-topic.ts";

/** Events of one topic that were published one after the other; one array for all who get them. */
export interface Run {
	readonly entries: HubEntry[];
	sizeBytes: number;
}

/**
 * What was published in this tick and handed to nobody yet, in order. A subscriber costs once per run, not once per
 * event: that is what a fan-out to hundreds lives on.
 */
export interface Runs {
	add(state: TopicState, entry: HubEntry): void;
	/** Hands everything to the subscribers as they are now; to be called before they change. */
	spread(): void;
}

/** The bounds of one subscriber also bound what waits here for the end of the tick. */
export function createRuns(bounds: { maxLength: number; maxBytes: number }, onFirst: () => void): Runs {
	const { maxLength, maxBytes } = bounds;
	let runs: { state: TopicState; run: Run }[] = [];
	let length = 0;
	let sizeBytes = 0;

	function spread(): void {
		if (length === 0) return;
		const all = runs;
		runs = [];
		length = 0;
		sizeBytes = 0;
		for (const { state, run } of all)
			for (const subscription of state.subscriptions.values()) deliver(subscription, run, maxLength);
	}

	return {
		add(state, entry) {
			const last = runs.at(-1);
			if (last?.state === state) {
				last.run.entries.push(entry);
				last.run.sizeBytes += entry.sizeBytes;
			} else runs.push({ state, run: { entries: [entry], sizeBytes: entry.sizeBytes } });
			length += 1;
			sizeBytes += entry.sizeBytes;
			if (length === 1) onFirst();
			if (length >= maxLength || sizeBytes >= maxBytes) spread();
		},
		spread,
	};
}
