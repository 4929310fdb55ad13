import { AppError } from "#base/app-error.ts";
import { createEmitter } from "#base/emitter.ts";
import type { CallOptions, DaemonClient, LinkState, SubscriptionHandlers } from "#client/client.ts";
import type { BinaryFrame } from "#protocol/frame.ts";
import type { MethodName, MethodResult } from "#protocol/service/index.ts";

export interface FakeCall {
	method: string;
	params: unknown;
	idempotencyKey: string | undefined;
}

/** A DaemonClient without a daemon: answers come from `answer`, topics from `publish`. */
export interface FakeDaemonClient extends DaemonClient {
	/** Every call so far, in order. */
	readonly calls: readonly FakeCall[];
	/** Topics subscribed now. */
	topics(): string[];
	snapshot(topic: string, payload: unknown): void;
	event(topic: string, payload: unknown): void;
	setState(state: LinkState): void;
	readonly isDisposed: boolean;
}

interface FakeOptions {
	/** Answers a call; throws what the daemon would refuse with. */
	answer(method: string, params: unknown): unknown;
	/** What a new subscription gets at once; undefined: nothing until `snapshot`. */
	firstSnapshot?(topic: string): unknown;
	initial?: LinkState;
	onCall?(call: FakeCall): void;
}

/** Positions are the client's own business; front ends do not read them. */
const META = { epoch: "epoch-1", seq: 0 };

/** A connected link of an epoch of one's choice. */
export function connectedState(epoch = "epoch-1"): LinkState {
	return {
		kind: "connected",
		hello: {
			type: "hello",
			protocol: 1,
			server: { name: "fake", version: "0", epoch },
			identity: "owner",
			role: "owner",
			scopes: [],
			services: [],
			limits: {},
		},
	};
}

export function createFakeDaemonClient(options: FakeOptions): FakeDaemonClient {
	const calls: FakeCall[] = [];
	const subscriptions = new Set<{ topic: string; handlers: SubscriptionHandlers }>();
	const states = createEmitter<LinkState>();
	let state: LinkState = options.initial ?? { kind: "connecting" };
	let isDisposed = false;

	async function callRaw(method: string, params: unknown, callOptions?: CallOptions): Promise<unknown> {
		const call = { method, params, idempotencyKey: callOptions?.idempotencyKey };
		calls.push(call);
		options.onCall?.(call);
		if (state.kind !== "connected") throw new AppError("DAEMON_UNAVAILABLE");
		return options.answer(method, params);
	}
	function first(topic: string, handlers: SubscriptionHandlers): void {
		const payload = options.firstSnapshot?.(topic);
		if (payload !== undefined) queueMicrotask(() => handlers.onSnapshot(payload, META));
	}
	function of(topic: string): SubscriptionHandlers[] {
		return [...subscriptions].filter((entry) => entry.topic === topic).map((entry) => entry.handlers);
	}
	return {
		calls,
		topics: () => [...subscriptions].map((entry) => entry.topic),
		snapshot(topic, payload) {
			for (const handlers of of(topic)) handlers.onSnapshot(payload, META);
		},
		event(topic, payload) {
			for (const handlers of of(topic)) handlers.onEvent(payload, META);
		},
		setState(next) {
			const wasConnected = state.kind === "connected";
			state = next;
			states.emit(next);
			if (next.kind !== "connected" || wasConnected) return;
			for (const { topic, handlers } of subscriptions) first(topic, handlers);
		},
		call: <Name extends MethodName>(method: Name, params: unknown, callOptions?: CallOptions) =>
			callRaw(method, params, callOptions) as Promise<MethodResult<Name>>,
		callRaw,
		subscribe(topic, handlers) {
			const entry = { topic, handlers };
			subscriptions.add(entry);
			if (state.kind === "connected") first(topic, handlers);
			return { [Symbol.dispose]: () => void subscriptions.delete(entry) };
		},
		onFrame: () => ({ [Symbol.dispose]: () => undefined }),
		sendFrame: (_frame: BinaryFrame) => undefined,
		get state() {
			return state;
		},
		onState: (listener) => states.on(listener),
		ready() {
			if (state.kind === "connected") return Promise.resolve(state.hello);
			return Promise.reject(new AppError("DAEMON_UNAVAILABLE"));
		},
		get isDisposed() {
			return isDisposed;
		},
		[Symbol.asyncDispose]() {
			isDisposed = true;
			return Promise.resolve();
		},
	};
}
