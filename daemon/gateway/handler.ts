import type { Role, Scope } from "#protocol/scope.ts";
import type { MethodName, MethodParams, MethodResult } from "#protocol/service/index.ts";
import type { Asked, Grant } from "../policy/grant.ts";
import type { IdempotencyClaim } from "../storage/store.ts";

/** Who calls, as the gateway authenticated it. */
export interface Caller {
	/** Stable for idempotency and audit: `local` for the Unix socket and the bearer token, later a device id. */
	readonly identity: string;
	readonly role: Role;
	/** What it may do; asked through the gateway's gate only. */
	readonly grants: readonly Grant[];
	/** Connection id (one per /ws connection, one per HTTP request). */
	readonly clientId: string;
	/** For people: `tui`, `cli`, `web`, plus pid or device; shown as "answered by". */
	readonly label: string;
	readonly transport: "unix" | "tcp" | "memory";
}

/** A byte channel of one /ws connection, over binary frames. */
export interface Channel {
	readonly id: number;
	/** Sends bytes of `stream` at `offset`; false above the high watermark: wait for `onDrain`. */
	send(frame: { stream: number; flags: number; offset: number; payload: Uint8Array }): boolean;
	onFrame(
		listener: (frame: { stream: number; flags: number; offset: number; payload: Uint8Array }) => void,
	): Disposable;
	onDrain(listener: () => void): Disposable;
	onClose(listener: () => void): Disposable;
	close(): void;
}

/** What only a /ws connection has. */
export interface Connection {
	subscribe(topic: string): Promise<void>;
	unsubscribe(topic: string): void;
	openChannel(): Channel;
	channel(id: number): Channel | undefined;
}

export interface CallContext {
	readonly caller: Caller;
	/** For what a handler learns only on its way that it must ask for; the method's own scope was checked already. */
	allows(scope: Scope, asked: Asked): boolean;
	/** Aborted when the connection closes or the daemon stops. */
	readonly signal: AbortSignal;
	/** Present when the caller sent a key: hand it to the `store.write` that makes the change. */
	readonly idempotency: IdempotencyClaim | undefined;
	readonly connection: Connection | undefined;
}

export type Handler<Name extends MethodName> = (
	params: MethodParams<Name>,
	context: CallContext,
) => Promise<MethodResult<Name>> | MethodResult<Name>;

/** Handlers of some methods; the composition root merges all services and the gateway refuses to start when one is missing. */
export type Handlers<Name extends MethodName = MethodName> = { readonly [N in Name]: Handler<N> };
