import { AppError, toAppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { MethodDescriptor } from "#protocol/define.ts";
import { SCOPES } from "#protocol/scope.ts";
import { METHODS } from "#protocol/service/index.ts";
import { resourcesOfParams } from "../policy/grant.ts";
import type { Store } from "../storage/store.ts";
import type { Logger, Telemetry } from "../telemetry/port.ts";
import type { Gate } from "./gate.ts";
import type { CallContext, Caller, Connection, Handlers } from "./handler.ts";
import { createKeyedCalls } from "./keyed-calls.ts";
import { digestOf, parseParams } from "./params.ts";

export interface Call {
	readonly method: string;
	readonly params: unknown;
	readonly idempotencyKey: string | undefined;
	readonly caller: Caller;
	readonly signal: AbortSignal;
	readonly connection: Connection | undefined;
}

export interface DispatcherOptions {
	handlers: Handlers;
	store: Store;
	telemetry: Telemetry;
	logger: Logger;
	clock: Clock;
	gate: Gate;
	/** Default: the product's own. */
	methods?: readonly MethodDescriptor[];
}

/** The one place where calls are looked up, allowed, checked and run, whatever they came by. */
export interface Dispatcher {
	/** @throws AppError; nothing else ever leaves. */
	dispatch(call: Call): Promise<unknown>;
	/** From now on only reads and administration are served. */
	beginDrain(): void;
	readonly inFlight: number;
}

type AnyHandler = (params: unknown, context: CallContext) => unknown;

interface Route {
	readonly descriptor: MethodDescriptor;
	readonly handler: AnyHandler;
}

/** Fails closed. @throws Error at start when a method has no handler or no scope of the table, or a handler no method. */
function createRoutes(methods: readonly MethodDescriptor[], handlers: Handlers): ReadonlyMap<string, Route> {
	const byName = new Map<string, unknown>(Object.entries(handlers));
	const routes = new Map<string, Route>();
	for (const descriptor of methods) {
		const handler = byName.get(descriptor.name);
		if (typeof handler !== "function") throw new Error(`method ${descriptor.name} has no handler`);
		if (!SCOPES.includes(descriptor.scope)) throw new Error(`method ${descriptor.name} has no scope`);
		if (routes.has(descriptor.name)) throw new Error(`method ${descriptor.name} is described twice`);
		routes.set(descriptor.name, { descriptor, handler: handler as AnyHandler });
	}
	for (const name of byName.keys()) if (!routes.has(name)) throw new Error(`handler ${name} has no method`);
	return routes;
}

function toCallError(thrown: unknown, signal: AbortSignal): AppError {
	if (thrown instanceof AppError) return thrown;
	if (!signal.aborted) return toAppError(thrown);
	return signal.reason instanceof AppError
		? signal.reason
		: new AppError("CANCELLED", undefined, { cause: thrown });
}

export function createDispatcher(options: DispatcherOptions): Dispatcher {
	const { handlers, store, telemetry, logger, clock, gate, methods = METHODS } = options;
	const routes = createRoutes(methods, handlers);
	const keyedCalls = createKeyedCalls(store, clock);
	let draining = false;
	let inFlight = 0;

	function find(call: Call): Route {
		const route = routes.get(call.method);
		if (!route) throw new AppError("METHOD_NOT_FOUND", `There is no method ${call.method.slice(0, 100)}.`);
		const { descriptor } = route;
		// Who holds the scope for nothing at all does not learn what the parameters should be.
		gate.pass(call.caller, { scope: descriptor.scope, asked: "own", what: descriptor.name });
		if (descriptor.connectionOnly === true && !call.connection) {
			throw new AppError("PROTOCOL_OUT_OF_ORDER", `${descriptor.name} needs a connection to /ws.`);
		}
		if (draining && descriptor.mutates && descriptor.scope !== "daemon.admin")
			throw new AppError("DAEMON_STOPPING");
		return route;
	}

	async function run(call: Call): Promise<unknown> {
		const route = find(call);
		const { descriptor } = route;
		const params = parseParams(descriptor.params, call.params);
		for (const asked of resourcesOfParams(params, descriptor.connectionOnly === true))
			gate.pass(call.caller, { scope: descriptor.scope, asked, what: descriptor.name });
		const keyed =
			call.idempotencyKey !== undefined && descriptor.mutates && descriptor.perConnection !== true;
		const claim =
			keyed && call.idempotencyKey !== undefined
				? {
						identity: call.caller.identity,
						method: descriptor.name,
						key: call.idempotencyKey,
						digest: digestOf(params),
					}
				: undefined;
		const context: CallContext = {
			caller: call.caller,
			allows: (scope, asked) => gate.allows(call.caller, scope, asked),
			signal: call.signal,
			idempotency: claim,
			connection: call.connection,
		};
		call.signal.throwIfAborted();
		if (!claim) return route.handler(params, context);
		return keyedCalls.run(claim, call.signal, async () => {
			try {
				return await route.handler(params, context);
			} catch (thrown) {
				throw toCallError(thrown, call.signal);
			}
		});
	}

	return {
		async dispatch(call) {
			const startedMs = clock.monotonicMs();
			inFlight += 1;
			try {
				return await run(call);
			} catch (thrown) {
				const error = toCallError(thrown, call.signal);
				telemetry.count("rpc_errors", 1, { code: error.code });
				if (error.code === "INTERNAL")
					logger.error("call failed", { method: call.method.slice(0, 100), error: error.cause ?? error });
				throw error;
			} finally {
				inFlight -= 1;
				const method = routes.has(call.method) ? call.method : "unknown";
				telemetry.observe("rpc_ms", clock.monotonicMs() - startedMs, { method });
			}
		},
		beginDrain() {
			draining = true;
		},
		get inFlight() {
			return inFlight;
		},
	};
}
