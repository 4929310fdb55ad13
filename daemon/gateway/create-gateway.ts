import type { Server } from "node:http";
import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { Transport } from "#client/client.ts";
import { createMemoryTransport } from "#client/transport/memory.ts";
import type { Paths } from "#platform/paths.ts";
import { CLOSE_CODE } from "#protocol/limits.ts";
import type { Store } from "../storage/store.ts";
import type { Logger, Telemetry } from "../telemetry/port.ts";
import { createAuthenticator } from "./authentication.ts";
import { createClientSet } from "./client-set.ts";
import type { CodexUpgrades } from "./codex-upgrade.ts";
import { createDispatcher } from "./dispatch.ts";
import { createGate } from "./gate.ts";
import type { Handlers } from "./handler.ts";
import { createHttpServer, ownerAt } from "./http-server.ts";
import type { Hub } from "./hub.ts";
import { listenTcp, listenUnix } from "./listener.ts";
import { createMemoryLink } from "./memory-link.ts";

export interface GatewayOptions {
	paths: Pick<Paths, "daemonSocket">;
	/** Configured port; undefined: 9800, or a free one when that is taken. */
	port: number | undefined;
	/** False: no TCP listener at all. */
	web: boolean;
	/** Content of `$HOMIE_HOME/token`. */
	token: string;
	epoch: string;
	handlers: Handlers;
	/** Clients of the Codex protocol, at `/` of every listener; without it nothing is there. */
	codex?: CodexUpgrades | undefined;
	hub: Hub;
	store: Store;
	telemetry: Telemetry;
	renderMetrics(): string | Promise<string>;
	logger: Logger;
	clock: Clock;
	/** What `/readyz` says; not ready either while draining. */
	isReady(): boolean;
}

export interface Gateway extends AsyncDisposable {
	readonly listeners: readonly { kind: string; address: string }[];
	/** Of the TCP listener; undefined without one. */
	readonly port: number | undefined;
	/** Clients of /ws and /api/realtime. */
	readonly connections: number;
	/** Calls under way. */
	readonly inFlight: number;
	/** Lets nobody new in and refuses changes; what runs goes on. */
	beginDrain(): void;
	/** A client in this process, as the owner. */
	connectMemory(): Transport;
}

async function closeServers(servers: readonly Server[]): Promise<void> {
	const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
	for (const server of servers) server.closeAllConnections();
	await Promise.all(closed);
}

/**
 * Listens on the Unix socket and, with `web`, on loopback TCP. Dispose closes every client (1001) and removes the socket.
 * @throws AppError PORT_IN_USE, SOCKET_IN_USE, HOME_NOT_WRITABLE; Error when a method has no handler or scope.
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
	const { clock, logger, hub, epoch, codex, renderMetrics, isReady } = options;
	const gate = createGate({ clock, logger });
	const dispatcher = createDispatcher({ ...options, gate });
	const isDraining = (): boolean => draining;
	const clients = createClientSet({ dispatcher, hub, gate, clock, epoch, isDraining }, options.telemetry);
	const authenticator = createAuthenticator({ token: options.token, port: () => port ?? 0, clock, logger });
	const servers: Server[] = [];
	const listeners: { kind: string; address: string }[] = [];
	let port: number | undefined;
	let draining = false;
	let disposing: Promise<void> | undefined;

	function createHttp(place: "unix" | "tcp"): Server {
		const server = createHttpServer({
			place,
			dispatcher,
			clients,
			codex,
			authenticator,
			renderMetrics,
			isReady,
			isDraining,
		});
		servers.push(server);
		return server;
	}

	function beginDrain(): void {
		draining = true;
		dispatcher.beginDrain();
	}

	function close(): Promise<void> {
		beginDrain();
		clients.shutAll(CLOSE_CODE.goingAway, "the daemon stops");
		codex?.shutAll(CLOSE_CODE.goingAway, "the daemon stops");
		return closeServers(servers);
	}

	try {
		await listenUnix(createHttp("unix"), options.paths.daemonSocket);
		listeners.push({ kind: "unix", address: options.paths.daemonSocket });
		if (options.web) {
			port = await listenTcp(createHttp("tcp"), options.port);
			listeners.push({ kind: "http", address: `http://127.0.0.1:${port}` });
		}
	} catch (error) {
		await close();
		throw error;
	}

	return {
		listeners,
		port,
		get connections() {
			return clients.size;
		},
		get inFlight() {
			return dispatcher.inFlight;
		},
		beginDrain,
		connectMemory: () =>
			createMemoryTransport((far) => {
				if (draining) throw new AppError("DAEMON_STOPPING");
				return clients.open(createMemoryLink(far), "/ws", ownerAt("memory"));
			}),
		[Symbol.asyncDispose]() {
			disposing ??= close();
			return disposing;
		},
	};
}
