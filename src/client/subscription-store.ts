import { AppError } from "#base/app-error.ts";
import type { SubscriptionHandlers, TopicPosition } from "./client.ts";

/** A hub message as it came; checked by hand, since parsing each by schema would cost more than showing it. */
export interface HubArrival {
	readonly type: "snapshot" | "event";
	readonly topic: string;
	readonly epoch: string;
	readonly seq: number;
	/** Older values of the same rows that the hub left out just before this one, because this client was slow. */
	readonly skipped: number;
	readonly payload: unknown;
}

interface TopicEntry {
	readonly topic: string;
	readonly listeners: Set<{ readonly handlers: SubscriptionHandlers }>;
	/** Undefined until the first snapshot on the present link. */
	position: TopicPosition | undefined;
	/** Last snapshot is asked for and not here yet: events until then are of no use. */
	awaiting: boolean;
	/** Topic-level refusal (no such thread); told to those who join later too. */
	error: AppError | undefined;
}

interface SubscriptionStoreOptions {
	/** Asks the daemon; rejects with what it answers. */
	subscribe(topic: string): Promise<unknown>;
	unsubscribe(topic: string): void;
	readonly connected: () => boolean;
}

/** Topics this client follows: one subscription on the wire per topic, any number of listeners. */
export interface SubscriptionStore {
	add(topic: string, handlers: SubscriptionHandlers): Disposable;
	arrive(message: HubArrival): void;
	/** After a hello: everything is asked for anew. */
	resubscribe(): void;
	/** After a lost link: what is known is stale. */
	reset(): void;
	fail(error: AppError): void;
	readonly size: number;
}

function isContinuation(position: TopicPosition, message: HubArrival): boolean {
	return message.epoch === position.epoch && message.seq - message.skipped === position.seq + 1;
}

/** A gap in `(epoch, seq)` is healed by a new subscribe; nothing is handed out in between. */
export function createSubscriptionStore({
	subscribe,
	unsubscribe,
	connected,
}: SubscriptionStoreOptions): SubscriptionStore {
	const topics = new Map<string, TopicEntry>();

	function tellError(entry: TopicEntry, error: AppError): void {
		entry.error = error;
		for (const listener of [...entry.listeners]) listener.handlers.onError?.(error);
	}

	function request(entry: TopicEntry): void {
		entry.awaiting = true;
		entry.error = undefined;
		if (!connected()) return;
		subscribe(entry.topic).catch((thrown: unknown) => {
			if (topics.get(entry.topic) !== entry) return;
			tellError(
				entry,
				thrown instanceof AppError ? thrown : new AppError("INTERNAL", undefined, { cause: thrown }),
			);
		});
	}

	function onSnapshot(entry: TopicEntry, message: HubArrival): void {
		entry.awaiting = false;
		entry.position = { epoch: message.epoch, seq: message.seq };
		for (const listener of [...entry.listeners])
			listener.handlers.onSnapshot(message.payload, entry.position);
	}

	function onEvent(entry: TopicEntry, message: HubArrival): void {
		const { position } = entry;
		if (entry.awaiting || !position) return;
		if (message.epoch === position.epoch && message.seq <= position.seq) return;
		if (!isContinuation(position, message)) {
			request(entry);
			return;
		}
		entry.position = { epoch: message.epoch, seq: message.seq };
		for (const listener of [...entry.listeners]) listener.handlers.onEvent(message.payload, entry.position);
	}

	return {
		add(topic, handlers) {
			const entry = topics.get(topic) ?? {
				topic,
				listeners: new Set(),
				position: undefined,
				awaiting: false,
				error: undefined,
			};
			topics.set(topic, entry);
			const own = { handlers };
			entry.listeners.add(own);
			// A second listener needs a snapshot too; asking again gives one to both, which replaces what the first knows.
			request(entry);
			return {
				[Symbol.dispose]: () => {
					if (!entry.listeners.delete(own) || entry.listeners.size > 0) return;
					if (topics.get(topic) === entry) topics.delete(topic);
					if (connected()) unsubscribe(topic);
				},
			};
		},
		arrive(message) {
			const entry = topics.get(message.topic);
			if (!entry) return;
			if (message.type === "snapshot") onSnapshot(entry, message);
			else onEvent(entry, message);
		},
		resubscribe() {
			for (const entry of topics.values()) request(entry);
		},
		reset() {
			for (const entry of topics.values()) {
				entry.position = undefined;
				entry.awaiting = true;
			}
		},
		fail(error) {
			for (const entry of topics.values()) tellError(entry, error);
		},
		get size() {
			return topics.size;
		},
	};
}
