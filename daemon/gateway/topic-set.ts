import { AppError } from "#base/app-error.ts";
import { LIMITS } from "#protocol/limits.ts";
import { assertScope } from "./dispatch.ts";
import type { Caller } from "./handler.ts";
import type { Hub, HubSink } from "./hub.ts";
import { parseTopic } from "./hub-topic.ts";

/** Topics of one client, whichever codec it speaks: the scope check and the bound are here. */
export interface TopicSet {
	/** @throws AppError TOPIC_NOT_FOUND, PERMISSION_DENIED, PROTOCOL_LIMIT, or the snapshot's own. */
	subscribe(topic: string): Promise<void>;
	unsubscribe(topic: string): void;
}

export function createTopicSet(hub: Hub, sink: HubSink, caller: Caller): TopicSet {
	const topics = new Set<string>();
	return {
		async subscribe(topic) {
			const { descriptor } = parseTopic(topic);
			assertScope(caller, descriptor.scope, `Topic ${descriptor.name}`);
			const known = topics.has(topic);
			if (!known && topics.size >= LIMITS.subscriptions) {
				throw new AppError("PROTOCOL_LIMIT", `A connection follows at most ${LIMITS.subscriptions} topics.`);
			}
			topics.add(topic);
			try {
				await hub.subscribe(sink, topic);
			} catch (error) {
				topics.delete(topic);
				throw error;
			}
		},
		unsubscribe(topic) {
			topics.delete(topic);
			hub.unsubscribe(sink, topic);
		},
	};
}
