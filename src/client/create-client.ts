import type { AppError } from "#base/app-error.ts";
import { newId } from "#base/id.ts";
import { type BinaryFrame, encodeFrame, parseFrame } from "#protocol/frame.ts";
import type { MethodResult } from "#protocol/service/index.ts";
import type { CallOptions, DaemonClient } from "./client.ts";
import { createFrameRouter } from "./frame-router.ts";
import { createLinkKeeper, type LinkKeeperOptions } from "./link-keeper.ts";
import { waitReady } from "./ready.ts";
import { createRequestStore } from "./request-store.ts";
import { createSubscriptionStore } from "./subscription-store.ts";

export interface CreateClientOptions extends LinkKeeperOptions {
	/** Idempotency keys; default UUIDv7. */
	newKey?: () => string;
}

const READY_TIMEOUT_MS = 30_000;

/**
 * Connects at once and stays connected: jittered backoff, unanswered calls sent again, topics asked for anew. Dispose
 * ends it; calls under way then fail with CANCELLED.
 */
export function createClient(options: CreateClientOptions): DaemonClient {
	const { clock, newKey = newId } = options;
	const frames = createFrameRouter();
	const keeper = createLinkKeeper(options, {
		onGreeted() {
			requests.resend();
			subscriptions.resubscribe();
		},
		onArrival(arrival) {
			if (arrival.kind === "hub") subscriptions.arrive(arrival.message);
			else if (arrival.kind === "response") requests.settle(arrival.id, arrival);
		},
		onBinary,
		onLost() {
			requests.unsend();
			subscriptions.reset();
			frames.clear();
		},
		onRefused(error) {
			requests.failAll(error);
			subscriptions.fail(error);
		},
	});
	const requests = createRequestStore({ clock, send, newKey, linkError: keeper.linkError });
	const subscriptions = createSubscriptionStore({
		subscribe: (topic) => requests.call("events.subscribe", { topics: [topic] }, { timeoutMs: 0 }),
		unsubscribe(topic) {
			requests.call("events.unsubscribe", { topics: [topic] }, {}).catch(() => undefined);
		},
		connected: () => keeper.link !== undefined,
	});

	function send(text: string): boolean {
		keeper.link?.sendText(text);
		return keeper.link !== undefined;
	}

	function onBinary(bytes: Uint8Array): void {
		let frame: BinaryFrame;
		try {
			frame = parseFrame(bytes);
		} catch {
			// A frame of a version to come; its stream shows the gap by its offset.
			return;
		}
		frames.route(frame);
	}

	/** Set once no call can ever be answered. */
	function lastError(): AppError | undefined {
		const { kind } = keeper.state;
		return kind === "refused" || kind === "closed" ? keeper.linkError() : undefined;
	}

	function callRaw(method: string, params: unknown, callOptions: CallOptions = {}): Promise<unknown> {
		const error = lastError();
		return error ? Promise.reject(error) : requests.call(method, params, callOptions);
	}

	keeper.connect();
	return {
		call: (method, params, callOptions) =>
			callRaw(method, params, callOptions) as Promise<MethodResult<typeof method>>,
		callRaw,
		subscribe(topic, handlers) {
			const subscription = subscriptions.add(topic, handlers);
			const error = lastError();
			if (error) handlers.onError?.(error);
			return subscription;
		},
		onFrame: frames.on,
		sendFrame(frame) {
			if (!keeper.link) throw keeper.linkError();
			keeper.link.sendBinary(encodeFrame(frame));
		},
		get state() {
			return keeper.state;
		},
		onState: keeper.states.on,
		ready: (timeoutMs = READY_TIMEOUT_MS) => waitReady({ clock, keeper, timeoutMs }),
		async [Symbol.asyncDispose]() {
			const closing = keeper.close();
			requests.failAll(keeper.linkError());
			await closing;
		},
	};
}
