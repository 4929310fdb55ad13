import type { TopicEvent, TopicName, TopicSnapshot } from "#protocol/topic/index.ts";

/** Messages that go out together; the same object for every subscriber that gets the same ones, so that a link may encode it once. */
export interface HubBatch {
	readonly texts: readonly string[];
	readonly sizeBytes: number;
}

/** What a hub needs of a client: it is handed whole messages and closed when it is too slow. */
export interface HubSink {
	/** Queues one message for the client's next write; false when its bound is broken (the hub then closes it with 1013). */
	push(text: string): boolean;
	/** Like `push` for each of the batch, for links that gain by it. */
	pushAll?(batch: HubBatch): boolean;
	closeSlow(): void;
	/** False while earlier writes have not left; the hub then keeps what comes, the newest per row of state topics. Absent: always. */
	readonly writable?: boolean;
	/** Calls once, when `writable` is true again. */
	onceWritable?(listener: () => void): void;
}

/**
 * Topics with snapshots and `(epoch, seq)`: epoch per hub and topic, seq gapless in it. One write per subscriber per
 * tick. No replay: a gap is answered by a new subscribe.
 */
export interface Hub extends Disposable {
	/** Where snapshots come from; each topic name has exactly one. `parameter` is the part after the colon. Throw an AppError for an unknown one. */
	provide<Name extends TopicName>(
		name: Name,
		snapshot: (parameter: string) => TopicSnapshot<Name> | Promise<TopicSnapshot<Name>>,
	): Disposable;
	/**
	 * Publishes to `name` (or `name:parameter`). Cheap when nobody listens. Snapshot and events are in step: an event
	 * published after the snapshot function returned is delivered after it; one published before is in it or before it.
	 */
	publish<Name extends TopicName>(
		name: Name,
		event: TopicEvent<Name>,
		options?: { parameter?: string; key?: string },
	): void;
	subscribe(sink: HubSink, topic: string): Promise<void>;
	unsubscribe(sink: HubSink, topic: string): void;
	dropSink(sink: HubSink): void;
	readonly counts: { subscribers: number; topics: number };
}

/** What services publish through; all they see of the hub. */
export type Publish = Hub["publish"];
