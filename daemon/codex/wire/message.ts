import { isObject, type JsonObject } from "./decode.ts";

/** Ids of requests: the client's are integers or strings, ours count from 0. */
export type RequestId = number | string;

export type Incoming =
	| { kind: "request"; id: RequestId; method: string; params: unknown }
	| { kind: "notification"; method: string }
	| { kind: "response"; id: RequestId; result: unknown }
	| { kind: "error"; id: RequestId; message: string; error: JsonObject };

function isId(value: unknown): value is RequestId {
	return typeof value === "string" || (typeof value === "number" && Number.isInteger(value));
}

function parseObject(text: string): JsonObject | undefined {
	try {
		const parsed: unknown = JSON.parse(text);
		return isObject(parsed) ? parsed : undefined;
	} catch {
		return undefined;
	}
}

/** Undefined for what is no message: the reference logs such lines and answers nothing. */
export function readMessage(text: string): Incoming | undefined {
	const message = parseObject(text);
	if (message === undefined) return undefined;
	const { id, method, params, result, error } = message;
	if (typeof method === "string") {
		return isId(id) ? { kind: "request", id, method, params } : { kind: "notification", method };
	}
	if (!isId(id)) return undefined;
	if (isObject(error)) {
		return { kind: "error", id, message: String(error["message"] ?? "the client refused"), error };
	}
	return "result" in message ? { kind: "response", id, result } : undefined;
}
