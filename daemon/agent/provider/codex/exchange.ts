import type { Clock } from "#base/clock.ts";
import type { ModelEvent, ModelFailure } from "#daemon/agent/model.ts";
import { type AnswerHeaders, type HttpAnswer, sendHttp } from "../wire/http.ts";
import { parseModelEvent } from "./event.ts";
import { brokenStream, httpFailure, parseRetryAfterMs, readFailure, sendFailure } from "./failure.ts";
import { rateLimitsOf } from "./rate-limits.ts";
import { createSseParser, type ServerSentEvent, type SseParser } from "./sse.ts";

/** A refusal's body beyond this is of no use to anyone. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;
const IDLE = brokenStream("idle timeout waiting for SSE");
const OPEN_END = brokenStream("stream closed before response.completed");

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

async function readPiece(answer: HttpAnswer, idle: IdleTimer): Promise<Piece> {
	const read = answer.read().then(
		(bytes): Piece => (bytes === null ? { failure: OPEN_END } : { bytes }),
		(): Piece => ({ failure: readFailure() }),
	);
	const first = await Promise.race([read, idle.fired]);
	if (first === "idle") return { failure: IDLE };
	idle.restart();
	return first;
}

/** The start of a refusal's body; what cannot be read of it is left out. */
async function readErrorBody(answer: HttpAnswer, idle: IdleTimer): Promise<string> {
	const pieces: Uint8Array[] = [];
	let size = 0;
	while (size < MAX_ERROR_BODY_BYTES) {
		const piece = await readPiece(answer, idle);
		if ("failure" in piece) break;
		pieces.push(piece.bytes);
		size += piece.bytes.length;
	}
	return Buffer.concat(pieces).subarray(0, MAX_ERROR_BODY_BYTES).toString("utf8");
}

function readFrames(parser: SseParser, piece: Piece): ServerSentEvent[] | ModelFailure {
	if ("failure" in piece) return piece.failure;
	try {
		return parser.push(piece.bytes);
	} catch (error) {
		return brokenStream(error instanceof Error ? error.message : String(error));
	}
}

function isLast({ type }: ModelEvent): boolean {
	return type === "completed" || type === "failed";
}

async function* readEvents(answer: HttpAnswer, idle: IdleTimer): AsyncGenerator<ModelEvent> {
	const parser = createSseParser();
	for (;;) {
		const frames = readFrames(parser, await readPiece(answer, idle));
		if (!Array.isArray(frames)) {
			yield { type: "failed", failure: frames };
			return;
		}
		for (const { data } of frames) {
			const event = parseModelEvent(data);
			if (event === null) continue;
			const last = isLast(event);
			if (last) answer.close(true);
			yield event;
			if (last) return;
		}
	}
}

export interface Exchange {
	url: string;
	headers: Readonly<Record<string, string>>;
	body: Uint8Array;
	/** Told of each answer's headers, whatever its status. */
	onHeaders?: (headers: AnswerHeaders) => void;
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
	const sent = sendHttp({ method: "POST", url, headers, body, clock, signal }).then(
		(answer) => ({ answer }),
		(error: unknown) => ({ failure: sendFailure(error) }),
	);
	const first = await Promise.race([sent, idle.fired]);
	if (first === "idle" || "failure" in first) {
		yield { type: "failed", failure: first === "idle" ? IDLE : first.failure };
		return;
	}
	const { answer } = first;
	idle.restart();
	try {
		onHeaders?.(answer.headers);
		for (const rateLimits of rateLimitsOf(answer.headers)) yield { type: "rate_limits", rateLimits };
		if (answer.status >= 200 && answer.status < 300) {
			yield* readEvents(answer, idle);
			return;
		}
		const { origin, pathname } = new URL(url);
		const failure = httpFailure({
			status: answer.status,
			statusText: answer.statusText,
			body: await readErrorBody(answer, idle),
			url: `${origin}${pathname}`,
			requestId: answer.headers.get("x-request-id"),
			retryAfterMs: parseRetryAfterMs(answer.headers.get("retry-after"), clock.nowMs()),
		});
		yield { type: "failed", failure };
	} finally {
		answer.close();
	}
}
