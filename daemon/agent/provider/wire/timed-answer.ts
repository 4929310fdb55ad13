import type { Clock } from "#base/clock.ts";
import type { ModelFailure } from "#daemon/agent/model.ts";
import { brokenStream, readFailure, sendFailure } from "../codex/failure.ts";
import { type HttpAnswer, type HttpRequest, sendHttp } from "./http.ts";
import type { ServerSentEvent, SseParser } from "./sse.ts";

/** A refusal's body beyond this is of no use to anyone. */
export const MAX_ERROR_BODY_BYTES = 64 * 1024;
const IDLE = brokenStream("idle timeout waiting for SSE");

/** Fires after a silence; each sign of life puts it off. */
export interface Deadline extends Disposable {
	readonly fired: Promise<"idle">;
	restart(): void;
}

export function startDeadline(clock: Clock, idleMs: number): Deadline {
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

/** Sends a request and gives its answer once the headers are there; never throws. */
export async function sendTimed(
	request: HttpRequest,
	deadline: Deadline,
): Promise<{ answer: HttpAnswer } | { failure: ModelFailure }> {
	const sent = sendHttp(request).then(
		(answer) => ({ answer }),
		(error: unknown) => ({ failure: sendFailure(error) }),
	);
	const first = await Promise.race([sent, deadline.fired]);
	if (first === "idle") return { failure: IDLE };
	if ("answer" in first) deadline.restart();
	return first;
}

export type Piece = { bytes: Uint8Array } | { end: true } | { failure: ModelFailure };

/** The next piece of an answer's body; a silence over the deadline is a failure. Never throws. */
export async function readPiece(answer: HttpAnswer, deadline: Deadline): Promise<Piece> {
	const read = answer.read().then(
		(bytes): Piece => (bytes === null ? { end: true } : { bytes }),
		(): Piece => ({ failure: readFailure() }),
	);
	const first = await Promise.race([read, deadline.fired]);
	if (first === "idle") return { failure: IDLE };
	deadline.restart();
	return first;
}

/** The first `maxBytes` of a body, with what broke it off, if anything did. */
export async function readBody(
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

/** The events that are complete with these bytes; one over the parser's bound is a failure. */
export function parseFrames(parser: SseParser, bytes: Uint8Array): ServerSentEvent[] | ModelFailure {
	try {
		return parser.push(bytes);
	} catch (error) {
		return brokenStream(error instanceof Error ? error.message : String(error));
	}
}

/** A URL without its query, which may hold keys. */
export function bareUrl(url: string): string {
	const { origin, pathname } = new URL(url);
	return `${origin}${pathname}`;
}
