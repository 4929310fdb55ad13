import { z } from "zod";
import { AppError, toAppError } from "#base/app-error.ts";
import { CLOSE_CODE, LIMITS } from "#protocol/limits.ts";
import type { ConnectionContext } from "./connection-context.ts";
import type { Caller } from "./handler.ts";
import { createOutlet } from "./outlet.ts";
import type { LinkHandlers, ServerLink } from "./server-link.ts";
import { parseTextFrame } from "./text-frame.ts";
import { createTopicSet } from "./topic-set.ts";

const topics = z.array(z.string().min(1).max(200)).min(1).max(LIMITS.subscriptions);
const realtimeMessageSchema = z.discriminatedUnion("type", [
	z.strictObject({ type: z.literal("subscribe"), topics }),
	z.strictObject({ type: z.literal("unsubscribe"), topics }),
	z.strictObject({ type: z.literal("ping") }),
]);

/** Broken messages a client is told about before it is closed; this codec has three messages, so nobody needs many tries. */
export const REALTIME_OFFENCES_MAX = 10;

/** One client of `/api/realtime`: the hub, and nothing else. */
export function createRealtimeConnection(
	context: ConnectionContext,
	link: ServerLink,
	caller: Caller,
	onClosed: () => void,
): LinkHandlers & { shut(code: number, reason: string): void } {
	const outlet = createOutlet(link);
	const followed = createTopicSet(context, outlet, caller);
	let offences = 0;
	let ended = false;

	function say(message: unknown): void {
		if (!outlet.closed && !outlet.push(JSON.stringify(message))) outlet.closeSlow();
	}

	function tellError(error: AppError, topic?: string): void {
		say({
			type: "error",
			message: `${error.code}: ${error.message}`,
			...(topic === undefined ? {} : { topic }),
		});
	}

	function offend(error: AppError): void {
		offences += 1;
		tellError(error);
		if (offences >= REALTIME_OFFENCES_MAX) outlet.close(CLOSE_CODE.policy, "too many broken messages");
	}

	function end(): void {
		if (ended) return;
		ended = true;
		followed.end();
		context.hub.dropSink(outlet);
		onClosed();
	}

	function act(text: string): void {
		const parsed = realtimeMessageSchema.safeParse(parseTextFrame(text, LIMITS.first_frame_bytes));
		if (!parsed.success)
			throw new AppError(
				"PROTOCOL_INVALID_FRAME",
				"Known are subscribe, unsubscribe (with topics) and ping.",
			);
		const message = parsed.data;
		if (message.type === "ping") {
			say({ type: "pong" });
			return;
		}
		for (const topic of message.topics) {
			if (message.type === "unsubscribe") followed.unsubscribe(topic);
			else followed.subscribe(topic).catch((thrown: unknown) => tellError(toAppError(thrown), topic));
		}
	}

	return {
		onText(text) {
			if (outlet.closed) return;
			try {
				act(text);
			} catch (thrown) {
				offend(toAppError(thrown));
			}
		},
		onBinary() {
			if (!outlet.closed)
				offend(new AppError("PROTOCOL_INVALID_FRAME", "This codec has no binary messages."));
		},
		onLinkError: end,
		onClose: end,
		shut(code, reason) {
			outlet.close(code, reason);
			end();
		},
	};
}
