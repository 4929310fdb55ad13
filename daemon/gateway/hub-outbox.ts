import type { HubSink } from "./hub.ts";

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
	onWritable(): void;
	/** The sink was closed as too slow. */
	onOverflow(): void;
}

/** What one subscriber has not been given yet. */
export interface Outbox {
	/** False once the subscriber was closed. */
	queue(entry: HubEntry): boolean;
	/** Hands everything over, or thins it out while the subscriber's socket is full. */
	flush(): void;
	overflow(): void;
}

/** Keeps the newest event per topic and row, in the order of what is kept; snapshots and activity stay. */
function thinOut(entries: readonly HubEntry[]): HubEntry[] {
	const seen = new Set<string>();
	const kept: HubEntry[] = [];
	for (const entry of entries.toReversed()) {
		const row = entry.key === undefined ? undefined : `${entry.topic}\n${entry.key}`;
		if (row !== undefined && seen.has(row)) continue;
		if (row !== undefined) seen.add(row);
		kept.push(entry);
	}
	return kept.reverse();
}

export function createOutbox({ sink, maxBytes, maxLength, onWritable, onOverflow }: OutboxOptions): Outbox {
	let entries: HubEntry[] = [];
	let sizeBytes = 0;
	let closed = false;
	let waiting = false;
	/** Since the last thinning a state event was added: thinning may gain something. */
	let canThin = false;
	/** Newest seq handed over, per topic; a topic leaves with its snapshot's renewal only, so this stays as small as the subscriptions. */
	const delivered = new Map<string, number>();

	function overflow(): void {
		if (closed) return;
		closed = true;
		entries = [];
		sizeBytes = 0;
		onOverflow();
		sink.closeSlow();
	}

	function thin(): void {
		if (!canThin) return;
		canThin = false;
		entries = thinOut(entries);
		sizeBytes = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
	}

	function isOver(): boolean {
		return entries.length > maxLength || sizeBytes > maxBytes;
	}

	function textOf(entry: HubEntry): string {
		const last = delivered.get(entry.topic);
		delivered.set(entry.topic, entry.seq);
		if (entry.isSnapshot || last === undefined || entry.seq <= last + 1) return entry.text;
		return entry.withSkipped(entry.seq - last - 1);
	}

	function waitForRoom(): void {
		thin();
		if (isOver()) overflow();
		if (closed || waiting) return;
		waiting = true;
		sink.onceWritable?.(() => {
			waiting = false;
			onWritable();
		});
	}

	return {
		queue(entry) {
			if (closed) return false;
			entries.push(entry);
			sizeBytes += entry.sizeBytes;
			canThin ||= entry.key !== undefined;
			if (isOver()) thin();
			if (isOver()) overflow();
			return !closed;
		},
		flush() {
			if (closed || entries.length === 0) return;
			if (sink.writable === false) {
				waitForRoom();
				return;
			}
			const batch = entries;
			entries = [];
			sizeBytes = 0;
			canThin = false;
			for (const entry of batch) {
				if (!sink.push(textOf(entry))) {
					overflow();
					return;
				}
			}
		},
		overflow,
	};
}
