import type { Clock } from "#base/clock.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";
import type { Turn } from "#protocol/record.ts";
import type { Desk } from "../thread/desk.ts";
import type { LiveThread } from "../thread/live-thread.ts";
import type { ServerRequests } from "./server-requests.ts";

type EventType = ChatEvent["type"];
export type EventOf<T extends EventType> = Extract<ChatEvent, { type: T }>;

/** Tells one kind of event. */
export type Teller<T extends EventType> = (live: LiveThread, event: EventOf<T>) => void;
export type Tellers<T extends EventType = EventType> = { readonly [K in T]: Teller<K> };

export interface NewsPorts {
	readonly desk: Desk;
	readonly requests: ServerRequests;
	readonly clock: Clock;
	/** A turn ended; what is read state hears of it. */
	turnEnded(live: LiveThread, turn: Turn): void;
}
