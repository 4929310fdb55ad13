import { AppError, toAppError } from "#base/app-error.ts";
import { LIMITS } from "#protocol/limits.ts";
import { TOPICS } from "#protocol/topic/index.ts";
import type { Hub, HubSink } from "./hub.ts";
import { createHubEntry, createOutbox, createShareBatch, type HubEntry, type Outbox } from "./hub-outbox.ts";

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

interface TopicState {
	readonly name: string;
	readonly parameter: string;
	readonly coalesce: boolean;
	seq: number;
	readonly subscriptions: Map<HubSink, Subscription>;
}

interface Subscription {
	readonly outbox: Outbox;
	/** Events published while an async snapshot is made; undefined once it is out. */
	held: HubEntry[] | undefined;
	cancelled: boolean;
}

const DESCRIPTORS = new Map(TOPICS.map((topic) => [topic.name as string, topic]));

/** Splits `name:parameter` and checks it against the descriptors. @throws AppError TOPIC_NOT_FOUND. */
export function parseTopic(topic: string): { descriptor: (typeof TOPICS)[number]; parameter: string } {
	const colon = topic.indexOf(":");
	const name = colon < 0 ? topic : topic.slice(0, colon);
	const parameter = colon < 0 ? "" : topic.slice(colon + 1);
	const descriptor = DESCRIPTORS.get(name);
	if (!descriptor) throw new AppError("TOPIC_NOT_FOUND", `There is no topic ${name}.`);
	const wanted = "parameter" in descriptor ? descriptor.parameter : undefined;
	if (wanted !== undefined && parameter === "")
		throw new AppError("TOPIC_NOT_FOUND", `Topic ${name} is addressed as ${name}:<${wanted}>.`);
	if (wanted === undefined && colon >= 0)
		throw new AppError("TOPIC_NOT_FOUND", `Topic ${name} takes no parameter.`);
	return { descriptor, parameter };
}

/**
 * The hub. State topics skip to the newest value per key for a subscriber that has not drained; the message then says
 * `skipped`, the count of its topic's older events left out just before it, so that a gap still means a loss.
 */
export function createHub(options: CreateHubOptions): Hub {
	const {
		epoch,
		schedule = setImmediate,
		maxBytes = LIMITS.buffered_bytes,
		maxLength = LIMITS.queue_length,
	} = options;
	const providers = new Map<string, Provider>();
	/** Kept for the life of the hub, also without subscribers: seq must not start anew within an epoch. */
	const topics = new Map<string, TopicState>();
	const outboxes = new Map<HubSink, Outbox>();
	const dirty = new Set<Outbox>();
	let scheduled = false;

	function flush(): void {
		scheduled = false;
		const batch = [...dirty];
		dirty.clear();
		const share = createShareBatch();
		for (const outbox of batch) outbox.flush(share);
	}

	function markDirty(outbox: Outbox): void {
		dirty.add(outbox);
		if (scheduled) return;
		scheduled = true;
		schedule(flush);
	}

	function topicOf(topic: string): TopicState {
		const present = topics.get(topic);
		if (present) return present;
		const { descriptor, parameter } = parseTopic(topic);
		const state: TopicState = {
			name: topic,
			parameter,
			coalesce: descriptor.coalesce,
			seq: 0,
			subscriptions: new Map(),
		};
		topics.set(topic, state);
		return state;
	}

	function outboxOf(sink: HubSink): Outbox {
		const present = outboxes.get(sink);
		if (present) return present;
		const outbox = createOutbox({
			sink,
			maxBytes,
			maxLength,
			onDirty: () => markDirty(outbox),
			onOverflow: () => drop(sink),
		});
		outboxes.set(sink, outbox);
		return outbox;
	}

	function drop(sink: HubSink): void {
		const outbox = outboxes.get(sink);
		if (!outbox) return;
		outboxes.delete(sink);
		dirty.delete(outbox);
		for (const state of topics.values()) remove(state, sink);
	}

	function remove(state: TopicState, sink: HubSink): void {
		const subscription = state.subscriptions.get(sink);
		if (!subscription) return;
		subscription.cancelled = true;
		state.subscriptions.delete(sink);
	}

	function deliver(subscription: Subscription, entry: HubEntry): void {
		if (subscription.held) {
			subscription.held.push(entry);
			if (subscription.held.length > maxLength) subscription.outbox.overflow();
			return;
		}
		subscription.outbox.queue(entry);
	}

	async function snapshot(state: TopicState, subscription: Subscription, provider: Provider): Promise<void> {
		const seqBefore = state.seq;
		const made = provider(state.parameter);
		const payload = made instanceof Promise ? await made : made;
		if (subscription.cancelled) return;
		// A snapshot made at once is exact. One that waits may or may not hold what came meanwhile: a state topic says
		// that again, which changes nothing; an activity topic must not, so its snapshot counts as of its end (hub.ts).
		const seq = made instanceof Promise && state.coalesce ? seqBefore : state.seq;
		const held = subscription.held ?? [];
		subscription.held = undefined;
		const entry = createHubEntry({ type: "snapshot", topic: state.name, epoch, seq, payload });
		for (const next of [entry, ...held.filter((event) => event.seq > seq)]) deliver(subscription, next);
	}

	return {
		provide(name, provider) {
			if (providers.has(name)) throw new Error(`topic ${name} has two snapshot providers`);
			providers.set(name, provider);
			return { [Symbol.dispose]: () => void providers.delete(name) };
		},
		publish(name, event, { parameter, key } = {}) {
			const state = topicOf(parameter === undefined ? name : `${name}:${parameter}`);
			state.seq += 1;
			if (state.subscriptions.size === 0) return;
			const coalesceKey = state.coalesce ? (key ?? keyOf(event)) : undefined;
			const entry = createHubEntry({
				type: "event",
				topic: state.name,
				epoch,
				seq: state.seq,
				payload: event,
				key: coalesceKey,
			});
			for (const subscription of state.subscriptions.values()) deliver(subscription, entry);
		},
		async subscribe(sink, topic) {
			const { descriptor } = parseTopic(topic);
			const provider = providers.get(descriptor.name);
			if (!provider) throw new AppError("TOPIC_NOT_FOUND", `Topic ${descriptor.name} is not served here.`);
			const known = topics.has(topic);
			const state = topicOf(topic);
			remove(state, sink);
			const subscription: Subscription = { outbox: outboxOf(sink), held: [], cancelled: false };
			state.subscriptions.set(sink, subscription);
			try {
				await snapshot(state, subscription, provider);
			} catch (thrown) {
				if (state.subscriptions.get(sink) === subscription) remove(state, sink);
				// Names that nobody published to and that do not exist must not pile up.
				if (!known && state.seq === 0 && state.subscriptions.size === 0) topics.delete(topic);
				throw toAppError(thrown);
			}
		},
		unsubscribe(sink, topic) {
			const state = topics.get(topic);
			if (state) remove(state, sink);
		},
		dropSink: drop,
		get counts() {
			return {
				subscribers: outboxes.size,
				topics: [...topics.values()].filter((state) => state.subscriptions.size > 0).length,
			};
		},
		[Symbol.dispose]() {
			for (const sink of [...outboxes.keys()]) drop(sink);
			providers.clear();
		},
	};
}

/** State events name their row; those without (`daemon.state`) are one row. */
function keyOf(event: unknown): string {
	return typeof event === "object" && event !== null && "key" in event ? String(event.key) : "";
}
