import type { HubBatch, HubSink } from "./hub.ts";
import type { Run } from "./hub-run.ts";

/** One hub message, encoded once for all who get it. */
export interface HubEntry {
	readonly topic: string;
	readonly seq: number;
	readonly isSnapshot: boolean;
	/** Events of a state topic: which row it is about. */
	readonly key: string | undefined;
	readonly text: string;
	readonly sizeBytes: number;
	/** The same message, saying that `skipped` older ones were left out. */
	withSkipped(skipped: number): string;
}

interface HubEntryInput {
	type: "snapshot" | "event";
	topic: string;
	epoch: string;
	seq: number;
	payload: unknown;
	key?: string | undefined;
}

export function createHubEntry({ type, topic, epoch, seq, payload, key }: HubEntryInput): HubEntry {
	const head = `{"type":"${type}","topic":${JSON.stringify(topic)},"epoch":${JSON.stringify(epoch)},"seq":${seq}`;
	const body = `,"payload":${JSON.stringify(payload ?? null)}}`;
	const text = head + body;
	return {
		topic,
		seq,
		isSnapshot: type === "snapshot",
		key,
		text,
		sizeBytes: Buffer.byteLength(text),
		withSkipped: (skipped) => `${head},"skipped":${skipped}${body}`,
	};
}

interface OutboxOptions {
	sink: HubSink;
	maxBytes: number;
	maxLength: number;
	/** There is something to flush: once per flush, and when a full socket has drained. */
	onDirty(): void;
	/** The sink was closed as too slow. */
	onOverflow(): void;
}

/** What one subscriber has not been given yet. */
export interface Outbox {
	queue(entry: HubEntry): void;
	/** Queues all of a run; its array is shared and never changed from here. */
	queueRun(run: Run): void;
	/** Hands everything over, or thins it out while the subscriber's socket is full. */
	flush(share: ShareBatch): void;
	overflow(): void;
}

/** Finds the batch that another subscriber was given in this tick, if it is the same. */
export type ShareBatch = (entries: readonly HubEntry[]) => HubBatch;

/** One per tick. Most subscribers of a tick get the same messages; told by their last one, then compared. */
export function createShareBatch(): ShareBatch {
	const byLast = new Map<HubEntry | undefined, { entries: readonly HubEntry[]; batch: HubBatch }>();
	return (entries) => {
		const last = entries.at(-1);
		const known = byLast.get(last);
		if (known && isSame(known.entries, entries)) return known.batch;
		const batch = { texts: entries.map(({ text }) => text), sizeBytes: sumBytes(entries) };
		byLast.set(last, { entries, batch });
		return batch;
	};
}

function isSame(one: readonly HubEntry[], other: readonly HubEntry[]): boolean {
	if (one === other) return true;
	return one.length === other.length && one.every((entry, index) => entry === other[index]);
}

function sumBytes(entries: readonly HubEntry[]): number {
	return entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
}

/**
 * Keeps the newest event per topic and row, in the order of what is kept; snapshots and activity stay. `skipped` learns
 * how many were left out before each that stays; the last of a topic always stays, so no count is lost.
 */
function thinOut(entries: readonly HubEntry[], skipped: Map<HubEntry, number>): HubEntry[] {
	const newest = new Map<string, HubEntry>();
	for (const entry of entries) if (entry.key !== undefined) newest.set(`${entry.topic}\n${entry.key}`, entry);
	const missing = new Map<string, number>();
	return entries.filter((entry) => {
		if (entry.key === undefined) return true;
		const before = (missing.get(entry.topic) ?? 0) + (skipped.get(entry) ?? 0);
		const stays = newest.get(`${entry.topic}\n${entry.key}`) === entry;
		missing.set(entry.topic, stays ? 0 : before + 1);
		if (stays && before > 0) skipped.set(entry, before);
		else skipped.delete(entry);
		return stays;
	});
}

export function createOutbox({ sink, maxBytes, maxLength, onDirty, onOverflow }: OutboxOptions): Outbox {
	let entries: readonly HubEntry[] = [];
	/** `entries` when it is this outbox's own; undefined while it is a run's. */
	let own: HubEntry[] | undefined;
	let sizeBytes = 0;
	let closed = false;
	let waiting = false;
	/** Since the last thinning a state event was added: thinning may gain something. */
	let canThin = false;
	const skipped = new Map<HubEntry, number>();

	function overflow(): void {
		if (closed) return;
		closed = true;
		clear();
		onOverflow();
		sink.closeSlow();
	}

	function clear(): void {
		entries = [];
		own = undefined;
		sizeBytes = 0;
	}

	/** After something was added to what had `before` entries. */
	function noteAdded(before: number, last: HubEntry | undefined): void {
		canThin ||= last?.key !== undefined;
		if (isOver()) {
			thin();
			if (isOver()) overflow();
		}
		if (before === 0 || waiting) onDirty();
	}

	function append(added: readonly HubEntry[]): void {
		own ??= [...entries];
		entries = own;
		for (const entry of added) own.push(entry);
	}

	function thin(): void {
		if (!canThin) return;
		canThin = false;
		own = thinOut(entries, skipped);
		entries = own;
		sizeBytes = sumBytes(entries);
	}

	function isOver(): boolean {
		return entries.length > maxLength || sizeBytes > maxBytes;
	}

	function waitForRoom(): void {
		thin();
		if (isOver()) overflow();
		if (closed || waiting) return;
		waiting = true;
		sink.onceWritable?.(() => {
			waiting = false;
			if (entries.length > 0) onDirty();
		});
	}

	function take(share: ShareBatch): HubBatch {
		if (skipped.size === 0) return share(entries);
		const texts = entries.map((entry) => {
			const count = skipped.get(entry);
			return count === undefined ? entry.text : entry.withSkipped(count);
		});
		skipped.clear();
		return { texts, sizeBytes };
	}

	return {
		queue(entry) {
			if (closed) return;
			const before = entries.length;
			append([entry]);
			sizeBytes += entry.sizeBytes;
			noteAdded(before, entry);
		},
		queueRun(run) {
			if (closed) return;
			const before = entries.length;
			if (before === 0) {
				entries = run.entries;
				own = undefined;
			} else append(run.entries);
			sizeBytes += run.sizeBytes;
			noteAdded(before, run.entries.at(-1));
		},
		flush(share) {
			if (closed || entries.length === 0) return;
			if (sink.writable === false) {
				waitForRoom();
				return;
			}
			const batch = take(share);
			clear();
			canThin = false;
			const taken = sink.pushAll ? sink.pushAll(batch) : batch.texts.every((text) => sink.push(text));
			if (!taken) overflow();
		},
		overflow,
	};
}
