import { type ClientRequest, type IncomingMessage, request as plainRequest } from "node:http";
import type { Readable } from "node:stream";
import type { Clock } from "#base/clock.ts";

/** As long as Node's own fetch waits. */
const CONNECT_TIMEOUT_MS = 10_000;
/** An answer whose last event has come ends at once; a server that dawdles loses its connection. */
const DRAIN_MS = 250;
const WEB_PORTS: ReadonlySet<string> = new Set(["http:", "https:"]);

/** What is asked of an answer's headers; a `Headers` does too. */
export interface AnswerHeaders {
	get(name: string): string | null;
	keys(): Iterable<string>;
}

export interface HttpAnswer {
	readonly status: number;
	readonly statusText: string;
	readonly headers: AnswerHeaders;
	/** The next piece of the body; null at its end. @throws when the connection breaks. */
	read(): Promise<Uint8Array | null>;
	/** Drops what is left; the first call counts. `reuse`: nothing is missed, so the connection may serve the next request. */
	close(reuse?: boolean): void;
}

export interface HttpRequest {
	readonly method: "GET" | "POST";
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body?: string | Uint8Array;
	readonly clock: Clock;
	readonly signal: AbortSignal;
}

function headersOf({ headers }: IncomingMessage): AnswerHeaders {
	return {
		get(name) {
			const value = headers[name.toLowerCase()];
			return value === undefined ? null : Array.isArray(value) ? value.join(", ") : value;
		},
		keys: () => Object.keys(headers),
	};
}

/** No coding is asked for, but some servers pack anyway. */
function unpacked(response: IncomingMessage): Readable {
	const coding = response.headers["content-encoding"]?.toLowerCase();
	if (coding !== "gzip" && coding !== "deflate" && coding !== "br") return response;
	const zlib = process.getBuiltinModule("node:zlib");
	const decoder = coding === "br" ? zlib.createBrotliDecompress() : zlib.createUnzip();
	response.on("error", (error) => decoder.destroy(error));
	return response.pipe(decoder);
}

/** Reads to the end, for a while. */
async function drain(pieces: AsyncIterator<Uint8Array>, clock: Clock, end: () => void): Promise<void> {
	using _late = clock.after(DRAIN_MS, end);
	try {
		while (!(await pieces.next()).done);
	} catch {
		// The connection is not reused, then.
	}
}

function answerOf(response: IncomingMessage, clock: Clock, leave: () => void): HttpAnswer {
	const body = unpacked(response);
	// A break while nobody reads shows at the next read.
	body.on("error", () => undefined);
	const pieces = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
	let isClosed = false;
	return {
		status: response.statusCode ?? 0,
		statusText: response.statusMessage ?? "",
		headers: headersOf(response),
		async read() {
			const { done, value } = await pieces.next();
			return done ? null : value;
		},
		close(reuse = false) {
			leave();
			if (isClosed) return;
			isClosed = true;
			if (reuse) void drain(pieces, clock, () => response.destroy());
			else response.destroy();
		},
	};
}

function limitConnecting(request: ClientRequest, clock: Clock): void {
	request.once("socket", (socket) => {
		if (!socket.connecting) return;
		const tooLong = (): void => {
			request.destroy(Object.assign(new Error("connecting took too long"), { code: "ETIMEDOUT" }));
		};
		const timer = clock.after(CONNECT_TIMEOUT_MS, tooLong);
		const stop = (): void => timer[Symbol.dispose]();
		socket.once("connect", stop).once("close", stop);
	});
}

function open(url: URL, { method, headers }: HttpRequest): ClientRequest {
	if (!WEB_PORTS.has(url.protocol)) throw new TypeError(`${url.protocol} is not spoken`);
	const all = { accept: "*/*", "user-agent": "weave-codex", ...headers };
	if (url.protocol === "http:") return plainRequest(url, { method, headers: all });
	return process.getBuiltinModule("node:https").request(url, { method, headers: all });
}

/**
 * Sends one request and resolves with its answer's head. Connections are kept for the next one; redirects are not
 * followed: they would carry the keys elsewhere. Node's fetch would do as well, but takes 14 MB and a third of a short
 * turn's time. @throws what the network says; an abort's reason.
 */
export function sendHttp(asked: HttpRequest): Promise<HttpAnswer> {
	const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
	const { signal, clock } = asked;
	if (signal.aborted) return Promise.reject(signal.reason);
	let request: ClientRequest;
	try {
		request = open(new URL(asked.url), asked);
	} catch (error) {
		return Promise.reject(error);
	}
	// Not destroyed with the error: a connection whose answer was read to its end has nobody left to hear of it.
	function abort(): void {
		reject(new Error("aborted", { cause: signal.reason }));
		request.destroy();
	}
	const leave = (): void => signal.removeEventListener("abort", abort);
	signal.addEventListener("abort", abort, { once: true });
	limitConnecting(request, clock);
	request.once("response", (response) => resolve(answerOf(response, clock, leave)));
	// Stays on: an answer's connection may break, and its error is the reader's then.
	request.on("error", reject);
	request.once("close", leave);
	request.end(asked.body);
	return promise;
}

/** The whole text of a small answer. @throws RangeError beyond `maxBytes`; what the network says. */
export async function readText(answer: HttpAnswer, maxBytes: number): Promise<string> {
	const pieces: Uint8Array[] = [];
	let size = 0;
	for (let piece = await answer.read(); piece !== null; piece = await answer.read()) {
		size += piece.length;
		if (size > maxBytes) {
			answer.close();
			throw new RangeError(`the answer is larger than ${maxBytes} bytes`);
		}
		pieces.push(piece);
	}
	answer.close();
	return Buffer.concat(pieces).toString("utf8");
}
