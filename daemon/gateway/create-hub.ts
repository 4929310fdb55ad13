import { AppError, toAppError } from "#base/app-error.ts";
import { LIMITS } from "#protocol/limits.ts";
import type { Hub, HubSink } from "./hub.ts";
import { createHubEntry, createOutbox, createShareBatch, type Outbox } from "./hub-outbox.ts";
import { createRuns } from "./hub-run.ts";
import {
	createTopicState,
	endSubscription,
	parseTopic,
	type Subscription,
	sendSnapshot,
	type TopicState,
} from "./hub-topic.ts";

interface CreateHubOptions {
	/** New per daemon process: with `seq` it tells a client that it missed something. */
	epoch: string;
	/** Runs `flush` once this tick's work is done; default setImmediate. */
	schedule?: (flush: () => void) => void;
	/** Per subscriber; defaults from LIMITS. */
	maxBytes?: number;
	maxLength?: number;
}

type Provider = (parameter: string) => unknown;

/** Subscribers and what they still have to get; flushed once per tick. */
function createOutboxes(
	{
		schedule = setImmediate,
		maxBytes = LIMITS.buffered_bytes,
		maxLength = LIMITS.queue_length,
	}: CreateHubOptions,
	onOverflow: (sink: HubSink) => void,
	spread: () => void,
) {
	const outboxes = new Map<HubSink, Outbox>();
	const dirty = new Set<Outbox>();
	let scheduled = false;

	function flush(): void {
		scheduled = false;
		spread();
		const batch = [...dirty];
		dirty.clear();
		const share = createShareBatch();
		for (const outbox of batch) outbox.flush(share);
	}

	function markDirty(outbox: Outbox): void {
		dirty.add(outbox);
		wake();
	}

	function wake(): void {
		if (scheduled) return;
		scheduled = true;
		schedule(flush);
	}

	return {
		wake,
		of(sink: HubSink): Outbox {
			const present = outboxes.get(sink);
			if (present) return present;
			const outbox = createOutbox({
				sink,
				maxBytes,
				maxLength,
				onDirty: () => markDirty(outbox),
				onOverflow: () => onOverflow(sink),
			});
			outboxes.set(sink, outbox);
			return outbox;
		},
		/** False when it was not there. */
		drop(sink: HubSink): boolean {
			const outbox = outboxes.get(sink);
			if (outbox) dirty.delete(outbox);
			return outboxes.delete(sink);
		},
		sinks: () => [...outboxes.keys()],
		get size() {
			return outboxes.size;
		},
	};
}

/**
 * The hub. State topics skip to the newest value per key for a subscriber that has not drained; the message then says
 * `skipped`, the count of its topic's older events left out just before it, so that a gap still means a loss.
 */
export function createHub(options: CreateHubOptions): Hub {
	const { epoch } = options;
	const providers = new Map<string, Provider>();
	/** Kept for the life of the hub, also without subscribers: seq must not start anew within an epoch. */
	const topics = new Map<string, TopicState>();
	const { maxLength = LIMITS.queue_length, maxBytes = LIMITS.buffered_bytes } = options;
	const runs = createRuns({ maxLength, maxBytes }, () => outboxes.wake());
	const outboxes = createOutboxes(options, drop, runs.spread);

	function topicOf(topic: string): TopicState {
		const state = topics.get(topic) ?? createTopicState(topic);
		topics.set(topic, state);
		return state;
	}

	function drop(sink: HubSink): void {
		if (!outboxes.drop(sink)) return;
		for (const state of topics.values()) endSubscription(state, sink);
	}

	return {
		provide(name, provider) {
			if (providers.has(name)) throw new Error(`topic ${name} has two snapshot providers`);
			providers.set(name, provider);
			return { [Symbol.dispose]: () => void providers.delete(name) };
		},
		publish(name, event, { parameter, key } = {}) {
			const topic = parameter === undefined ? name : `${name}:${parameter}`;
			const state = topicOf(topic);
			state.seq += 1;
			if (state.subscriptions.size === 0) return;
			const row = state.coalesce ? (key ?? keyOf(event)) : undefined;
			const entry = createHubEntry({ type: "event", topic, epoch, seq: state.seq, payload: event, key: row });
			runs.add(state, entry);
		},
		async subscribe(sink, topic) {
			const { descriptor } = parseTopic(topic);
			const provider = providers.get(descriptor.name);
			if (!provider) throw new AppError("TOPIC_NOT_FOUND", `Topic ${descriptor.name} is not served here.`);
			const known = topics.has(topic);
			const state = topicOf(topic);
			runs.spread();
			endSubscription(state, sink);
			const subscription: Subscription = { outbox: outboxes.of(sink), held: [], cancelled: false };
			state.subscriptions.set(sink, subscription);
			try {
				await sendSnapshot(state, subscription, {
					make: provider,
					encode: (seq, payload) => createHubEntry({ type: "snapshot", topic, epoch, seq, payload }),
					spread: runs.spread,
				});
			} catch (thrown) {
				if (state.subscriptions.get(sink) === subscription) endSubscription(state, sink);
				// Names that nobody published to and that do not exist must not pile up.
				if (!known && state.seq === 0 && state.subscriptions.size === 0) topics.delete(topic);
				throw toAppError(thrown);
			}
		},
		unsubscribe(sink, topic) {
			const state = topics.get(topic);
			runs.spread();
			if (state) endSubscription(state, sink);
		},
		dropSink: drop,
		get counts() {
			const followed = [...topics.values()].filter((state) => state.subscriptions.size > 0);
			return { subscribers: outboxes.size, topics: followed.length };
		},
		[Symbol.dispose]() {
			for (const sink of outboxes.sinks()) drop(sink);
			providers.clear();
		},
	};
}

/** State events name their row; those without (`daemon.state`) are one row. */
function keyOf(event: unknown): string {
	return typeof event === "object" && event !== null && "key" in event ? String(event.key) : "";
}
