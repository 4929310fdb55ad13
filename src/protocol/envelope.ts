import { z } from "zod";

/** The text frames of `/ws` (contracts.md 3). Requests are strict, what the server says is loose. */
export const clientHelloSchema = z.strictObject({
	type: z.literal("hello"),
	protocol: z.strictObject({ min: z.int().min(0), max: z.int().min(0) }),
	client: z.strictObject({
		name: z.string().min(1).max(100),
		version: z.string().max(100),
		kind: z.string().min(1).max(40),
	}),
	capabilities: z.array(z.string().max(100)).max(100).optional(),
});
export type ClientHello = z.infer<typeof clientHelloSchema>;

export const requestSchema = z.strictObject({
	type: z.literal("request"),
	id: z.union([z.string().min(1).max(100), z.int()]),
	method: z.string().min(1).max(100),
	params: z.unknown().optional(),
	idempotency_key: z.string().min(1).max(200).optional(),
});

export const wireErrorSchema = z.looseObject({
	code: z.int(),
	name: z.string(),
	message: z.string(),
	retryable: z.boolean(),
	data: z.record(z.string(), z.unknown()).optional(),
});

export const serverHelloSchema = z.looseObject({
	type: z.literal("hello"),
	protocol: z.int(),
	server: z.looseObject({ name: z.string(), version: z.string(), epoch: z.string() }),
	identity: z.string(),
	role: z.string(),
	scopes: z.array(z.string()),
	services: z.array(z.looseObject({ name: z.string(), version: z.string(), features: z.array(z.string()) })),
	limits: z.record(z.string(), z.number()),
});
export type ServerHello = z.infer<typeof serverHelloSchema>;

export const rejectSchema = z.looseObject({
	type: z.literal("reject"),
	code: z.string(),
	reason: z.string(),
});
export const responseSchema = z.looseObject({
	type: z.literal("response"),
	id: z.union([z.string(), z.number(), z.null()]),
	result: z.unknown().optional(),
	error: wireErrorSchema.optional(),
});
export const hubMessageSchema = z.looseObject({
	type: z.enum(["snapshot", "event"]),
	topic: z.string(),
	epoch: z.string(),
	seq: z.int(),
	payload: z.unknown(),
});
/** A frame that could not be answered to a request id (bad JSON, out of order). */
export const errorMessageSchema = z.looseObject({
	type: z.literal("error"),
	error: wireErrorSchema,
	topic: z.string().optional(),
});

export const serverMessageSchema = z.discriminatedUnion("type", [
	serverHelloSchema,
	rejectSchema,
	responseSchema,
	hubMessageSchema,
	errorMessageSchema,
]);
