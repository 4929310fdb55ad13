import type { Clock } from "#base/clock.ts";
import { assertOwnSocketFolder } from "#platform/socket-folder.ts";
import type { Transport } from "../client.ts";
import { openWebSocket } from "./websocket-node.ts";

interface UnixTransportOptions {
	socketPath: string;
	clock: Clock;
}

/** The daemon's own socket: WebSocket framing, trust by file permissions, no token. */
export function createUnixTransport({ socketPath, clock }: UnixTransportOptions): Transport {
	return {
		address: socketPath,
		async open(handlers, signal) {
			assertOwnSocketFolder(socketPath);
			return openWebSocket(
				{ url: "ws://localhost/ws", address: socketPath, headers: {}, socketPath, clock },
				handlers,
				signal,
			);
		},
	};
}
