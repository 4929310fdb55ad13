import type { AppError } from "#base/app-error.ts";
import type { ServerHello } from "#protocol/envelope.ts";
import type { BinaryFrame } from "#protocol/frame.ts";
import type { MethodInput, MethodName, MethodResult } from "#protocol/service/index.ts";

/** Bytes both ways with message borders; each transport (memory, unix, websocket) implements this and nothing else. */
export interface Transport {
	/** Resolves when open. @throws AppError DAEMON_UNAVAILABLE, AUTH_REQUIRED, AUTH_ORIGIN ... */
	open(handlers: TransportHandlers, signal: AbortSignal): Promise<TransportLink>;
	/** For messages: what it connects to, no secrets. */
	readonly address: string;
}
export interface TransportHandlers {
	onText(text: string): void;
	onBinary(bytes: Uint8Array): void;
	/** Once; also after an error. */
	onClose(reason: { code: number; reason: string }): void;
}
export interface TransportLink {
	sendText(text: string): void;
	sendBinary(bytes: Uint8Array): void;
	/** Bytes accepted and not yet handed to the system. */
	readonly bufferedBytes: number;
	close(code?: number, reason?: string): void;
}

export type LinkState =
	| { kind: "connecting" }
	| { kind: "connected"; hello: ServerHello }
	/** `retryAtMs`: wall clock of the next attempt. */
	| { kind: "reconnecting"; attempt: number; retryAtMs: number; error: AppError | undefined }
	/** Will not retry: authentication, version. */
	| { kind: "refused"; error: AppError }
	| { kind: "closed" };

export interface CallOptions {
	signal?: AbortSignal;
	/** Default 30 s; 0 waits for ever. */
	timeoutMs?: number;
	/** Makes a retry safe; the client makes one itself for mutating methods and re-sends after a reconnect. */
	idempotencyKey?: string;
}

/** Where a message stands in its topic; for those who pass messages on. */
export interface TopicPosition {
	readonly epoch: string;
	readonly seq: number;
}

export interface SubscriptionHandlers {
	/** After every (re)subscribe; replaces whatever was known. */
	onSnapshot(payload: unknown, at: TopicPosition): void;
	onEvent(payload: unknown, at: TopicPosition): void;
	onError?(error: AppError): void;
}

/** A connection to a daemon that survives the daemon: reconnects with jittered backoff, resubscribes, heals gaps by a new subscribe. */
export interface DaemonClient extends AsyncDisposable {
	/** @throws AppError by code; DAEMON_UNAVAILABLE when the link is down and stays so for the timeout. */
	call<Name extends MethodName>(
		method: Name,
		params: MethodInput<Name>,
		options?: CallOptions,
	): Promise<MethodResult<Name>>;
	/** Untyped twin for `weave-codex call`. */
	callRaw(method: string, params: unknown, options?: CallOptions): Promise<unknown>;
	subscribe(topic: string, handlers: SubscriptionHandlers): Disposable;
	/** Binary frames of a channel that a method opened on the present link. */
	onFrame(channel: number, listener: (frame: BinaryFrame) => void): Disposable;
	sendFrame(frame: BinaryFrame): void;
	readonly state: LinkState;
	onState(listener: (state: LinkState) => void): Disposable;
	/** Resolves when connected. @throws AppError when refused, or not connected within `timeoutMs`. */
	ready(timeoutMs?: number): Promise<ServerHello>;
}
