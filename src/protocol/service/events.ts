import { z } from "zod";
import { defineMethod } from "../define.ts";

const topics = z.array(z.string().min(1).max(200)).min(1).max(256);

export const eventsSubscribe = defineMethod({
	name: "events.subscribe",
	summary: "Subscribes this connection to topics; each answers with a snapshot, then events.",
	scope: "events.read",
	params: z.strictObject({ topics }),
	result: z.looseObject({ topics: z.array(z.string()) }),
	errors: ["TOPIC_NOT_FOUND", "PERMISSION_DENIED", "PROTOCOL_LIMIT", "THREAD_NOT_FOUND"],
	mutates: false,
	connectionOnly: true,
});

export const eventsUnsubscribe = defineMethod({
	name: "events.unsubscribe",
	summary: "Ends subscriptions of this connection; unknown ones are ignored.",
	scope: "events.read",
	params: z.strictObject({ topics }),
	result: z.looseObject({ topics: z.array(z.string()) }),
	errors: [],
	mutates: false,
	connectionOnly: true,
});

export const eventsMethods = [eventsSubscribe, eventsUnsubscribe] as const;
