import { AppError } from "#base/app-error.ts";
import type { CallContext, Connection, Handlers } from "../../gateway/handler.ts";

function connectionOf({ connection }: CallContext): Connection {
	if (!connection) throw new AppError("PROTOCOL_OUT_OF_ORDER", "Topics need a connection to /ws.");
	return connection;
}

/** Topics of the calling connection. All of a call's topics are asked for at once; the first refusal is the answer. */
export const eventsHandlers: Handlers<"events.subscribe" | "events.unsubscribe"> = {
	async "events.subscribe"({ topics }, context) {
		const connection = connectionOf(context);
		await Promise.all(topics.map((topic) => connection.subscribe(topic)));
		return { topics };
	},
	"events.unsubscribe"({ topics }, context) {
		const connection = connectionOf(context);
		for (const topic of topics) connection.unsubscribe(topic);
		return { topics };
	},
};
