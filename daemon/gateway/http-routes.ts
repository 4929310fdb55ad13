import type { IncomingMessage, ServerResponse } from "node:http";
import { AppError, toAppError } from "#base/app-error.ts";
import { newId } from "#base/id.ts";
import { LIMITS } from "#protocol/limits.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { Caller } from "./handler.ts";
import { sendBody, sendProblem } from "./problem.ts";
import { parseTextFrame } from "./text-frame.ts";

export interface HttpRoutesOptions {
	dispatcher: Dispatcher;
	isReady(): boolean;
	renderMetrics(): string | Promise<string>;
	/** Checks who asks and says who it is; `open` paths ask for the place only. @throws AppError. */
	authenticate(request: IncomingMessage, open: boolean): Caller | undefined;
}

const RPC_PREFIX = "/api/v1/rpc/";
const KEY_MAX_CHARS = 200;
const LABEL = /^[\w .:()@-]{1,60}$/;

function pathOf(request: IncomingMessage): string {
	return (request.url ?? "/").split("?", 1)[0] ?? "/";
}

async function readBody(request: IncomingMessage): Promise<string> {
	const tooLarge = new AppError("PROTOCOL_LIMIT", `A request body has at most ${LIMITS.frame_bytes} bytes.`);
	if (Number(request.headers["content-length"] ?? 0) > LIMITS.frame_bytes) throw tooLarge;
	const chunks: Buffer[] = [];
	let sizeBytes = 0;
	// Not the plain iterator: leaving it early would destroy the socket before the refusal is written.
	for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
		sizeBytes += chunk.length;
		if (sizeBytes > LIMITS.frame_bytes) throw tooLarge;
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString("utf8");
}

function keyOf(request: IncomingMessage): string | undefined {
	const key = request.headers["idempotency-key"];
	if (key === undefined) return undefined;
	if (typeof key !== "string" || key === "" || key.length > KEY_MAX_CHARS) {
		throw new AppError("INVALID_PARAMS", `Idempotency-Key has 1 to ${KEY_MAX_CHARS} characters.`);
	}
	return key;
}

/** Who asks, for people; only a label, so the client may choose it. */
function labelOf(request: IncomingMessage): string {
	const label = request.headers["weave-client"];
	return typeof label === "string" && LABEL.test(label) ? label : "http";
}

function assertVerb(request: IncomingMessage, ...verbs: string[]): void {
	if (!verbs.includes(request.method ?? ""))
		throw new AppError("METHOD_NOT_FOUND", `${pathOf(request)} takes ${verbs.join(" or ")}.`);
}

function methodNameOf(path: string): string {
	try {
		return decodeURIComponent(path.slice(RPC_PREFIX.length));
	} catch {
		throw new AppError("METHOD_NOT_FOUND");
	}
}

/** The HTTP side of both listeners; a request is refused before its body is read. */
export function createHttpRoutes({ dispatcher, isReady, renderMetrics, authenticate }: HttpRoutesOptions) {
	async function rpc(request: IncomingMessage, response: ServerResponse, asked: Caller): Promise<void> {
		assertVerb(request, "POST");
		const idempotencyKey = keyOf(request);
		const method = methodNameOf(pathOf(request));
		const body = await readBody(request);
		const params = body.trim() === "" ? {} : parseTextFrame(body, LIMITS.frame_bytes);
		const abort = new AbortController();
		response.once("close", () => abort.abort(new AppError("CANCELLED", "The connection closed.")));
		const caller: Caller = { ...asked, clientId: newId(), label: labelOf(request) };
		const result = await dispatcher.dispatch({
			method,
			params,
			idempotencyKey,
			caller,
			signal: abort.signal,
			connection: undefined,
		});
		sendBody(response, "application/json", JSON.stringify(result ?? null));
	}

	const documents: Readonly<Record<string, () => Promise<[contentType: string, body: string]>>> = {
		"/metrics": async () => ["text/plain; version=0.0.4; charset=utf-8", await renderMetrics()],
		"/openapi.json": async () => {
			// Loaded when somebody asks: the schemas of all methods take a while to render.
			const { renderOpenApi } = await import("#protocol/schema-document.ts");
			return ["application/json", renderOpenApi()];
		},
	};

	function health(request: IncomingMessage, response: ServerResponse, path: string): void {
		assertVerb(request, "GET", "HEAD");
		const well = path === "/healthz" || isReady();
		const word = path === "/healthz" ? "ok" : well ? "ready" : "not ready";
		sendBody(response, "text/plain; charset=utf-8", `${word}\n`, well ? 200 : 503);
	}

	async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const path = pathOf(request);
		const open = path === "/healthz" || path === "/readyz";
		const caller = authenticate(request, open);
		if (open) {
			health(request, response, path);
			return;
		}
		if (!caller) throw new AppError("AUTH_REQUIRED");
		if (path.startsWith(RPC_PREFIX)) {
			await rpc(request, response, caller);
			return;
		}
		const document = Object.hasOwn(documents, path) ? documents[path] : undefined;
		if (!document) throw new AppError("NOT_FOUND", `There is nothing at ${path.slice(0, 200)}.`);
		assertVerb(request, "GET", "HEAD");
		sendBody(response, ...(await document()));
	}

	return {
		handle(request: IncomingMessage, response: ServerResponse): void {
			route(request, response).catch((thrown: unknown) => {
				const error = toAppError(thrown);
				// What was not read of the body is not worth reading: the connection goes with the answer.
				if (!request.complete) {
					response.shouldKeepAlive = false;
					request.resume();
				}
				sendProblem(response, error);
			});
		},
	};
}
