import { AppError, toAppError } from "#base/app-error.ts";
import { backoffMs } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import { createDeferred, type Deferred } from "#base/deferred.ts";
import { createEmitter } from "#base/emitter.ts";
import { newId } from "#base/id.ts";
import type { ClientHello } from "#protocol/envelope.ts";
import { type BinaryFrame, encodeFrame, parseFrame } from "#protocol/frame.ts";
import { PROTOCOL_MAX, PROTOCOL_MIN } from "#protocol/limits.ts";
import type { MethodResult } from "#protocol/service/index.ts";
import type { DaemonClient, LinkState, Transport, TransportLink } from "./client.ts";
import { createFrameRouter } from "./frame-router.ts";
import { waitReady } from "./ready.ts";
import { createRequestStore } from "./request-store.ts";
import { parseServerText, type ServerArrival } from "./server-message.ts";
import { createSubscriptionStore } from "./subscription-store.ts";

export interface CreateClientOptions {
	transport: Transport;
	client: ClientHello["client"];
	clock: Clock;
	/** In [0, 1), for the jitter. */
	random: () => number;
	/** Gives up (state `refused`) when the very first attempt finds nobody: for one-shot commands. */
	failFast?: boolean;
	/** Default UUIDv7; idempotency keys. */
	newKey?: () => string;
}

/** First and longest pause between attempts (architecture: back within a blink, and gentle to a machine that is down). */
const BACKOFF = { firstMs: 100, maxMs: 5_000 } as const;
/** A peer that accepts and then says nothing is no daemon; twice the time it gives us for our hello. */
const HELLO_WAIT_MS = 10_000;
const READY_TIMEOUT_MS = 30_000;
/** A polite close gets this long, then the link is cut. */
const CLOSE_WAIT_MS = 1_000;

/** Errors that another attempt cannot mend. */
function isFinal(error: AppError): boolean {
	return (
		error.code.startsWith("AUTH_") || error.code === "PROTOCOL_VERSION" || error.code === "PERMISSION_DENIED"
	);
}

/** One attempt and the link that came of it; whatever belongs to an older one is ignored. */
interface Attempt {
	readonly abort: AbortController;
	/** Settles when the link is gone, or never was. */
	readonly ended: Deferred<void>;
	link: TransportLink | undefined;
	helloTimer: Disposable | undefined;
	refusal: AppError | undefined;
}

/**
 * Connects at once and stays connected: jittered backoff, unanswered calls sent again, topics asked for anew. Dispose
 * ends it; calls under way then fail with CANCELLED.
 */
export function createClient(options: CreateClientOptions): DaemonClient {
	const { transport, clock, random } = options;
	const states = createEmitter<LinkState>();
	const frames = createFrameRouter();
	let state: LinkState = { kind: "connecting" };
	let attempt: Attempt | undefined;
	let attemptCount = 0;
	let everConnected = false;
	let retryTimer: Disposable | undefined;

	const requests = createRequestStore({ clock, send: sendText, newKey: options.newKey ?? newId, linkError });
	const subscriptions = createSubscriptionStore({
		subscribe: (topic) => requests.call("events.subscribe", { topics: [topic] }, { timeoutMs: 0 }),
		unsubscribe(topic) {
			requests.call("events.unsubscribe", { topics: [topic] }, {}).catch(() => undefined);
		},
		connected: () => state.kind === "connected",
	});

	function setState(next: LinkState): void {
		state = next;
		states.emit(next);
	}

	function linkError(): AppError {
		if (state.kind === "refused") return state.error;
		if (state.kind === "closed") return new AppError("CANCELLED", "The client was closed.");
		const cause = state.kind === "reconnecting" ? state.error : undefined;
		return new AppError("DAEMON_UNAVAILABLE", `No connection to ${transport.address}.`, { cause });
	}

	function sendText(text: string): boolean {
		if (state.kind !== "connected" || !attempt?.link) return false;
		attempt.link.sendText(text);
		return true;
	}

	function refuse(error: AppError): void {
		setState({ kind: "refused", error });
		requests.failAll(error);
		subscriptions.fail(error);
	}

	function lose(own: Attempt, error: AppError | undefined): void {
		if (attempt !== own) return;
		attempt = undefined;
		own.helloTimer?.[Symbol.dispose]();
		subscriptions.reset();
		frames.clear();
		const cause = own.refusal ?? error;
		if (cause && (isFinal(cause) || (options.failFast === true && !everConnected))) {
			refuse(cause);
			return;
		}
		attemptCount += 1;
		const delayMs = backoffMs(attemptCount, { ...BACKOFF, random });
		retryTimer = clock.after(delayMs, connect);
		setState({
			kind: "reconnecting",
			attempt: attemptCount,
			retryAtMs: clock.nowMs() + delayMs,
			error: cause,
		});
	}

	function drop(own: Attempt, error: AppError): void {
		own.refusal ??= error;
		own.abort.abort(error);
		own.link?.close();
		lose(own, error);
	}

	function onArrival(own: Attempt, arrival: ServerArrival): void {
		switch (arrival.kind) {
			case "hello":
				own.helloTimer?.[Symbol.dispose]();
				attemptCount = 0;
				everConnected = true;
				setState({ kind: "connected", hello: arrival.hello });
				requests.resend();
				subscriptions.resubscribe();
				return;
			case "reject":
				drop(own, arrival.error);
				return;
			case "response":
				requests.settle(arrival.id, {
					result: arrival.result,
					...(arrival.error ? { error: arrival.error } : {}),
				});
				return;
			case "hub":
				subscriptions.arrive(arrival.message);
				return;
			// An error without a request means that a frame of ours was not understood: the link is of no use any more.
			case "error":
				drop(own, arrival.error);
				return;
			case "unknown":
		}
	}

	function onBinary(bytes: Uint8Array): void {
		try {
			frames.route(parseFrame(bytes));
		} catch {
			// A frame of a version to come; its stream shows the gap by its offset.
		}
	}

	function sayHello(own: Attempt, link: TransportLink): void {
		own.link = link;
		own.helloTimer = clock.after(HELLO_WAIT_MS, () =>
			drop(own, new AppError("TIMEOUT", `No hello from ${transport.address}.`)),
		);
		link.sendText(
			JSON.stringify({
				type: "hello",
				protocol: { min: PROTOCOL_MIN, max: PROTOCOL_MAX },
				client: options.client,
			}),
		);
	}

	function connect(): void {
		const own: Attempt = {
			abort: new AbortController(),
			ended: createDeferred(),
			link: undefined,
			helloTimer: undefined,
			refusal: undefined,
		};
		attempt = own;
		const opening = transport.open(
			{
				onText: (text) => attempt === own && onArrival(own, parseServerText(text)),
				onBinary: (bytes) => attempt === own && onBinary(bytes),
				onClose({ code, reason }) {
					own.ended.resolve();
					const words = reason === "" ? String(code) : `${code}: ${reason}`;
					lose(
						own,
						new AppError("DAEMON_UNAVAILABLE", `The link to ${transport.address} closed (${words}).`),
					);
				},
			},
			own.abort.signal,
		);
		opening.then(
			(link) => (attempt === own ? sayHello(own, link) : link.close()),
			(thrown: unknown) => {
				own.ended.resolve();
				lose(own, toAppError(thrown));
			},
		);
	}

	function callRaw(method: string, params: unknown, callOptions = {}): Promise<unknown> {
		if (state.kind === "refused" || state.kind === "closed") return Promise.reject(linkError());
		return requests.call(method, params, callOptions);
	}

	async function shut(own: Attempt): Promise<void> {
		const cut = clock.after(own.link ? CLOSE_WAIT_MS : 0, () => own.abort.abort(linkError()));
		own.link?.close(1000, "");
		await own.ended.promise;
		cut[Symbol.dispose]();
	}

	connect();
	return {
		call: (method, params, callOptions) =>
			callRaw(method, params, callOptions) as Promise<MethodResult<typeof method>>,
		callRaw,
		subscribe(topic, handlers) {
			const subscription = subscriptions.add(topic, handlers);
			if (state.kind === "refused") handlers.onError?.(state.error);
			return subscription;
		},
		onFrame: (channel, listener) => frames.on(channel, listener),
		sendFrame(frame: BinaryFrame) {
			if (state.kind !== "connected" || !attempt?.link) throw linkError();
			attempt.link.sendBinary(encodeFrame(frame));
		},
		get state() {
			return state;
		},
		onState: (listener) => states.on(listener),
		ready: (timeoutMs = READY_TIMEOUT_MS) =>
			waitReady({ clock, states, current: () => state, linkError, timeoutMs }),
		async [Symbol.asyncDispose]() {
			if (state.kind === "closed") return;
			const own = attempt;
			attempt = undefined;
			retryTimer?.[Symbol.dispose]();
			own?.helloTimer?.[Symbol.dispose]();
			setState({ kind: "closed" });
			requests.failAll(linkError());
			if (own) await shut(own);
		},
	};
}
