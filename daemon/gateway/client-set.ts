import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { LIMITS } from "#protocol/limits.ts";
import type { Telemetry } from "../telemetry/port.ts";
import { SUBPROTOCOL } from "./authentication.ts";
import { createConnection } from "./connection.ts";
import type { ConnectionContext } from "./connection-context.ts";
import type { Caller } from "./handler.ts";
import { createRealtimeConnection } from "./realtime.ts";
import type { LinkHandlers, ServerLink } from "./server-link.ts";
import { createWebSocketLink } from "./websocket-link.ts";

/** A client of either codec. */
export type Client = LinkHandlers & { shut(code: number, reason: string): void };

/** Where each codec is served. */
export const CODEC_PATHS = ["/ws", "/api/realtime"] as const;
export type CodecPath = (typeof CODEC_PATHS)[number];

/** Everybody who is connected. */
export interface ClientSet {
	/** Accepts an upgrade that was let in. */
	upgrade(
		request: IncomingMessage,
		socket: Duplex,
		head: Buffer,
		place: { path: CodecPath; caller: Caller },
	): void;
	open(link: ServerLink, path: CodecPath, caller: Caller): Client;
	shutAll(code: number, reason: string): void;
	readonly size: number;
}

/** ws cuts a peer that sends a message over this at once; up to it the answer is a coded error. */
const MESSAGE_CUT_BYTES = LIMITS.frame_bytes * 2;

export function createClientSet(context: ConnectionContext, telemetry: Telemetry): ClientSet {
	const clients = new Set<Client>();
	const sockets = new WebSocketServer({
		noServer: true,
		maxPayload: MESSAGE_CUT_BYTES,
		perMessageDeflate: false,
		clientTracking: false,
		handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
	});

	function make(link: ServerLink, path: CodecPath, caller: Caller, onClosed: () => void): Client {
		if (path === "/ws") return createConnection(context, link, caller, onClosed);
		return createRealtimeConnection(context, link, { ...caller, label: "realtime" }, onClosed);
	}

	function open(link: ServerLink, path: CodecPath, caller: Caller): Client {
		const client: Client = make(link, path, caller, () => void clients.delete(client));
		clients.add(client);
		telemetry.count("gateway_connections", 1, { path });
		return client;
	}

	function accept(websocket: WebSocket, socket: Duplex, path: CodecPath, caller: Caller): void {
		// The link is made with handlers that lead to a client made on the link: one of the two comes later.
		const told: { client?: Client } = {};
		const link = createWebSocketLink(websocket, socket, context.clock, {
			onText: (text) => told.client?.onText(text),
			onBinary: (bytes) => told.client?.onBinary(bytes),
			onLinkError: () => told.client?.onLinkError(),
			onClose: () => told.client?.onClose(),
		});
		told.client = open(link, path, caller);
	}

	return {
		upgrade(request, socket, head, { path, caller }) {
			sockets.handleUpgrade(request, socket, head, (websocket) => accept(websocket, socket, path, caller));
		},
		open,
		shutAll(code, reason) {
			for (const client of [...clients]) client.shut(code, reason);
		},
		get size() {
			return clients.size;
		},
	};
}
