import { AppError } from "#base/app-error.ts";
import { LIMITS } from "#protocol/limits.ts";
import { isDeeperThan } from "./json-depth.ts";

/** Size, JSON, depth, object: what every text frame passes before its schema. @throws AppError PROTOCOL_LIMIT, PROTOCOL_INVALID_FRAME. */
export function parseTextFrame(text: string, maxBytes: number): Readonly<Record<string, unknown>> {
	// A cheap bound first: three bytes per UTF-16 unit at most.
	if (text.length > maxBytes || (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes)) {
		throw new AppError("PROTOCOL_LIMIT", `A text frame has more than ${maxBytes} bytes.`);
	}
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw new AppError("PROTOCOL_INVALID_FRAME", "A text frame is no JSON.", { cause: error });
	}
	if (typeof value !== "object" || value === null || Array.isArray(value)) {
		throw new AppError("PROTOCOL_INVALID_FRAME", "A text frame is no JSON object.");
	}
	if (isDeeperThan(value, LIMITS.depth))
		throw new AppError("PROTOCOL_LIMIT", `JSON nests deeper than ${LIMITS.depth}.`);
	return value as Readonly<Record<string, unknown>>;
}
