import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "#base/clock.ts";
import type { CodexLink, CodexPeerKind } from "#daemon/codex/link.ts";
import { MESSAGE_MAX_BYTES } from "#daemon/codex/listener/limits.ts";
import {
	type CodexWebSocketClient,
	createCodexWebSocketClient,
} from "#daemon/codex/listener/websocket-client.ts";
import { createWebSocketLink } from "./websocket-link.ts";

/** Turns upgrades that were let in into clients of the Codex protocol. */
export interface CodexUpgrades {
	accept(request: IncomingMessage, socket: Duplex, head: Buffer, kind: CodexPeerKind): void;
	/** Ends every client. */
	shutAll(code: number, reason: string): void;
	readonly size: number;
}

export interface CodexUpgradesOptions {
	facade: { connect(link: CodexLink): Disposable };
	clock: Clock;
}

/** WebSocket as the real server's clients speak it: no subprotocol, no compression, any path. */
export function createCodexUpgrades({ facade, clock }: CodexUpgradesOptions): CodexUpgrades {
	const clients = new Set<CodexWebSocketClient>();
	let count = 0;
	const sockets = new WebSocketServer({
		noServer: true,
		maxPayload: MESSAGE_MAX_BYTES,
		perMessageDeflate: false,
		clientTracking: false,
		handleProtocols: () => false,
	});

	function serve(websocket: WebSocket, socket: Duplex, kind: CodexPeerKind): void {
		count += 1;
		// The link is made with handlers that lead to a client made on the link: one of the two comes later.
		const told: { client?: CodexWebSocketClient } = {};
		const server = createWebSocketLink(websocket, socket, clock, {
			onText: (text) => told.client?.onText(text),
			onBinary: (bytes) => told.client?.onBinary(bytes),
			onLinkError: () => told.client?.onLinkError(),
			onClose: () => told.client?.onClose(),
		});
		const client = createCodexWebSocketClient(
			server,
			{ label: `${kind} #${count}`, kind },
			{ pause: () => websocket.pause(), resume: () => websocket.resume() },
		);
		told.client = client;
		clients.add(client);
		const served = facade.connect(client.link);
		client.link.onClose(() => {
			clients.delete(client);
			served[Symbol.dispose]();
		});
	}

	return {
		accept(request, socket, head, kind) {
			sockets.handleUpgrade(request, socket, head, (websocket) => serve(websocket, socket, kind));
		},
		shutAll(code, reason) {
			for (const client of [...clients]) client.shut(code, reason);
		},
		get size() {
			return clients.size;
		},
	};
}
