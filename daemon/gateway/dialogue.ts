import { AppError, toAppError } from "#base/app-error.ts";
import { parseFrame } from "#protocol/frame.ts";
import { CLOSE_CODE, LIMITS } from "#protocol/limits.ts";
import { createChannelTable } from "./channel-table.ts";
import type { ConnectionContext } from "./connection-context.ts";
import type { Caller, Connection } from "./handler.ts";
import type { Outlet } from "./outlet.ts";
import { createRequestRunner } from "./request-runner.ts";
import { parseTextFrame } from "./text-frame.ts";
import { createTopicSet } from "./topic-set.ts";

/** A `/ws` connection after its hello. */
export interface Dialogue {
	onText(text: string): void;
	onBinary(bytes: Uint8Array): void;
	/** Aborts requests, ends subscriptions and channels. */
	end(): void;
}

/** A client that keeps breaking the protocol is closed; a slip now and then is answered. */
const OFFENCES_MAX = 50;

export function createDialogue(context: ConnectionContext, outlet: Outlet, caller: Caller): Dialogue {
	const { dispatcher, hub } = context;
	const abort = new AbortController();
	const channels = createChannelTable(outlet);
	const topics = createTopicSet(context, outlet, caller);
	const connection: Connection = {
		...topics,
		openChannel: channels.open,
		channel: channels.get,
	};
	const requests = createRequestRunner({ dispatcher, signal: abort.signal, say, onOffence: countOffence });
	let offences = 0;

	function say(message: unknown): void {
		if (outlet.closed) return;
		if (!outlet.push(JSON.stringify(message))) outlet.closeSlow();
	}

	function countOffence(): void {
		offences += 1;
		if (offences >= OFFENCES_MAX) outlet.close(CLOSE_CODE.policy, "too many broken frames");
	}

	function offend(thrown: unknown): void {
		say({ type: "error", error: toAppError(thrown).toWire() });
		countOffence();
	}

	return {
		onText(text) {
			try {
				const message = parseTextFrame(text, LIMITS.frame_bytes);
				if (message["type"] === "request") void requests.run(message, caller, connection);
				else if (message["type"] === "hello")
					throw new AppError("PROTOCOL_OUT_OF_ORDER", "Hello was said already.");
				else throw new AppError("PROTOCOL_INVALID_FRAME", "The frame's type is unknown.");
			} catch (thrown) {
				offend(thrown);
			}
		},
		onBinary(bytes) {
			try {
				if (bytes.length > LIMITS.frame_bytes)
					throw new AppError("PROTOCOL_LIMIT", "A binary frame is too large.");
				channels.route(parseFrame(bytes));
			} catch (thrown) {
				offend(thrown);
			}
		},
		end() {
			abort.abort(new AppError("CANCELLED", "The connection closed."));
			topics.end();
			hub.dropSink(outlet);
			channels.closeAll();
		},
	};
}
