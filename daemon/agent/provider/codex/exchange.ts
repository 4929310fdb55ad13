import type { Clock } from "#base/clock.ts";
import type { ModelEvent, ModelFailure } from "#daemon/agent/model.ts";
import type { AnswerHeaders, HttpAnswer } from "../wire/http.ts";
import { createSseParser, type ServerSentEvent, type SseParser } from "../wire/sse.ts";
import {
	bareUrl,
	type Deadline,
	MAX_ERROR_BODY_BYTES,
	type Piece,
	parseFrames,
	readBody,
	readPiece,
	sendTimed,
	startDeadline,
} from "../wire/timed-answer.ts";
import { parseModelEvent } from "./event.ts";
import { brokenStream, httpFailure, parseRetryAfterMs } from "./failure.ts";
import { rateLimitsOf } from "./rate-limits.ts";

const OPEN_END = brokenStream("stream closed before response.completed");

function readFrames(parser: SseParser, piece: Piece): ServerSentEvent[] | ModelFailure {
	if ("failure" in piece) return piece.failure;
	return "end" in piece ? OPEN_END : parseFrames(parser, piece.bytes);
}

function isLast({ type }: ModelEvent): boolean {
	return type === "completed" || type === "failed";
}

async function* readEvents(answer: HttpAnswer, deadline: Deadline): AsyncGenerator<ModelEvent> {
	const parser = createSseParser();
	for (;;) {
		const frames = readFrames(parser, await readPiece(answer, deadline));
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
	using deadline = startDeadline(clock, idleMs);
	const sent = await sendTimed({ method: "POST", url, headers, body, clock, signal }, deadline);
	if ("failure" in sent) {
		yield { type: "failed", failure: sent.failure };
		return;
	}
	const { answer } = sent;
	try {
		onHeaders?.(answer.headers);
		for (const rateLimits of rateLimitsOf(answer.headers)) yield { type: "rate_limits", rateLimits };
		if (answer.status >= 200 && answer.status < 300) {
			yield* readEvents(answer, deadline);
			return;
		}
		const failure = httpFailure({
			status: answer.status,
			statusText: answer.statusText,
			body: (await readBody(answer, deadline, MAX_ERROR_BODY_BYTES)).text,
			url: bareUrl(url),
			requestId: answer.headers.get("x-request-id"),
			retryAfterMs: parseRetryAfterMs(answer.headers.get("retry-after"), clock.nowMs()),
		});
		yield { type: "failed", failure };
	} finally {
		answer.close();
	}
}
