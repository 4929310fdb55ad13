import { z } from "zod";
import type { ModelFailure } from "#daemon/agent/model.ts";
import { fatalFailure, type HttpRefusal, httpFailure } from "../codex/failure.ts";

const bodySchema = z.looseObject({
	error: z.union([
		z.string().transform((message) => ({ message, type: "", code: "" })),
		z.looseObject({
			message: z.string().catch(""),
			type: z.string().nullish().catch(null),
			code: z.union([z.string(), z.number()]).nullish().catch(null),
		}),
	]),
});

/** What the body of a refusal, or an error event, says; empty texts where it says nothing. */
export function readErrorText(body: string): { message: string; type: string; code: string } {
	try {
		const { error } = bodySchema.parse(JSON.parse(body));
		return { message: error.message, type: error.type ?? "", code: String(error.code ?? "") };
	} catch {
		return { message: "", type: "", code: "" };
	}
}

const TOO_LONG = /(prompt|context|input|request)[^.]{0,60}(too long|too large|exceed|maximum|window|limit)/i;
const NO_MONEY = /credit balance|insufficient[_ ](quota|balance|funds)|billing|payment required/i;

/** True when a text says that the request does not fit the model's window. */
export function saysTooLong(message: string): boolean {
	return TOO_LONG.test(message);
}

const TOO_LONG_STATUSES: ReadonlySet<number> = new Set([400, 413, 422]);

/** What the request itself is to blame for, or the account's money; null: something else. */
function requestFailure(status: number, said: string, code: string): ModelFailure | null {
	if (status === 402 || NO_MONEY.test(said))
		return fatalFailure(said || "payment required", "usageLimitExceeded");
	const isTooLong = TOO_LONG_STATUSES.has(status) && (status === 413 || saysTooLong(said));
	return isTooLong || code === "context_length_exceeded" ? contextFull(said) : null;
}

/** The request does not fit the model's window. */
export function contextFull(said: string): ModelFailure {
	const text = "The conversation no longer fits the model's context window";
	return fatalFailure(said === "" ? `${text}.` : `${text}: ${said}`, "contextWindowExceeded");
}

/**
 * A status other than 200, for providers whose keys do not renew themselves: a refused login is not tried again. `name` is
 * the provider for the message; `hint` says what to do about a refused login.
 */
export function refusedFailure(refusal: HttpRefusal, name: string, hint: string): ModelFailure {
	const { status, body, retryAfterMs } = refusal;
	const { message, type, code } = readErrorText(body);
	const said = message === "" ? body.slice(0, 500) : message;
	if (status === 401 || status === 403) {
		const text = `${name} refused the login (${status})${said === "" ? "" : `: ${said}`}. ${hint}`;
		return { ...fatalFailure(text, "unauthorized"), httpStatusCode: status };
	}
	const known = requestFailure(status, said, code);
	if (known !== null) return known;
	if (status === 400 || status === 422)
		return fatalFailure(said || `${name} refused the request`, "badRequest");
	if (status === 529 || type === "overloaded_error") return overloaded(said, retryAfterMs);
	return httpFailure(refusal);
}

/** The model's side is overloaded for the moment: told and tried again. */
export function overloaded(message: string, retryAfterMs: number | null): ModelFailure {
	return {
		...fatalFailure(message === "" ? "The model is overloaded for the moment." : message, "serverOverloaded"),
		kind: "stream",
		retryAfterMs,
	};
}

/** The model stopped before its end, at a limit or by a filter. */
export function incompleteFailure(reason: string): ModelFailure {
	return fatalFailure(`Incomplete response returned, reason: ${reason}`);
}
