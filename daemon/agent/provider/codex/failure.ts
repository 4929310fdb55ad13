import { z } from "zod";
import type { ModelFailure } from "#daemon/agent/model.ts";

/** What goes wrong, as failures of the table in codex.md section 2. The loop decides what is tried again. */
function failure(
	kind: ModelFailure["kind"],
	message: string,
	codexErrorInfo: unknown = "other",
): ModelFailure {
	return { kind, message, codexErrorInfo, additionalDetails: null, retryAfterMs: null, httpStatusCode: null };
}

export function fatalFailure(message: string, codexErrorInfo: unknown = "other"): ModelFailure {
	return failure("fatal", message, codexErrorInfo);
}

/** A stream that ended before its completion. */
export function brokenStream(why: string): ModelFailure {
	return failure("stream", `stream disconnected before completion: ${why}`);
}

/** No route, nobody listening, no name: the network's fault, which time may heal. */
const NETWORK_CODES: ReadonlySet<string> = new Set([
	"ECONNREFUSED",
	"ENOTFOUND",
	"EAI_AGAIN",
	"ENETUNREACH",
	"ENETDOWN",
	"EHOSTUNREACH",
	"EHOSTDOWN",
	"ETIMEDOUT",
]);

function codesOf(error: unknown, depth = 0): string[] {
	if (typeof error !== "object" || error === null || depth > 4) return [];
	const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
	const nested = Array.isArray(errors) ? errors.flatMap((each) => codesOf(each, depth + 1)) : [];
	return [...(typeof code === "string" ? [code] : []), ...nested, ...codesOf(cause, depth + 1)];
}

/** A request that got no answer; the thrown error's text is dropped, as it may hold the URL with keys in it. */
export function sendFailure(error: unknown): ModelFailure {
	const codes = codesOf(error);
	const why = codes[0] === undefined ? "error sending request" : `error sending request (${codes[0]})`;
	if (codes.some((code) => NETWORK_CODES.has(code))) return failure("network", `Connection failed: ${why}`);
	return { ...brokenStream(why), kind: "request" };
}

/** A stream that broke while it was read. */
export function readFailure(): ModelFailure {
	return brokenStream("Transport error: network error: error decoding response body");
}

const CONTEXT_FULL =
	"The conversation no longer fits the model's context window. Start a new thread to go on.";
const OVERLOADED = "The model is at capacity. Try again later, or choose another model.";
const OUT_OF_QUOTA = "The account's quota is used up. Check its plan and billing.";
const REFUSED = "The model's side refused the request by its usage policy.";
export const HIGH_DEMAND = "The model provider is under high demand and failed for the moment.";

/** "Please try again in 1.5s" and the like, which some failures carry instead of a header. */
function delayInText(message: string): number | null {
	const match = /try again in (\d+(?:\.\d+)?)\s*(ms|s|seconds?)/i.exec(message);
	if (match === null) return null;
	return Math.ceil(Number(match[1]) * (match[2]?.toLowerCase() === "ms" ? 1 : 1000));
}

/** An error the model's side reports, in a `response.failed` event or the body of a refusal; null: no code we know. */
function codedFailure(code: string, message: string): ModelFailure | null {
	switch (code) {
		case "context_length_exceeded":
			return fatalFailure(CONTEXT_FULL, "contextWindowExceeded");
		case "insufficient_quota":
			return fatalFailure(OUT_OF_QUOTA, "usageLimitExceeded");
		case "usage_limit_reached":
		case "usage_not_included":
			return fatalFailure(message === "" ? OUT_OF_QUOTA : message, "usageLimitExceeded");
		case "server_is_overloaded":
		case "slow_down":
			return fatalFailure(OVERLOADED, "serverOverloaded");
		case "invalid_prompt":
			return fatalFailure(message);
		case "cyber_policy":
			return fatalFailure(message === "" ? REFUSED : message, "cyberPolicy");
		case "misalignment_policy_violation":
			return fatalFailure(message === "" ? REFUSED : message, "misalignmentPolicyViolation");
		default:
			return null;
	}
}

/** `response.failed`, or an `error` event. */
export function failedResponse(code: string, message: string): ModelFailure {
	const known = codedFailure(code, message);
	if (known !== null) return known;
	if (code === "rate_limit_exceeded") {
		const limited = failure("stream", `rate limit exceeded: ${message}`, "rateLimitExceeded");
		return { ...limited, retryAfterMs: delayInText(message) };
	}
	const text = message === "" ? "the model's side reported a failure" : message;
	return { ...failure("stream", text), retryAfterMs: delayInText(message) };
}

const errorBodySchema = z.looseObject({
	error: z
		.looseObject({
			message: z.string().nullish(),
			code: z.union([z.string(), z.number()]).nullish(),
			type: z.string().nullish(),
			resets_in_seconds: z.number().nullish(),
		})
		.nullish(),
});

function parseErrorBody(body: string): { message: string; codes: string[] } {
	try {
		const { error } = errorBodySchema.parse(JSON.parse(body));
		return { message: error?.message ?? "", codes: [String(error?.code ?? ""), error?.type ?? ""] };
	} catch {
		return { message: "", codes: [] };
	}
}

/** Seconds, or a date (RFC 9110 10.2.3); seconds below zero say nothing. */
export function parseRetryAfterMs(value: string | null, nowMs: number): number | null {
	if (value === null || value.trim() === "") return null;
	const seconds = Number(value);
	if (Number.isFinite(seconds)) return seconds < 0 ? null : Math.ceil(seconds * 1000);
	const date = Date.parse(value);
	return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

export interface HttpRefusal {
	status: number;
	statusText: string;
	body: string;
	/** Of the request, without its query. */
	url: string;
	requestId: string | null;
	retryAfterMs: number | null;
}

/** A status other than 200. */
export function httpFailure(refusal: HttpRefusal): ModelFailure {
	const { status, statusText, body, retryAfterMs } = refusal;
	const { message, codes } = parseErrorBody(body);
	for (const code of codes) {
		const known = codedFailure(code, message);
		if (known !== null) return known;
	}
	const tail = refusal.requestId === null ? "" : `, request id: ${refusal.requestId}`;
	const name = `${status} ${statusText}`.trim();
	if (status === 429) {
		const text = `exceeded retry limit, last status: ${name}${tail}`;
		const info = { responseTooManyFailedAttempts: { httpStatusCode: status } };
		// Without a word on when to come back, coming back makes it worse.
		if (retryAfterMs === null) return fatalFailure(text, info);
		return { ...failure("stream", text, info), retryAfterMs, httpStatusCode: status };
	}
	if (status >= 500) return { ...failure("request", HIGH_DEMAND, "internalServerError"), retryAfterMs };
	if (status === 400) return fatalFailure(body === "" ? `the provider refused the request (${name})` : body);
	const detail = message === "" ? body.slice(0, 500) : message;
	const text = `unexpected status ${name}: ${detail}, url: ${refusal.url}${tail}`;
	const info = { httpConnectionFailed: { httpStatusCode: status } };
	// As Codex tries again: a proxy, or a login that is just being renewed, answers so for a moment. A redirect stays one.
	return { ...failure(status < 400 ? "fatal" : "stream", text, info), httpStatusCode: status };
}

/** Replaces every secret in the texts of a failure. */
export function redactFailure(from: ModelFailure, secrets: readonly string[]): ModelFailure {
	const clean = (text: string): string =>
		secrets.reduce((out, secret) => out.replaceAll(secret, "[redacted]"), text);
	const details = from.additionalDetails === null ? null : clean(from.additionalDetails);
	return { ...from, message: clean(from.message), additionalDetails: details };
}
