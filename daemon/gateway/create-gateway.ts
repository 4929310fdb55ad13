import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { AppError, toAppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import { newId } from "#base/id.ts";
import type { Transport } from "#client/client.ts";
import { createMemoryTransport } from "#client/transport/memory.ts";
import type { Paths } from "#platform/paths.ts";
import { CLOSE_CODE, LIMITS } from "#protocol/limits.ts";
import { ROLE_SCOPES } from "#protocol/scope.ts";
import type { Store } from "../storage/store.ts";
import type { Logger, Telemetry } from "../telemetry/port.ts";
import { createAuthenticator, SUBPROTOCOL } from "./authentication.ts";
import { type ConnectionContext, createConnection } from "./connection.ts";
import { createDispatcher } from "./dispatch.ts";
import type { Caller, Handlers } from "./handler.ts";
import { createHttpRoutes } from "./http-routes.ts";
import type { Hub } from "./hub.ts";
import { listenTcp, listenUnix } from "./listener.ts";
import { createMemoryLink } from "./memory-link.ts";
import { refuseUpgrade } from "./problem.ts";
import { createRealtimeConnection } from "./realtime.ts";
import type { LinkHandlers, ServerLink } from "./server-link.ts";
import { createWebSocketLink } from "./websocket-link.ts";

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

type Client = LinkHandlers & { shut(code: number, reason: string): void };
type Place = Caller["transport"];

/** Sockets per listener, far over what people have and under the usual limit of open files. */
const SOCKETS_MAX = 900;
/** ws cuts a peer that sends a message over this at once; up to it the answer is a coded error. */
const MESSAGE_CUT_BYTES = LIMITS.frame_bytes * 2;
const HEADERS_TIMEOUT_MS = 10_000;
/** For a whole request, its body included. */
const REQUEST_TIMEOUT_MS = 60_000;
const HEADER_MAX_BYTES = 16 * 1024;

function ownerAt(transport: Place): Caller {
	return {
		identity: "local",
		role: "owner",
		scopes: new Set(ROLE_SCOPES.owner),
		clientId: newId(),
		label: "unknown",
		transport,
	};
}

/**
 * Listens on the Unix socket and, with `web`, on loopback TCP. Dispose closes every client (1001) and removes the socket.
 * @throws AppError PORT_IN_USE, SOCKET_IN_USE, HOME_NOT_WRITABLE; Error when a method has no handler or scope.
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
	const { clock, logger, hub, telemetry } = options;
	const dispatcher = createDispatcher(options);
	const clients = new Set<Client>();
	const servers: Server[] = [];
	const listeners: { kind: string; address: string }[] = [];
	let port: number | undefined;
	let draining = false;
	let disposing: Promise<void> | undefined;

	const context: ConnectionContext = {
		dispatcher,
		hub,
		clock,
		epoch: options.epoch,
		isDraining: () => draining,
	};
	const authenticator = createAuthenticator({ token: options.token, port: () => port ?? 0, clock, logger });
	const sockets = new WebSocketServer({
		noServer: true,
		maxPayload: MESSAGE_CUT_BYTES,
		perMessageDeflate: false,
		clientTracking: false,
		handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
	});

	function addClient(make: (onClosed: () => void) => Client): Client {
		const client: Client = make(() => void clients.delete(client));
		clients.add(client);
		telemetry.count("gateway_connections");
		return client;
	}

	function accept(websocket: WebSocket, socket: Duplex, path: string, caller: Caller): void {
		// The link is made with handlers that lead to a client made on the link: one of the two comes later.
		const told: { client?: Client } = {};
		const link = createWebSocketLink(websocket, socket, clock, {
			onText: (text) => told.client?.onText(text),
			onBinary: (bytes) => told.client?.onBinary(bytes),
			onLinkError: () => told.client?.onLinkError(),
			onClose: () => told.client?.onClose(),
		});
		told.client = addClient((onClosed) => openClient(link, path, caller, onClosed));
	}

	function openClient(link: ServerLink, path: string, caller: Caller, onClosed: () => void): Client {
		if (path === "/ws") return createConnection(context, link, caller, onClosed);
		return createRealtimeConnection(hub, link, { ...caller, label: "realtime" }, onClosed);
	}

	function authenticate(place: Place, request: IncomingMessage, open: boolean): Caller | undefined {
		if (place === "tcp") {
			if (open) authenticator.assertPlace(request);
			else authenticator.assertToken(request);
		}
		return open ? undefined : ownerAt(place);
	}

	function upgrade(place: Place, request: IncomingMessage, socket: Duplex, head: Buffer): void {
		try {
			const caller = authenticate(place, request, false);
			const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
			if (path !== "/ws" && path !== "/api/realtime")
				throw new AppError("NOT_FOUND", `There is no WebSocket at ${path.slice(0, 200)}.`);
			if (draining) throw new AppError("DAEMON_STOPPING");
			if (caller)
				sockets.handleUpgrade(request, socket, head, (websocket) => accept(websocket, socket, path, caller));
		} catch (thrown) {
			refuseUpgrade(socket, toAppError(thrown));
		}
	}

	function createHttp(place: Place): Server {
		const server = createServer({
			headersTimeout: HEADERS_TIMEOUT_MS,
			requestTimeout: REQUEST_TIMEOUT_MS,
			maxHeaderSize: HEADER_MAX_BYTES,
			keepAliveTimeout: 5_000,
		});
		server.maxConnections = SOCKETS_MAX;
		const routes = createHttpRoutes({
			dispatcher,
			isReady: () => !draining && options.isReady(),
			renderMetrics: options.renderMetrics,
			authenticate: (request, open) => authenticate(place, request, open),
		});
		server.on("request", routes.handle);
		server.on("upgrade", (request, socket, head) => upgrade(place, request, socket, head));
		servers.push(server);
		return server;
	}

	async function close(): Promise<void> {
		draining = true;
		dispatcher.beginDrain();
		for (const client of [...clients]) client.shut(CLOSE_CODE.goingAway, "the daemon stops");
		const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
		for (const server of servers) server.closeAllConnections();
		await Promise.all(closed);
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
		beginDrain() {
			draining = true;
			dispatcher.beginDrain();
		},
		connectMemory: () =>
			createMemoryTransport((far) => {
				if (draining) throw new AppError("DAEMON_STOPPING");
				return addClient((onClosed) => openClient(createMemoryLink(far), "/ws", ownerAt("memory"), onClosed));
			}),
		[Symbol.asyncDispose]() {
			disposing ??= close();
			return disposing;
		},
	};
}
