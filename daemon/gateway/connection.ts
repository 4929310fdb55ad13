import { AppError, toAppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import { type ClientHello, clientHelloSchema, requestSchema } from "#protocol/envelope.ts";
import { parseFrame } from "#protocol/frame.ts";
import { CLOSE_CODE, HELLO_TIMEOUT_MS, LIMITS, PROTOCOL_MAX, PROTOCOL_MIN } from "#protocol/limits.ts";
import { createChannelTable } from "./channel-table.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { Caller, Connection } from "./handler.ts";
import { createServerHello } from "./hello.ts";
import type { Hub } from "./hub.ts";
import { createOutlet } from "./outlet.ts";
import type { LinkHandlers, ServerLink } from "./server-link.ts";
import { parseTextFrame } from "./text-frame.ts";
import { createTopicSet } from "./topic-set.ts";

/** What all connections of a gateway share. */
export interface ConnectionContext {
	readonly dispatcher: Dispatcher;
	readonly hub: Hub;
	readonly clock: Clock;
	readonly epoch: string;
	/** The daemon is stopping: nobody new is let in. */
	isDraining(): boolean;
}

/** One client of `/ws`, from its hello to its close. */
export interface GatewayConnection extends LinkHandlers {
	/** Aborts what is under way and closes the link. */
	shut(code: number, reason: string): void;
}

/** A client that keeps breaking the protocol is closed; a slip now and then is answered. */
export const OFFENCES_MAX = 50;

/** `caller` is what authentication found; the hello adds the label. */
export function createConnection(
	context: ConnectionContext,
	link: ServerLink,
	authenticated: Caller,
	onClosed: () => void,
): GatewayConnection {
	const { dispatcher, hub, clock } = context;
	const outlet = createOutlet(link);
	const abort = new AbortController();
	const channels = createChannelTable(outlet);
	const running = new Set<string | number>();
	let caller: Caller | undefined;
	let connection: Connection | undefined;
	let offences = 0;
	let ended = false;

	function reject(error: AppError): void {
		outlet.push(JSON.stringify({ type: "reject", code: error.code, reason: error.message }));
		outlet.close(CLOSE_CODE.rejected, error.code);
	}

	const helloTimer = clock.after(HELLO_TIMEOUT_MS, () =>
		reject(new AppError("TIMEOUT", `No hello within ${HELLO_TIMEOUT_MS} ms.`)),
	);

	function say(message: unknown): void {
		if (outlet.closed) return;
		if (!outlet.push(JSON.stringify(message))) outlet.closeSlow();
	}

	/** Answers a broken frame, to its request when it can be told, and counts it. */
	function offend(error: AppError, id?: unknown): void {
		offences += 1;
		const isId =
			(typeof id === "string" && id.length > 0 && id.length <= 100) ||
			(typeof id === "number" && Number.isSafeInteger(id));
		if (isId && !running.has(id)) say({ type: "response", id, error: error.toWire() });
		else say({ type: "error", error: error.toWire() });
		if (offences >= OFFENCES_MAX) outlet.close(CLOSE_CODE.policy, "too many broken frames");
	}

	function greet({ protocol, client }: ClientHello): void {
		if (protocol.max < PROTOCOL_MIN || protocol.min > PROTOCOL_MAX || protocol.min > protocol.max) {
			throw new AppError(
				"PROTOCOL_VERSION",
				`This daemon speaks protocol ${PROTOCOL_MIN} to ${PROTOCOL_MAX}.`,
			);
		}
		if (context.isDraining()) throw new AppError("DAEMON_STOPPING");
		helloTimer[Symbol.dispose]();
		const greeted: Caller = { ...authenticated, label: `${client.kind} (${client.name})` };
		caller = greeted;
		connection = {
			...createTopicSet(hub, outlet, greeted),
			openChannel: channels.open,
			channel: channels.get,
		};
		say(createServerHello(greeted, Math.min(protocol.max, PROTOCOL_MAX), context.epoch));
	}

	function readHello(text: string): void {
		try {
			const message = parseTextFrame(text, LIMITS.first_frame_bytes);
			if (message["type"] !== "hello")
				throw new AppError("PROTOCOL_OUT_OF_ORDER", "The first frame is no hello.");
			const hello = clientHelloSchema.safeParse(message);
			if (!hello.success)
				throw new AppError("PROTOCOL_INVALID_FRAME", "The hello is not as the protocol has it.");
			greet(hello.data);
		} catch (thrown) {
			reject(toAppError(thrown));
		}
	}

	async function answer(message: unknown, by: Caller): Promise<void> {
		const parsed = requestSchema.safeParse(message);
		if (!parsed.success) {
			const id = typeof message === "object" && message !== null && "id" in message ? message.id : undefined;
			offend(new AppError("PROTOCOL_INVALID_FRAME", "The request is not as the protocol has it."), id);
			return;
		}
		const { id, method, params, idempotency_key: idempotencyKey } = parsed.data;
		if (running.has(id)) {
			offend(new AppError("PROTOCOL_INVALID_FRAME", "A request with this id is under way."), id);
			return;
		}
		if (running.size >= LIMITS.concurrent_requests) {
			const busy = new AppError(
				"BUSY",
				`At most ${LIMITS.concurrent_requests} requests of one connection run at once.`,
			);
			say({ type: "response", id, error: busy.toWire() });
			return;
		}
		running.add(id);
		try {
			const result = await dispatcher.dispatch({
				method,
				params,
				idempotencyKey,
				caller: by,
				signal: abort.signal,
				connection,
			});
			say({ type: "response", id, result: result ?? null });
		} catch (thrown) {
			say({ type: "response", id, error: toAppError(thrown).toWire() });
		} finally {
			running.delete(id);
		}
	}

	function readFrame(text: string, by: Caller): void {
		try {
			const message = parseTextFrame(text, LIMITS.frame_bytes);
			if (message["type"] === "request") void answer(message, by);
			else if (message["type"] === "hello")
				throw new AppError("PROTOCOL_OUT_OF_ORDER", "Hello was said already.");
			else throw new AppError("PROTOCOL_INVALID_FRAME", "The frame's type is unknown.");
		} catch (thrown) {
			offend(toAppError(thrown));
		}
	}

	function end(): void {
		if (ended) return;
		ended = true;
		helloTimer[Symbol.dispose]();
		abort.abort(new AppError("CANCELLED", "The connection closed."));
		hub.dropSink(outlet);
		channels.closeAll();
		onClosed();
	}

	return {
		onText(text) {
			if (outlet.closed) return;
			if (caller) readFrame(text, caller);
			else readHello(text);
		},
		onBinary(bytes) {
			if (outlet.closed) return;
			if (!caller) {
				reject(new AppError("PROTOCOL_OUT_OF_ORDER", "The first frame is no hello."));
				return;
			}
			try {
				if (bytes.length > LIMITS.frame_bytes)
					throw new AppError("PROTOCOL_LIMIT", "A binary frame is too large.");
				channels.route(parseFrame(bytes));
			} catch (thrown) {
				offend(toAppError(thrown));
			}
		},
		onLinkError: () => end(),
		onClose: end,
		shut(code, reason) {
			outlet.close(code, reason);
			end();
		},
	};
}
