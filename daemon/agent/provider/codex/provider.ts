import type { Clock } from "#base/clock.ts";
import type { ModelEvent, ModelFailure, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import { type Endpoint, resolveEndpoint } from "./endpoint.ts";
import { parseModelEvent } from "./event.ts";
import { brokenStream, fatalFailure, httpFailure, parseRetryAfterMs, readFailure, redactFailure, sendFailure } from "./failure.ts";
import type { CodexHome } from "./home.ts";
import { buildBody, buildHeaders, type ClientIdentity, contextWindowOf, DEFAULT_MODEL } from "./request.ts";
import { createSseParser } from "./sse.ts";

/** A refusal's body beyond this is of no use to anyone. */
const MAX_ERROR_BODY_CHARS = 64 * 1024;

export interface CodexProviderPorts {
	readonly home: CodexHome;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly clock: Clock;
	readonly identity: ClientIdentity;
}

export interface CodexProviderChoice {
	/** As the thread keeps it: `codex` follows config.toml, another name is the id of a provider there. */
	name: string;
	providerId: string;
	model: string | null;
}

/** A promise of a timer that can be put back; `fired` says so once. */
interface IdleTimer extends Disposable {
	readonly fired: Promise<"idle">;
	restart(): void;
}

function startIdleTimer(clock: Clock, idleMs: number): IdleTimer {
	const { promise, resolve } = Promise.withResolvers<"idle">();
	let timer = clock.after(idleMs, () => resolve("idle"));
	return {
		fired: promise,
		restart() {
			timer[Symbol.dispose]();
			timer = clock.after(idleMs, () => resolve("idle"));
		},
		[Symbol.dispose]: () => timer[Symbol.dispose](),
	};
}

const IDLE = brokenStream("idle timeout waiting for SSE");

async function refusalOf(response: Response, endpoint: Endpoint, clock: Clock): Promise<ModelFailure> {
	const body = await response.text().catch(() => "");
	const { origin, pathname } = new URL(endpoint.url);
	return httpFailure({
		status: response.status,
		statusText: response.statusText,
		body: body.slice(0, MAX_ERROR_BODY_CHARS),
		url: `${origin}${pathname}`,
		requestId: response.headers.get("x-request-id"),
		retryAfterMs: parseRetryAfterMs(response.headers.get("retry-after"), clock.nowMs()),
	});
}

type Send = { response: Response } | { failure: ModelFailure };

/** Sends and waits for the headers, no longer than the idle timeout. Redirects are refused: they would carry the keys elsewhere. */
async function send(endpoint: Endpoint, init: RequestInit, idle: IdleTimer): Promise<Send> {
	const sent = fetch(endpoint.url, { ...init, method: "POST", redirect: "manual" }).then(
		(response): Send => ({ response }),
		(error: unknown): Send => ({ failure: sendFailure(error) }),
	);
	const first = await Promise.race([sent, idle.fired]);
	return first === "idle" ? { failure: IDLE } : first;
}

/** Model events of a response's body; ends after `completed` or `failed`. */
async function* readEvents(body: ReadableStream<Uint8Array>, idle: IdleTimer): AsyncGenerator<ModelEvent> {
	const reader = body.getReader();
	const parser = createSseParser();
	try {
		for (;;) {
			const read = reader.read().catch((error: unknown) => ({ failure: readFailure(error) }));
			const step = await Promise.race([read, idle.fired]);
			if (step === "idle") return yield { type: "failed", failure: IDLE };
			if ("failure" in step) return yield { type: "failed", failure: step.failure };
			if (step.done) return yield { type: "failed", failure: brokenStream("stream closed before response.completed") };
			idle.restart();
			for (const { data } of parser.push(step.value)) {
				const event = parseModelEvent(data);
				if (event === null) continue;
				yield event;
				if (event.type === "completed" || event.type === "failed") return;
			}
		}
	} finally {
		await reader.cancel().catch(() => undefined);
	}
}

/**
 * The Responses API over HTTP and SSE, as Codex's own home configures it: read anew for each request, so that a login or
 * an edit counts at once. It retries nothing; the loop does. An abort ends the stream without an event.
 */
export function createCodexProvider(ports: CodexProviderPorts, choice: CodexProviderChoice): ModelProvider {
	const { home, env, clock, identity } = ports;
	const settings = home.read();
	const endpoint = resolveEndpoint(settings, choice.providerId, env);
	const model = choice.model ?? settings.config.model ?? DEFAULT_MODEL;

	async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
		const current = home.read();
		const target = resolveEndpoint(current, choice.providerId, env);
		if (target.unusable !== null) {
			yield { type: "failed", failure: fatalFailure(`${target.detail}: ${target.unusable}`, "unauthorized") };
			return;
		}
		const abort = new AbortController();
		const onAbort = (): void => abort.abort();
		signal.addEventListener("abort", onAbort, { once: true });
		if (signal.aborted) abort.abort();
		using idle = startIdleTimer(clock, target.config.stream_idle_timeout_ms);
		try {
			const headers = buildHeaders(request, target, identity);
			const body = JSON.stringify(buildBody(request, request.model ?? model, current.config));
			const sent = await send(target, { headers, body, signal: abort.signal }, idle);
			if (signal.aborted) return;
			if ("failure" in sent) {
				yield { type: "failed", failure: redactFailure(sent.failure, target.secrets) };
				return;
			}
			const { response } = sent;
			if (response.status !== 200 || response.body === null) {
				const refusal = await refusalOf(response, target, clock);
				yield { type: "failed", failure: redactFailure(refusal, target.secrets) };
				return;
			}
			for await (const event of readEvents(response.body, idle)) {
				if (signal.aborted) return;
				yield event.type === "failed" ? { type: "failed", failure: redactFailure(event.failure, target.secrets) } : event;
			}
		} finally {
			signal.removeEventListener("abort", onAbort);
			// Ends the request where the stream was left early; nothing happens when it is at its end.
			abort.abort();
		}
	}

	return {
		name: choice.name,
		detail: endpoint.detail,
		defaultModel: model,
		contextWindow: contextWindowOf(model, settings.config),
		retries: { request: endpoint.config.request_max_retries, stream: endpoint.config.stream_max_retries },
		stream,
		listModels: () => {
			const own = home.read().config.model;
			return [...new Set([model, ...(own === undefined ? [] : [own])])];
		},
	};
}
