import type { Transport, TransportHandlers, TransportLink } from "../client.ts";

interface Side {
	handlers: TransportHandlers | undefined;
}

/**
 * A transport without a socket. `accept` gets the server's end and returns what that end listens with.
 * @throws AppError whatever `accept` throws: the connection is then refused.
 */
export function createMemoryTransport(accept: (link: TransportLink) => TransportHandlers): Transport {
	return {
		address: "memory",
		async open(handlers, signal) {
			signal.throwIfAborted();
			const client: Side = { handlers };
			const server: Side = { handlers: undefined };
			let closed = false;

			function deliver(to: Side, tell: (handlers: TransportHandlers) => void): void {
				if (closed) return;
				queueMicrotask(() => {
					if (to.handlers) tell(to.handlers);
				});
			}

			function endOf(peer: Side): TransportLink {
				return {
					sendText: (text) => deliver(peer, (far) => far.onText(text)),
					// A copy: over a socket the sender may reuse its buffer too.
					sendBinary(bytes) {
						const copy = bytes.slice();
						deliver(peer, (far) => far.onBinary(copy));
					},
					bufferedBytes: 0,
					close: (code = 1000, reason = "") => shut(code, reason),
				};
			}

			function shut(code: number, reason: string): void {
				if (closed) return;
				closed = true;
				signal.removeEventListener("abort", onAbort);
				for (const side of [client, server]) {
					queueMicrotask(() => {
						const told = side.handlers;
						side.handlers = undefined;
						told?.onClose({ code, reason });
					});
				}
			}

			function onAbort(): void {
				shut(1006, "");
			}

			signal.addEventListener("abort", onAbort, { once: true });
			server.handlers = accept(endOf(client));
			return endOf(server);
		},
	};
}
