import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { type ClientOptions, type RawData, WebSocket } from "ws";
import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import { PING_INTERVAL_MS } from "#protocol/limits.ts";
import type { Transport, TransportHandlers, TransportLink } from "../client.ts";

interface WebSocketTransportOptions {
	/** `ws://127.0.0.1:PORT/ws`; no credentials in it. */
	url: string;
	/** Sent as a bearer; only local programs have one. */
	token?: string;
	clock: Clock;
}

/** Chosen by the server; tells that the peer speaks this protocol at all. */
const SUBPROTOCOL = "weave-codex.v1";
/** Two missed pongs close (contracts.md 3). */
const MISSED_PONGS_MAX = 2;
/** What a daemon may send at once: its own answers are bounded, this only stops a peer that is none. */
const ANSWER_MAX_BYTES = 64 * 1024 * 1024;
const OPEN_TIMEOUT_MS = 10_000;

interface OpenOptions {
	url: string;
	address: string;
	headers: Record<string, string>;
	/** In place of a TCP connection. */
	socketPath?: string;
	clock: Clock;
}

function errorOfStatus(response: IncomingMessage, address: string): AppError {
	const status = response.statusCode ?? 0;
	if (status === 401) return new AppError("AUTH_REQUIRED");
	if (status === 403) return new AppError("AUTH_ORIGIN");
	if (status === 429) return new AppError("AUTH_RATE_LIMITED");
	return new AppError("DAEMON_UNAVAILABLE", `${address} answered with HTTP status ${status}.`);
}

/** A message in one piece; with `arraybuffer` off, ws hands out Buffers. */
function bytesOf(data: RawData): Uint8Array {
	if (Array.isArray(data)) return Buffer.concat(data);
	return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

function watchPings(socket: WebSocket, clock: Clock): Disposable {
	let missed = 0;
	let timer: Disposable | undefined;
	socket.on("pong", () => {
		missed = 0;
	});
	function beat(): void {
		if (missed >= MISSED_PONGS_MAX) {
			socket.terminate();
			return;
		}
		missed += 1;
		if (socket.readyState === WebSocket.OPEN) socket.ping();
		timer = clock.after(PING_INTERVAL_MS, beat);
	}
	timer = clock.after(PING_INTERVAL_MS, beat);
	return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() };
}

function createLink(socket: WebSocket): TransportLink {
	return {
		sendText: (text) => socket.send(text),
		sendBinary: (bytes) => socket.send(bytes),
		get bufferedBytes() {
			return socket.bufferedAmount;
		},
		close: (code = 1000, reason = "") => socket.close(code, reason),
	};
}

/** Opens one WebSocket, over TCP or a Unix socket; both transports share it. */
export function openWebSocket(
	options: OpenOptions,
	handlers: TransportHandlers,
	signal: AbortSignal,
): Promise<TransportLink> {
	const { url, address, headers, socketPath, clock } = options;
	const { promise, resolve, reject } = Promise.withResolvers<TransportLink>();
	if (signal.aborted) return Promise.reject(signal.reason);
	const clientOptions: ClientOptions = {
		headers,
		perMessageDeflate: false,
		maxPayload: ANSWER_MAX_BYTES,
		handshakeTimeout: OPEN_TIMEOUT_MS,
		followRedirects: false,
	};
	// By a connection of ours, not by ws+unix: a home with a colon or a space in its path would not survive the URL.
	if (socketPath !== undefined) clientOptions.createConnection = (): Socket => connect(socketPath);
	const socket = new WebSocket(url, [SUBPROTOCOL], clientOptions);
	let opened = false;
	let failure: unknown;
	let pings: Disposable | undefined;
	function onAbort(): void {
		socket.terminate();
	}
	signal.addEventListener("abort", onAbort, { once: true });
	socket.on("unexpected-response", (_request, response) => {
		failure = errorOfStatus(response, address);
		response.destroy();
		socket.terminate();
	});
	socket.on("error", (error) => {
		failure ??= error;
	});
	socket.on("open", () => {
		opened = true;
		pings = watchPings(socket, clock);
		resolve(createLink(socket));
	});
	socket.on("message", (data, isBinary) => {
		if (isBinary) handlers.onBinary(bytesOf(data));
		else handlers.onText(String(data));
	});
	socket.on("close", (code, reason) => {
		signal.removeEventListener("abort", onAbort);
		pings?.[Symbol.dispose]();
		if (opened) handlers.onClose({ code, reason: reason.toString("utf8") });
		else reject(signal.aborted ? signal.reason : toOpenError(failure, address));
	});
	return promise;
}

function toOpenError(failure: unknown, address: string): AppError {
	if (failure instanceof AppError) return failure;
	const code =
		typeof failure === "object" && failure !== null && "code" in failure ? String(failure.code) : "";
	if (code === "EACCES" || code === "EPERM") {
		return new AppError("PERMISSION_DENIED", `The socket ${address} belongs to somebody else.`, {
			cause: failure,
		});
	}
	const gone = code === "" || code === "ENOENT" || code === "ECONNREFUSED";
	const message = gone ? undefined : `The daemon at ${address} cannot be reached (${code}).`;
	return new AppError("DAEMON_UNAVAILABLE", message, { data: { address }, cause: failure });
}

/** Over TCP, with the bearer token in the upgrade's header. */
export function createWebSocketTransport({ url, token, clock }: WebSocketTransportOptions): Transport {
	const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
	return {
		address: url,
		open: (handlers, signal) => openWebSocket({ url, address: url, headers, clock }, handlers, signal),
	};
}
