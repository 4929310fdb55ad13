import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { AppError, toAppError } from "#base/app-error.ts";
import { newId } from "#base/id.ts";
import { grantsOfRole } from "../policy/grant.ts";
import type { Authenticator } from "./authentication.ts";
import { type ClientSet, CODEC_PATHS } from "./client-set.ts";
import type { CodexUpgrades } from "./codex-upgrade.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { Caller } from "./handler.ts";
import { createHttpRoutes } from "./http-routes.ts";
import { refuseUpgrade } from "./problem.ts";

type Place = Caller["transport"];

interface HttpServerOptions {
	place: "unix" | "tcp";
	dispatcher: Dispatcher;
	clients: ClientSet;
	/** Serves upgrades at `/`: the real Codex TUI accepts no path. */
	codex: CodexUpgrades | undefined;
	/** Asked on TCP only: a Unix socket trusts its file permissions. */
	authenticator: Authenticator;
	renderMetrics(): string | Promise<string>;
	isReady(): boolean;
	isDraining(): boolean;
}

/** Sockets per listener, far over what people have and under the usual limit of open files. */
const SOCKETS_MAX = 900;
const HEADERS_TIMEOUT_MS = 10_000;
/** For a whole request, its body included. */
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 5_000;
const HEADER_MAX_BYTES = 16 * 1024;

/** The owner, which this machine's user is on every listener there is so far. */
export function ownerAt(transport: Place): Caller {
	const grants = grantsOfRole("owner");
	return { identity: "local", role: "owner", grants, clientId: newId(), label: "unknown", transport };
}

function pathOf(request: IncomingMessage): string {
	return (request.url ?? "/").split("?", 1)[0] ?? "/";
}

/** One HTTP server; the listeners differ in place only. */
export function createHttpServer({
	place,
	dispatcher,
	clients,
	codex,
	authenticator,
	...rest
}: HttpServerOptions): Server {
	const server = createServer({
		headersTimeout: HEADERS_TIMEOUT_MS,
		requestTimeout: REQUEST_TIMEOUT_MS,
		maxHeaderSize: HEADER_MAX_BYTES,
		keepAliveTimeout: KEEP_ALIVE_MS,
	});
	server.maxConnections = SOCKETS_MAX;

	function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
		if (place === "tcp") authenticator.assertToken(request);
		const asked = pathOf(request);
		const path = CODEC_PATHS.find((one) => one === asked);
		const isCodex = asked === "/" && codex !== undefined;
		if (!path && !isCodex)
			throw new AppError("NOT_FOUND", `There is no WebSocket at ${asked.slice(0, 200)}.`);
		if (rest.isDraining()) throw new AppError("DAEMON_STOPPING");
		if (path) clients.upgrade(request, socket, head, { path, caller: ownerAt(place) });
		else codex?.accept(request, socket, head, place === "tcp" ? "websocket" : "unix");
	}

	const routes = createHttpRoutes({
		dispatcher,
		isReady: () => !rest.isDraining() && rest.isReady(),
		renderMetrics: rest.renderMetrics,
		authenticate(request, open) {
			if (place === "tcp" && open) authenticator.assertPlace(request);
			if (place === "tcp" && !open) authenticator.assertToken(request);
			return open ? undefined : ownerAt(place);
		},
	});
	server.on("request", routes.handle);
	server.on("upgrade", (request, socket, head) => {
		try {
			upgrade(request, socket, head);
		} catch (thrown) {
			refuseUpgrade(socket, toAppError(thrown));
		}
	});
	return server;
}
