import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "#base/app-error.ts";
import { systemClock } from "#base/clock.ts";
import { createGateway, type Gateway } from "#daemon/gateway/create-gateway.ts";
import { createHub } from "#daemon/gateway/create-hub.ts";
import type { CallContext, Handlers } from "#daemon/gateway/handler.ts";
import type { Hub } from "#daemon/gateway/hub.ts";
import { eventsHandlers } from "#daemon/service/events/index.ts";
import type { Store } from "#daemon/storage/store.ts";
import type { Telemetry } from "#daemon/telemetry/port.ts";
import { METHODS } from "#protocol/service/index.ts";
import { createMemoryLogger, type MemoryLogger } from "#test/support/logger.ts";
import { openTestStore } from "#test/support/store.ts";

export const TOKEN = "0123456789abcdef0123456789abcdef";

type AnyHandler = (params: never, context: CallContext) => unknown;

export interface GatewayFixture extends AsyncDisposable {
	readonly gateway: Gateway;
	readonly hub: Hub;
	readonly store: Store;
	readonly socketPath: string;
	readonly port: number;
	readonly log: MemoryLogger["lines"];
	readonly errors: string[];
	/** Ends this gateway and starts another at the same places, with a new epoch. */
	restart(): Promise<void>;
}

function createTelemetry(errors: string[]): Telemetry {
	return {
		count: (name, _by, labels) => void (name === "rpc_errors" && errors.push(labels?.["code"] ?? "")),
		observe: () => undefined,
		gauge: () => ({ [Symbol.dispose]: () => undefined }),
		trace: () => undefined,
	};
}

/** Handlers for every method: those of the test, the real events.*, and NOT_FOUND for the rest. */
export function completeHandlers(own: Readonly<Record<string, AnyHandler>>): Handlers {
	const rest = METHODS.map(
		({ name }) =>
			[
				name,
				() => {
					throw new AppError("NOT_FOUND");
				},
			] as const,
	);
	return { ...Object.fromEntries(rest), ...eventsHandlers, ...own } as unknown as Handlers;
}

/** A real gateway on a real store, a Unix socket and a loopback port; the services behind it are the test's. */
export async function startGateway(
	own: Readonly<Record<string, AnyHandler>> | ((store: Store) => Readonly<Record<string, AnyHandler>>) = {},
	{ web = true }: { web?: boolean } = {},
): Promise<GatewayFixture> {
	const home = await mkdtemp(join(tmpdir(), "weave-gateway-"));
	const errors: string[] = [];
	const logger = createMemoryLogger();
	const store = await openTestStore();
	const socketPath = join(home, "daemon.sock");
	let generation = 0;
	let port: number | undefined;

	async function open(): Promise<{ gateway: Gateway; hub: Hub }> {
		generation += 1;
		const epoch = `epoch-${generation}`;
		const hub = createHub({ epoch });
		const gateway = await createGateway({
			paths: { daemonSocket: socketPath },
			port: port ?? 0,
			web,
			token: TOKEN,
			epoch,
			handlers: completeHandlers(typeof own === "function" ? own(store) : own),
			hub,
			store,
			telemetry: createTelemetry(errors),
			renderMetrics: () => "# none\n",
			logger,
			clock: systemClock,
			isReady: () => true,
		});
		port = gateway.port;
		return { gateway, hub };
	}

	let current = await open();
	return {
		get gateway() {
			return current.gateway;
		},
		get hub() {
			return current.hub;
		},
		store,
		socketPath,
		get port() {
			return port ?? 0;
		},
		log: logger.lines,
		errors,
		async restart() {
			await current.gateway[Symbol.asyncDispose]();
			current.hub[Symbol.dispose]();
			current = await open();
		},
		async [Symbol.asyncDispose]() {
			await current.gateway[Symbol.asyncDispose]();
			current.hub[Symbol.dispose]();
			await store[Symbol.asyncDispose]();
			await rm(home, { recursive: true, force: true });
		},
	};
}
