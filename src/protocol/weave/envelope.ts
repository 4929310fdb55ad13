import { z } from "zod";

/**
 * One line of `coord.sock`: the weave envelope, version 1 (the original client's wire format). Absent members are left
 * out, not null. Unknown members are tolerated.
 */
export const weaveEnvelopeSchema = z.looseObject({
	v: z.int(),
	type: z.string().min(1),
	/** UUIDv4, unique per envelope. */
	id: z.string().min(1),
	/** RFC 3339, UTC. */
	ts: z.string(),
	src: z.string(),
	dst: z.string().optional(),
	topic: z.string().optional(),
	session: z.string().optional(),
	seq: z.number().optional(),
	idempotency_key: z.string().optional(),
	/** Id of the request that this answers. */
	corr: z.string().optional(),
	payload: z.unknown().optional(),
	payload_ref: z.string().optional(),
	content_type: z.string().optional(),
	size: z.number().optional(),
	meta: z.record(z.string(), z.unknown()).optional(),
	status: z.string().optional(),
	error: z
		.looseObject({
			code: z.string().optional(),
			message: z.string().optional(),
			detail: z.unknown().optional(),
		})
		.optional(),
	ack: z.looseObject({ mode: z.string().optional(), timeout_ms: z.number().optional() }).optional(),
});
export type WeaveEnvelope = z.infer<typeof weaveEnvelopeSchema>;
