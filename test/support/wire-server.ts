import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One answer, byte for byte. */
export interface WireAnswer {
	status?: number;
	headers?: Record<string, string>;
	/** Written one after the other. */
	pieces?: readonly string[];
	/** `drop` destroys the socket after the pieces, `hang` keeps it open. */
	end?: "end" | "drop" | "hang";
}
export interface WireRequest {
	readonly method: string;
	readonly path: string;
	readonly headers: IncomingHttpHeaders;
	readonly body: unknown;
}

/** A server on loopback that answers by path. Whoever starts it closes it. */
export interface WireServer extends AsyncDisposable {
	readonly url: string;
	/** Requests to paths that are scripted, in order. */
	readonly requests: WireRequest[];
	/** The next answers of a path's end, one per request; the last stays. */
	answer(pathEnd: string, ...answers: WireAnswer[]): void;
	/** Resolves when a client has closed a stream before its end. */
	cut(): Promise<void>;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
	const parts: Buffer[] = [];
	for await (const part of request) parts.push(part as Buffer);
	const text = Buffer.concat(parts).toString("utf8");
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

async function play(answer: WireAnswer, response: ServerResponse): Promise<void> {
	response.writeHead(answer.status ?? 200, { "content-type": "text/event-stream", ...answer.headers });
	for (const piece of answer.pieces ?? []) {
		if (response.destroyed) return;
		await new Promise<void>((resolve) => response.write(piece, () => resolve()));
	}
	if (answer.end === "drop") response.destroy();
	else if (answer.end !== "hang") response.end();
}

export async function startWireServer(): Promise<WireServer> {
	const requests: WireRequest[] = [];
	const scripts = new Map<string, WireAnswer[]>();
	const cut = Promise.withResolvers<void>();
	const server = createServer((request, response) => {
		const path = request.url ?? "";
		const pathname = path.split("?")[0] ?? "";
		const script = [...scripts].find(([end]) => pathname.endsWith(end))?.[1];
		response.once("close", () => {
			if (!response.writableEnded) cut.resolve();
		});
		void readBody(request).then(async (body) => {
			const answer = script !== undefined && script.length > 1 ? script.shift() : script?.[0];
			if (answer === undefined) {
				response.writeHead(404).end();
				return;
			}
			requests.push({ method: request.method ?? "", path, headers: request.headers, body });
			await play(answer, response);
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		requests,
		answer: (pathEnd, ...answers) => scripts.set(pathEnd, answers),
		cut: () => cut.promise,
		async [Symbol.asyncDispose]() {
			server.closeAllConnections();
			await new Promise<void>((resolve) => server.close(() => resolve()));
		},
	};
}
