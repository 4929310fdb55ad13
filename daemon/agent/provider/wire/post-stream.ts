import type { Clock } from "#base/clock.ts";
import type { ModelFailure } from "#daemon/agent/model.ts";
import {
	brokenStream,
	type HttpRefusal,
	parseRetryAfterMs,
	readFailure,
	sendFailure,
} from "../codex/failure.ts";
import { createSseParser } from "../codex/sse.ts";
import { type AnswerHeaders, type HttpAnswer, sendHttp } from "./http.ts";

/** A refusal's body beyond this is of no use to anyone. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;
/** A whole answer in one JSON document; the same bound as one event of a stream. */
const MAX_WHOLE_BODY_BYTES = 32 * 1024 * 1024;
const IDLE = brokenStream("idle timeout waiting for SSE");

/** What a POST brings; ends after `end`, `whole`, `refused` or `failed`. */
export type WireEvent =
	| { type: "headers"; headers: AnswerHeaders }
	| { type: "event"; event: string; data: string }
	/** The server streams nothing and says all in one JSON document. */
	| { type: "whole"; body: string }
	| { type: "end" }
	| { type: "refused"; refusal: HttpRefusal }
	| { type: "failed"; failure: ModelFailure };

export interface WirePost {
	url: string;
	headers: Readonly<Record<string, string>>;
	body: string;
	/** Longest silence, before the headers and between pieces. */
	idleMs: number;
	clock: Clock;
	signal: AbortSignal;
}

type Piece = { bytes: Uint8Array } | { end: true } | { failure: ModelFailure };

interface Deadline extends Disposable {
	readonly fired: Promise<"idle">;
	restart(): void;
}

function startDeadline(clock: Clock, idleMs: number): Deadline {
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

async function readPiece(answer: HttpAnswer, deadline: Deadline): Promise<Piece> {
	const read = answer.read().then(
		(bytes): Piece => (bytes === null ? { end: true } : { bytes }),
		(): Piece => ({ failure: readFailure() }),
	);
	const first = await Promise.race([read, deadline.fired]);
	if (first === "idle") return { failure: IDLE };
	deadline.restart();
	return first;
}

async function readBody(
	answer: HttpAnswer,
	deadline: Deadline,
	maxBytes: number,
): Promise<{ text: string; failure: ModelFailure | null }> {
	const pieces: Uint8Array[] = [];
	let size = 0;
	let failure: ModelFailure | null = null;
	while (size < maxBytes) {
		const piece = await readPiece(answer, deadline);
		if ("failure" in piece) failure = piece.failure;
		if (!("bytes" in piece)) break;
		pieces.push(piece.bytes);
		size += piece.bytes.length;
	}
	return { text: Buffer.concat(pieces).subarray(0, maxBytes).toString("utf8"), failure };
}

async function* readEvents(answer: HttpAnswer, deadline: Deadline): AsyncGenerator<WireEvent> {
	const parser = createSseParser();
	for (;;) {
		const piece = await readPiece(answer, deadline);
		if ("failure" in piece) {
			yield { type: "failed", failure: piece.failure };
			return;
		}
		if ("end" in piece) {
			yield { type: "end" };
			return;
		}
		let events: ReturnType<typeof parser.push>;
		try {
			events = parser.push(piece.bytes);
		} catch (error) {
			yield {
				type: "failed",
				failure: brokenStream(error instanceof Error ? error.message : "too much at once"),
			};
			return;
		}
		for (const { event, data } of events) yield { type: "event", event, data };
	}
}

async function* readWhole(answer: HttpAnswer, deadline: Deadline): AsyncGenerator<WireEvent> {
	const { text, failure } = await readBody(answer, deadline, MAX_WHOLE_BODY_BYTES);
	yield failure === null ? { type: "whole", body: text } : { type: "failed", failure };
}

async function refusalOf(
	answer: HttpAnswer,
	post: WirePost,
	body: string,
): Promise<{ type: "refused"; refusal: HttpRefusal }> {
	const { origin, pathname } = new URL(post.url);
	const { headers, status, statusText } = answer;
	const retryAfterMs =
		msHeader(headers.get("retry-after-ms")) ??
		parseRetryAfterMs(headers.get("retry-after"), post.clock.nowMs());
	const requestId = headers.get("request-id") ?? headers.get("x-request-id");
	return {
		type: "refused",
		refusal: { status, statusText, body, url: `${origin}${pathname}`, requestId, retryAfterMs },
	};
}

function msHeader(value: string | null): number | null {
	const ms = value === null || value.trim() === "" ? Number.NaN : Number(value);
	return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

/**
 * Sends one POST and gives what comes back. Never throws; an abort shows as a failure, which the caller drops. Redirects
 * are refused: they would carry the keys elsewhere.
 */
export async function* postStream(post: WirePost): AsyncGenerator<WireEvent> {
	const { url, headers, body, clock, signal } = post;
	using deadline = startDeadline(clock, post.idleMs);
	const sent = sendHttp({ method: "POST", url, headers, body, clock, signal }).then(
		(answer) => ({ answer }),
		(error: unknown) => ({ failure: sendFailure(error) }),
	);
	const first = await Promise.race([sent, deadline.fired]);
	if (first === "idle" || "failure" in first) {
		yield { type: "failed", failure: first === "idle" ? IDLE : first.failure };
		return;
	}
	const { answer } = first;
	deadline.restart();
	try {
		if (answer.status !== 200) {
			const { text } = await readBody(answer, deadline, MAX_ERROR_BODY_BYTES);
			yield await refusalOf(answer, post, text);
			return;
		}
		yield { type: "headers", headers: answer.headers };
		const whole = (answer.headers.get("content-type") ?? "").startsWith("application/json");
		yield* whole ? readWhole(answer, deadline) : readEvents(answer, deadline);
	} finally {
		answer.close();
	}
}
