import type { Clock } from "#base/clock.ts";
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
		open: (handlers, signal) =>
			openWebSocket(
				{ url: "ws://localhost/ws", address: socketPath, headers: {}, socketPath, clock },
				handlers,
				signal,
			),
	};
}
