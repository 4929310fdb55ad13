import { randomUUID } from "node:crypto";
import { type AppError, toAppError } from "#base/app-error.ts";
import type { WeaveMessage } from "#protocol/record.ts";
import type { WeaveEnvelope } from "#protocol/weave/envelope.ts";

/** `src` of everything the bus itself says. */
export const COORDINATOR = "coordinator";

/** Codes of this transport; those of the bus are the product's codes in lower case (docs/weave/protocol.md). */
export type WireCode =
	| "invalid_json"
	| "invalid_envelope"
	| "line_too_long"
	| "unsupported_version"
	| "unsupported_operation"
	| "invalid_payload"
	| "session_required"
	| "src_mismatch"
	| "already_joined"
	| "not_joined"
	| "no_open_question"
	| "too_many_connections"
	| "too_many_errors";

/** A refusal that belongs to the wire, not to the bus. */
export class WireError extends Error {
	override readonly name = "WireError";
	readonly code: WireCode;
	constructor(code: WireCode, message: string) {
		super(message);
		this.code = code;
	}
}

type Body = Pick<WeaveEnvelope, "session" | "payload" | "corr" | "status" | "error" | "dst" | "meta" | "ack">;

interface Stamp {
	readonly type: string;
	readonly nowMs: number;
	readonly id?: string;
	readonly src?: string;
}

/** One line, its newline included. Members that are undefined are left out. */
export function encodeEnvelope(
	{ type, nowMs, id = randomUUID(), src = COORDINATOR }: Stamp,
	body: Body,
): string {
	return `${JSON.stringify({ v: 1, type, id, ts: new Date(nowMs).toISOString(), src, ...body })}\n`;
}

function errorBody(thrown: unknown): NonNullable<WeaveEnvelope["error"]> {
	if (thrown instanceof WireError) return { code: thrown.code, message: thrown.message };
	const error: AppError = toAppError(thrown);
	return {
		code: error.code.toLowerCase(),
		message: error.message,
		...(error.data === undefined ? {} : { detail: error.data }),
	};
}

/** Answers a request, or says what was wrong with a line when there is no id to answer to. */
export function encodeError(thrown: unknown, nowMs: number, corr: string | undefined): string {
	return encodeEnvelope(
		{ type: corr === undefined ? "error" : "response", nowMs },
		{
			...(corr === undefined ? {} : { corr }),
			status: "error",
			error: errorBody(thrown),
		},
	);
}

/** Mail for a program outside: the message id is the envelope's, the sender its `src`, so that a reply finds its way. */
export function encodeDelivery(message: WeaveMessage, nowMs: number): string {
	return encodeEnvelope(
		{ type: "message.send", nowMs, id: message.message_id, src: message.from_agent_id },
		{
			dst: message.to_agent_id,
			session: message.session_id,
			payload: {
				text: message.text,
				kind: message.kind,
				...(message.in_reply_to === null ? {} : { parent_message_id: message.in_reply_to }),
			},
			meta: { "weave.origin_src_name": message.from_name },
			ack: { mode: "auto" },
		},
	);
}
