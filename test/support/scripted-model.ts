import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import {
	createServer,
	type IncomingHttpHeaders,
	type IncomingMessage,
	type Server,
	type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

/** A piece of streamed text, or a gate at which the stream pauses until it is released. */
export type ScriptedChunk = string | { gate: string };

/** One output item of a scripted response. Ids left out are made up, unique per server. */
export type ScriptedItem =
	/** `text` is split at blanks; `unfinished` leaves the item open, as a cut stream does. */
	| {
			type: "text";
			text?: string;
			chunks?: ScriptedChunk[];
			id?: string;
			phase?: string;
			unfinished?: boolean;
	  }
	| { type: "reasoning"; summary?: string[]; content?: string[]; id?: string; encrypted?: string }
	| {
			type: "function_call";
			name: string;
			args: unknown;
			call_id?: string;
			id?: string;
			namespace?: string;
	  }
	| { type: "custom_tool_call"; name: string; input: string; call_id?: string; id?: string }
	| { type: "gate"; name: string }
	/** Sent as `response.output_item.done` just so. */
	| { type: "raw"; item: Record<string, unknown> }
	/** Any server-sent event. */
	| { type: "event"; event: { type: string; [member: string]: unknown } };

/** One answer to one POST .../responses. */
export type ScriptedResponse =
	| { status: number; headers?: Record<string, string>; body?: unknown }
	/** The socket is destroyed before any header. */
	| { reset: true }
	| {
			items: ScriptedItem[];
			/** Default "completed". `drop` destroys the socket, `eof` ends it without a completion, `hang` never ends. */
			end?:
				| "completed"
				| "drop"
				| "eof"
				| "hang"
				| { failed: { code: string; message: string } }
				| { incomplete: { reason: string } };
			usage?: Record<string, unknown> | null;
			headers?: Record<string, string>;
			/** Pace of the stream for people who watch; 0. */
			chunkDelayMs?: number;
			/** `end_turn` of the completion. */
			endTurn?: boolean;
	  };

/** A request as it came in; `body` is parsed JSON where it is JSON. */
export interface ScriptedRequest {
	readonly method: string;
	readonly path: string;
	readonly headers: IncomingHttpHeaders;
	readonly body: unknown;
}

export interface ScriptedModelOptions {
	responses: readonly ScriptedResponse[];
	/** When the script is used up, say the last answer again instead of the text "ok". */
	repeatLast?: boolean;
	/** Listening port; 0, any free one. */
	port?: number;
	/** A file that gets one JSON line per request. */
	logFile?: string;
	/** JSON answers of other routes by method and end of path: `POST /responses/compact`. */
	routes?: Readonly<Record<string, unknown>>;
	/** What is said in place of the next answer, for the request that gets it. */
	rewrite?(scripted: ScriptedResponse, body: unknown): ScriptedResponse;
}

/** A Responses API over real HTTP on 127.0.0.1 that says what its script says. Whoever starts it closes it. */
export interface ScriptedModel extends AsyncDisposable {
	/** The provider's base_url: `http://127.0.0.1:PORT/v1`. */
	readonly url: string;
	/** Every POST .../responses so far, in order. */
	readonly requests: readonly ScriptedRequest[];
	push(...responses: ScriptedResponse[]): void;
	/** Opens a gate for good, also ahead of time. */
	release(gate: string): void;
	/** Resolves when a response waits at the gate (at once if one does). */
	paused(gate: string): Promise<void>;
	/** Resolves when `count` requests have arrived in all. */
	requested(count: number): Promise<void>;
	/** Resolves when clients have closed `count` streams before their end. */
	cut(count: number): Promise<void>;
	close(): Promise<void>;
}

const DEFAULT_USAGE = {
	input_tokens: 100,
	input_tokens_details: { cached_tokens: 20 },
	output_tokens: 10,
	output_tokens_details: { reasoning_tokens: 2 },
	total_tokens: 110,
};

/** Values that only grow, and waiting for one of them to be reached. */
function createTally(): { add(): void; reached(count: number): Promise<void> } {
	let total = 0;
	const waiting: { count: number; resolve: () => void }[] = [];
	return {
		add() {
			total += 1;
			for (const entry of waiting) if (total >= entry.count) entry.resolve();
		},
		reached: (count) =>
			total >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
	};
}

function createGates(): {
	of(name: string): { open: PromiseWithResolvers<void>; waited: PromiseWithResolvers<void> };
} {
	const gates = new Map<string, { open: PromiseWithResolvers<void>; waited: PromiseWithResolvers<void> }>();
	return {
		of(name) {
			const present = gates.get(name);
			if (present) return present;
			const gate = { open: Promise.withResolvers<void>(), waited: Promise.withResolvers<void>() };
			gates.set(name, gate);
			return gate;
		},
	};
}

/** What one running response needs to be played. */
interface Stage {
	send(event: { type: string; [member: string]: unknown }): Promise<void>;
	waitAt(gate: string): Promise<void>;
	id(prefix: string): string;
	index: number;
}

function piecesOf(text: string): string[] {
	return text.match(/\S+\s*|\s+/g) ?? [];
}

async function playText(
	item: Extract<ScriptedItem, { type: "text" }>,
	stage: Stage,
): Promise<Record<string, unknown> | null> {
	const id = item.id ?? stage.id("msg");
	const at = { item_id: id, output_index: stage.index, content_index: 0 };
	const head = {
		id,
		type: "message",
		role: "assistant",
		...(item.phase === undefined ? {} : { phase: item.phase }),
	};
	await stage.send({
		type: "response.output_item.added",
		output_index: stage.index,
		item: { ...head, status: "in_progress", content: [] },
	});
	let text = "";
	for (const chunk of item.chunks ?? piecesOf(item.text ?? "")) {
		if (typeof chunk === "string") {
			text += chunk;
			await stage.send({ type: "response.output_text.delta", ...at, delta: chunk });
		} else {
			await stage.waitAt(chunk.gate);
		}
	}
	if (item.unfinished) return null;
	await stage.send({ type: "response.output_text.done", ...at, text });
	return { ...head, status: "completed", content: [{ type: "output_text", text, annotations: [] }] };
}

async function playReasoning(
	item: Extract<ScriptedItem, { type: "reasoning" }>,
	stage: Stage,
): Promise<Record<string, unknown>> {
	const id = item.id ?? stage.id("rs");
	await stage.send({
		type: "response.output_item.added",
		output_index: stage.index,
		item: { id, type: "reasoning", summary: [] },
	});
	for (const [summaryIndex, text] of (item.summary ?? []).entries()) {
		const at = { item_id: id, output_index: stage.index, summary_index: summaryIndex };
		await stage.send({
			type: "response.reasoning_summary_part.added",
			...at,
			part: { type: "summary_text", text: "" },
		});
		for (const delta of piecesOf(text))
			await stage.send({ type: "response.reasoning_summary_text.delta", ...at, delta });
		await stage.send({
			type: "response.reasoning_summary_part.done",
			...at,
			part: { type: "summary_text", text },
		});
	}
	for (const [contentIndex, text] of (item.content ?? []).entries()) {
		const at = { item_id: id, output_index: stage.index, content_index: contentIndex };
		for (const delta of piecesOf(text))
			await stage.send({ type: "response.reasoning_text.delta", ...at, delta });
	}
	const summary = (item.summary ?? []).map((text) => ({ type: "summary_text", text }));
	const content = item.content?.map((text) => ({ type: "reasoning_text", text }));
	const encrypted = item.encrypted ?? "encrypted-by-the-script";
	const whole = content === undefined ? {} : { content };
	return { id, type: "reasoning", summary, ...whole, encrypted_content: encrypted };
}

async function playCall(
	item: Extract<ScriptedItem, { type: "function_call" | "custom_tool_call" }>,
	stage: Stage,
): Promise<Record<string, unknown>> {
	const custom = item.type === "custom_tool_call";
	const id = item.id ?? stage.id(custom ? "ctc" : "fc");
	const space = custom || item.namespace === undefined ? {} : { namespace: item.namespace };
	const head = { id, type: item.type, call_id: item.call_id ?? stage.id("call"), name: item.name, ...space };
	const blank = custom ? { input: "" } : { arguments: "" };
	await stage.send({
		type: "response.output_item.added",
		output_index: stage.index,
		item: { ...head, ...blank, status: "in_progress" },
	});
	const text = custom ? item.input : typeof item.args === "string" ? item.args : JSON.stringify(item.args);
	const type = custom ? "response.custom_tool_call_input.delta" : "response.function_call_arguments.delta";
	await stage.send({ type, item_id: id, output_index: stage.index, delta: text });
	return { ...head, status: "completed", ...(custom ? { input: text } : { arguments: text }) };
}

/** Plays one item; the finished item, or null where it leaves none. */
async function playItem(item: ScriptedItem, stage: Stage): Promise<Record<string, unknown> | null> {
	switch (item.type) {
		case "gate":
			await stage.waitAt(item.name);
			return null;
		case "event":
			await stage.send(item.event);
			return null;
		case "text":
			return playText(item, stage);
		case "reasoning":
			return playReasoning(item, stage);
		case "raw":
			return item.item;
		case "function_call":
		case "custom_tool_call":
			return playCall(item, stage);
	}
}

async function readBody(request: IncomingMessage): Promise<unknown> {
	const parts: Buffer[] = [];
	for await (const part of request) parts.push(part as Buffer);
	const text = Buffer.concat(parts).toString("utf8");
	try {
		return text === "" ? null : JSON.parse(text);
	} catch {
		return text;
	}
}

function sendJson(
	response: ServerResponse,
	status: number,
	body: unknown,
	headers: Record<string, string> = {},
): void {
	response.writeHead(status, { "content-type": "application/json", ...headers });
	response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** Starts the server; it listens when the promise resolves. */
export async function startScriptedModel(options: ScriptedModelOptions): Promise<ScriptedModel> {
	const script = [...options.responses];
	let last: ScriptedResponse = { items: [{ type: "text", text: "ok" }] };
	const requests: ScriptedRequest[] = [];
	const gates = createGates();
	const arrivals = createTally();
	const cuts = createTally();
	let serial = 0;

	function next(): ScriptedResponse {
		const scripted = script.shift();
		if (scripted && options.repeatLast) last = scripted;
		return scripted ?? last;
	}

	const rewritten = options.rewrite ?? ((scripted: ScriptedResponse) => scripted);

	async function stream(
		scripted: Extract<ScriptedResponse, { items: ScriptedItem[] }>,
		response: ServerResponse,
	): Promise<void> {
		const gone = new Promise<void>((resolve) => {
			response.once("close", () => {
				if (!response.writableEnded) cuts.add();
				resolve();
			});
		});
		let sequence = 0;
		response.writeHead(200, { "content-type": "text/event-stream", ...scripted.headers });
		const stage: Stage = {
			index: 0,
			id(prefix) {
				serial += 1;
				return `${prefix}_scripted_${String(serial).padStart(4, "0")}`;
			},
			async send(event) {
				if (response.destroyed) return;
				sequence += 1;
				response.write(
					`event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: sequence })}\n\n`,
				);
				const delayMs = scripted.chunkDelayMs ?? 0;
				if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
			},
			async waitAt(name) {
				const gate = gates.of(name);
				gate.waited.resolve();
				await Promise.race([gate.open.promise, gone]);
			},
		};
		const base = { id: stage.id("resp"), object: "response" };
		await stage.send({ type: "response.created", response: { ...base, status: "in_progress", output: [] } });
		const output: Record<string, unknown>[] = [];
		for (const item of scripted.items) {
			if (response.destroyed) return;
			const done = await playItem(item, stage);
			if (done === null) continue;
			await stage.send({ type: "response.output_item.done", output_index: stage.index, item: done });
			output.push(done);
			stage.index += 1;
		}
		await finish(scripted, { response, stage, base: { ...base, output }, gone });
	}

	async function finish(
		scripted: Extract<ScriptedResponse, { items: ScriptedItem[] }>,
		{
			response,
			stage,
			base,
			gone,
		}: { response: ServerResponse; stage: Stage; base: Record<string, unknown>; gone: Promise<void> },
	): Promise<void> {
		const end = scripted.end ?? "completed";
		if (end === "hang") return gone;
		if (end === "drop") {
			// What was written must arrive first: a reset would let the client lose it.
			await new Promise((resolve) => response.write(": about to drop\n\n", resolve));
			response.socket?.destroy();
			return;
		}
		const usage = scripted.usage === undefined ? DEFAULT_USAGE : scripted.usage;
		const endTurn = scripted.endTurn === undefined ? {} : { end_turn: scripted.endTurn };
		if (end === "completed")
			await stage.send({
				type: "response.completed",
				response: { ...base, status: "completed", usage, ...endTurn },
			});
		else if (typeof end === "object" && "failed" in end)
			await stage.send({
				type: "response.failed",
				response: { ...base, status: "failed", error: end.failed },
			});
		else if (typeof end === "object")
			await stage.send({
				type: "response.incomplete",
				response: { ...base, status: "incomplete", incomplete_details: end.incomplete },
			});
		response.end();
	}

	async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const body = await readBody(request);
		const path = request.url ?? "/";
		const pathname = new URL(path, "http://scripted").pathname;
		if (pathname.startsWith("/__release/")) {
			gates.of(decodeURIComponent(pathname.slice("/__release/".length))).open.resolve();
			return sendJson(response, 200, {});
		}
		const route = Object.entries(options.routes ?? {}).find(
			([name]) => `${request.method}` === name.split(" ")[0] && pathname.endsWith(name.split(" ")[1] ?? " "),
		);
		if (route !== undefined) {
			requests.push({ method: request.method ?? "", path, headers: request.headers, body });
			return sendJson(response, 200, route[1]);
		}
		if (request.method !== "POST" || !pathname.endsWith("/responses")) {
			return sendJson(response, 404, {
				error: { message: `the script has no route ${request.method} ${pathname}` },
			});
		}
		const record: ScriptedRequest = { method: "POST", path, headers: request.headers, body };
		requests.push(record);
		if (options.logFile !== undefined) appendFileSync(options.logFile, `${JSON.stringify(record)}\n`);
		const scripted = rewritten(next(), body);
		arrivals.add();
		if ("reset" in scripted) return void request.socket.resetAndDestroy();
		if ("items" in scripted) return stream(scripted, response);
		const fallback = {
			error: { message: `scripted status ${scripted.status}`, type: "scripted", code: null },
		};
		return sendJson(response, scripted.status, scripted.body ?? fallback, scripted.headers);
	}

	const server: Server = createServer((request, response) => {
		handle(request, response).catch((error: unknown) =>
			response.destroy(error instanceof Error ? error : undefined),
		);
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(options.port ?? 0, "127.0.0.1", resolve);
	});
	const { port } = server.address() as AddressInfo;

	async function close(): Promise<void> {
		if (!server.listening) return;
		const closed = new Promise((resolve) => server.close(resolve));
		server.closeAllConnections();
		await closed;
	}
	return {
		url: `http://127.0.0.1:${port}/v1`,
		requests,
		push: (...responses) => void script.push(...responses),
		release: (gate) => gates.of(gate).open.resolve(),
		paused: (gate) => gates.of(gate).waited.promise,
		requested: (count) => arrivals.reached(count),
		cut: (count) => cuts.reached(count),
		close,
		[Symbol.asyncDispose]: close,
	};
}

/**
 * Writes a Codex home whose only provider, `scripted`, is the model at `url`; no login needed. `extra` is TOML for the
 * provider's table, e.g. `request_max_retries = 1`.
 */
export function writeCodexHome(dir: string, url: string, extra = "", model = "scripted-1"): void {
	mkdirSync(dir, { recursive: true, mode: 0o700 });
	const lines = [
		`model = ${JSON.stringify(model)}`,
		'model_provider = "scripted"',
		"",
		"[model_providers.scripted]",
		'name = "Scripted"',
		`base_url = ${JSON.stringify(url)}`,
		'wire_api = "responses"',
		extra,
	];
	writeFileSync(join(dir, "config.toml"), `${lines.join("\n")}\n`);
}

/** `node test/support/scripted-model.ts --scenario FILE [--log FILE] [--port N]`: the file is `{responses, repeatLast?}`; prints the URL, ends by a signal. */
async function main(): Promise<void> {
	const { values } = parseArgs({
		options: {
			scenario: { type: "string" },
			log: { type: "string" },
			port: { type: "string", default: "0" },
		},
	});
	const scenario: { responses?: ScriptedResponse[]; repeatLast?: boolean } =
		values.scenario === undefined ? {} : JSON.parse(readFileSync(values.scenario, "utf8"));
	const model = await startScriptedModel({
		responses: scenario.responses ?? [],
		repeatLast: scenario.repeatLast ?? false,
		port: Number(values.port),
		...(values.log === undefined ? {} : { logFile: values.log }),
	});
	console.log(model.url);
	for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void model.close());
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
