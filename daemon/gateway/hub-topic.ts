import { AppError } from "#base/app-error.ts";
import { TOPICS } from "#protocol/topic/index.ts";
import type { HubSink } from "./hub.ts";
import type { HubEntry, Outbox } from "./hub-outbox.ts";
import type { Run } from "./hub-run.ts";

/** One addressed topic: its count and who follows it. */
export interface TopicState {
	readonly topic: string;
	readonly parameter: string;
	readonly coalesce: boolean;
	seq: number;
	readonly subscriptions: Map<HubSink, Subscription>;
}

export interface Subscription {
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

export function createTopicState(topic: string): TopicState {
	const { descriptor, parameter } = parseTopic(topic);
	return { topic, parameter, coalesce: descriptor.coalesce, seq: 0, subscriptions: new Map() };
}

export function endSubscription(state: TopicState, sink: HubSink): void {
	const subscription = state.subscriptions.get(sink);
	if (!subscription) return;
	subscription.cancelled = true;
	state.subscriptions.delete(sink);
}

/** Queues events, behind the snapshot when that is still being made; `heldMax` bounds how many wait for it. */
export function deliver(subscription: Subscription, run: Run, heldMax: number): void {
	if (!subscription.held) {
		subscription.outbox.queueRun(run);
		return;
	}
	for (const entry of run.entries) subscription.held.push(entry);
	if (subscription.held.length > heldMax) subscription.outbox.overflow();
}

interface SnapshotSteps {
	make(parameter: string): unknown;
	encode(seq: number, payload: unknown): HubEntry;
	/** Hands out what was published so far, to `held` among others. */
	spread(): void;
}

/**
 * Makes the snapshot and hands it out with the events that came meanwhile and are not in it.
 * A snapshot made at once is exact. One that waits may or may not hold what came meanwhile: a state topic says that
 * again, which changes nothing; an activity topic must not, so its snapshot counts as of its end (hub.ts).
 */
export async function sendSnapshot(
	state: TopicState,
	subscription: Subscription,
	{ make, encode, spread }: SnapshotSteps,
): Promise<void> {
	const seqBefore = state.seq;
	const made = make(state.parameter);
	const payload = made instanceof Promise ? await made : made;
	spread();
	if (subscription.cancelled) return;
	const seq = made instanceof Promise && state.coalesce ? seqBefore : state.seq;
	const held = subscription.held ?? [];
	subscription.held = undefined;
	subscription.outbox.queue(encode(seq, payload));
	for (const event of held) if (event.seq > seq) subscription.outbox.queue(event);
}
