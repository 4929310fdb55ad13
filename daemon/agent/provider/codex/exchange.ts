import type { Clock } from "#base/clock.ts";
import type { ModelEvent, ModelFailure } from "#daemon/agent/model.ts";
import { parseModelEvent } from "./event.ts";
import { brokenStream, httpFailure, parseRetryAfterMs, readFailure, sendFailure } from "./failure.ts";
import { rateLimitsOf } from "./rate-limits.ts";
import { createSseParser, type ServerSentEvent, type SseParser } from "./sse.ts";

/** A refusal's body beyond this is of no use to anyone. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;
const IDLE = brokenStream("idle timeout waiting for SSE");
const OPEN_END = brokenStream("stream closed before response.completed");

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** A deadline that each sign of life puts off. */
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

type Piece = { bytes: Uint8Array } | { failure: ModelFailure };

async function readPiece(reader: Reader, idle: IdleTimer): Promise<Piece> {
	const read = reader.read().then(
		(step): Piece => (step.done ? { failure: OPEN_END } : { bytes: step.value }),
		(): Piece => ({ failure: readFailure() }),
	);
	const first = await Promise.race([read, idle.fired]);
	if (first === "idle") return { failure: IDLE };
	idle.restart();
	return first;
}

/** The start of a refusal's body; what cannot be read of it is left out. */
async function readErrorBody(reader: Reader, idle: IdleTimer): Promise<string> {
	const pieces: Uint8Array[] = [];
	let size = 0;
	while (size < MAX_ERROR_BODY_BYTES) {
		const piece = await readPiece(reader, idle);
		if ("failure" in piece) break;
		pieces.push(piece.bytes);
		size += piece.bytes.length;
	}
	return Buffer.concat(pieces).subarray(0, MAX_ERROR_BODY_BYTES).toString("utf8");
}

function readFrames(parser: SseParser, bytes: Uint8Array): ServerSentEvent[] | ModelFailure {
	try {
		return parser.push(bytes);
	} catch (error) {
		return brokenStream(error instanceof Error ? error.message : String(error));
	}
}

async function* readEvents(reader: Reader, idle: IdleTimer): AsyncGenerator<ModelEvent> {
	const parser = createSseParser();
	for (;;) {
		const piece = await readPiece(reader, idle);
		if ("failure" in piece) {
			yield { type: "failed", failure: piece.failure };
			return;
		}
		const frames = readFrames(parser, piece.bytes);
		if (!Array.isArray(frames)) {
			yield { type: "failed", failure: frames };
			return;
		}
		for (const { data } of frames) {
			const event = parseModelEvent(data);
			if (event !== null) yield event;
			if (event?.type === "completed" || event?.type === "failed") return;
		}
	}
}

export interface Exchange {
	url: string;
	headers: Readonly<Record<string, string>>;
	body: Uint8Array<ArrayBuffer>;
	/** Told of each answer's headers, whatever its status. */
	onHeaders?: (headers: Headers) => void;
	/** Longest silence, before the headers and between pieces. */
	idleMs: number;
	clock: Clock;
	signal: AbortSignal;
}

/**
 * One request and the model events of its answer; ends after `completed` or `failed`. An abort shows as a failure, which
 * the caller drops. Redirects are refused: they would carry the keys elsewhere.
 */
export async function* exchange({
	url,
	headers,
	body,
	idleMs,
	clock,
	signal,
	onHeaders,
}: Exchange): AsyncGenerator<ModelEvent> {
	using idle = startIdleTimer(clock, idleMs);
	const sent = fetch(url, { method: "POST", headers, body, signal, redirect: "manual" }).then(
		(response) => ({ response }),
		(error: unknown) => ({ failure: sendFailure(error) }),
	);
	const first = await Promise.race([sent, idle.fired]);
	if (first === "idle" || "failure" in first) {
		yield { type: "failed", failure: first === "idle" ? IDLE : first.failure };
		return;
	}
	const { response } = first;
	idle.restart();
	const reader = response.body?.getReader();
	try {
		onHeaders?.(response.headers);
		for (const rateLimits of rateLimitsOf(response.headers)) yield { type: "rate_limits", rateLimits };
		if (response.ok) {
			if (reader === undefined) yield { type: "failed", failure: OPEN_END };
			else yield* readEvents(reader, idle);
			return;
		}
		const { origin, pathname } = new URL(url);
		const failure = httpFailure({
			status: response.status,
			statusText: response.statusText,
			body: reader === undefined ? "" : await readErrorBody(reader, idle),
			url: `${origin}${pathname}`,
			requestId: response.headers.get("x-request-id"),
			retryAfterMs: parseRetryAfterMs(response.headers.get("retry-after"), clock.nowMs()),
		});
		yield { type: "failed", failure };
	} finally {
		await reader?.cancel().catch(() => undefined);
	}
}
