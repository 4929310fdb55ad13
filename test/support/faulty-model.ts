import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One answer of the model, in the hands of whoever writes it, byte for byte. */
export interface ModelWire {
	/** The request's body, parsed. */
	readonly body: { input: Record<string, unknown>[] } & Record<string, unknown>;
	readonly headers: IncomingHttpHeaders;
	readonly response: ServerResponse;
	/** Resolves when the client has left or the answer is out. */
	readonly gone: Promise<void>;
	/** The head of a stream; before anything else, once. */
	open(): void;
	raw(bytes: string | Uint8Array): Promise<void>;
	event(type: string, members?: Record<string, unknown>): Promise<void>;
	/** A whole message with one delta. */
	text(text: string, id?: string): Promise<void>;
	/** A whole call. */
	call(name: string, args: unknown, members?: Record<string, unknown>): Promise<void>;
	/** `response.completed`, and the end of the stream. */
	complete(): Promise<void>;
	/** Breaks the connection off. */
	drop(): void;
}

export type WriteAnswer = (wire: ModelWire) => Promise<void> | void;

/** A Responses API over HTTP on 127.0.0.1 of which each byte is in a test's hands. Whoever starts it disposes it. */
export interface FaultyModel extends AsyncDisposable {
	/** The provider's base_url. */
	readonly url: string;
	readonly bodies: readonly ModelWire["body"][];
}

async function readBody(request: IncomingMessage): Promise<ModelWire["body"]> {
	const pieces: Buffer[] = [];
	for await (const piece of request) pieces.push(piece as Buffer);
	return JSON.parse(Buffer.concat(pieces).toString("utf8")) as ModelWire["body"];
}

const USAGE = { input_tokens: 10, output_tokens: 2, total_tokens: 12 };

/** `id` gives ids that no answer of this server had before. */
function createModelWire(
	{ body, headers }: Pick<ModelWire, "body" | "headers">,
	response: ServerResponse,
	id: (prefix: string) => string,
): ModelWire {
	const gone = new Promise<void>((resolve) => response.once("close", () => resolve()));
	const wire: ModelWire = {
		body,
		headers,
		response,
		gone,
		open: () => void response.writeHead(200, { "content-type": "text/event-stream" }),
		async raw(bytes) {
			if (response.destroyed) return;
			const written = new Promise<void>((resolve) => response.write(bytes, () => resolve()));
			await Promise.race([written, gone]);
		},
		event: (type, members = {}) =>
			wire.raw(`event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`),
		async text(text, item_id = id("msg")) {
			const head = { id: item_id, type: "message", role: "assistant" };
			await wire.event("response.output_item.added", { item: { ...head, content: [] } });
			await wire.event("response.output_text.delta", { item_id, content_index: 0, delta: text });
			const content = [{ type: "output_text", text, annotations: [] }];
			await wire.event("response.output_item.done", { item: { ...head, content } });
		},
		async call(name, args, members = {}) {
			const text = typeof args === "string" ? args : JSON.stringify(args);
			const item = { id: id("fc"), type: "function_call", call_id: id("call"), name, arguments: text };
			await wire.event("response.output_item.done", { item: { ...item, ...members } });
		},
		async complete() {
			await wire.event("response.completed", { response: { id: id("resp"), usage: USAGE } });
			response.end();
		},
		drop: () => void response.socket?.destroy(),
	};
	return wire;
}

/** The answer to the n-th request (from 0), told by its body where the order says nothing. */
export async function startFaultyModel(
	answer: (nth: number, body: ModelWire["body"]) => WriteAnswer,
): Promise<FaultyModel> {
	const bodies: ModelWire["body"][] = [];
	let serial = 0;
	const id = (prefix: string): string => {
		serial += 1;
		return `${prefix}_faulty_${serial}`;
	};

	async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
		if (request.method !== "POST") {
			response.writeHead(404).end("{}");
			return;
		}
		const body = await readBody(request);
		bodies.push(body);
		await answer(bodies.length - 1, body)(createModelWire({ body, headers: request.headers }, response, id));
	}

	const server = createServer((request, response) => {
		response.on("error", () => undefined);
		handle(request, response).catch(() => response.destroy());
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://127.0.0.1:${port}/v1`,
		bodies,
		async [Symbol.asyncDispose]() {
			const closed = new Promise((resolve) => server.close(resolve));
			server.closeAllConnections();
			await closed;
		},
	};
}
