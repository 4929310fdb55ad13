import type { z } from "zod";
import { WireError } from "./wire.ts";

/** Parses an operation's body. @throws WireError invalid_payload, naming the first member that is wrong. */
export function parsePayload<T>(schema: z.ZodType<T>, payload: unknown): T {
	const parsed = schema.safeParse(payload);
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	const where = ["payload", ...(issue?.path ?? [])].map(String).join(".");
	throw new WireError("invalid_payload", `${where}: ${issue?.message ?? "not valid"}`);
}
