import type { Clock } from "#base/clock.ts";
import type { ModelFailure } from "#daemon/agent/model.ts";
import { type HttpRefusal, parseRetryAfterMs } from "../codex/failure.ts";
import type { AnswerHeaders, HttpAnswer } from "./http.ts";
import { createSseParser } from "./sse.ts";
import {
	bareUrl,
	type Deadline,
	MAX_ERROR_BODY_BYTES,
	parseFrames,
	readBody,
	readPiece,
	sendTimed,
	startDeadline,
} from "./timed-answer.ts";

/** A whole answer in one JSON document; the same bound as one event of a stream. */
const MAX_WHOLE_BODY_BYTES = 32 * 1024 * 1024;

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
		const events = parseFrames(parser, piece.bytes);
		if (!Array.isArray(events)) {
			yield { type: "failed", failure: events };
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
	const { headers, status, statusText } = answer;
	const retryAfterMs =
		msHeader(headers.get("retry-after-ms")) ??
		parseRetryAfterMs(headers.get("retry-after"), post.clock.nowMs());
	const requestId = headers.get("request-id") ?? headers.get("x-request-id");
	return {
		type: "refused",
		refusal: { status, statusText, body, url: bareUrl(post.url), requestId, retryAfterMs },
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
	const sent = await sendTimed({ method: "POST", url, headers, body, clock, signal }, deadline);
	if ("failure" in sent) {
		yield { type: "failed", failure: sent.failure };
		return;
	}
	const { answer } = sent;
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
