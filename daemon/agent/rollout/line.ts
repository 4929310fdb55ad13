import { z } from "zod";

const wrappedSchema = z.looseObject({
	timestamp: z.string().optional(),
	type: z.string(),
	payload: z.record(z.string(), z.unknown()),
});
const plainSchema = z.looseObject({ type: z.string() });
const oldMetaSchema = z.looseObject({ id: z.string(), timestamp: z.string() });

export type Json = Readonly<Record<string, unknown>>;

/** A line of a rollout: `session_meta`, `turn_context`, `response_item`, `event_msg`, `compacted` and whatever comes yet. */
export interface RolloutLine {
	readonly type: string;
	readonly payload: Json;
	/** Milliseconds since 1970; null in the oldest files. */
	readonly atMs: number | null;
}

function timeOf(text: unknown): number | null {
	const at = typeof text === "string" ? Date.parse(text) : Number.NaN;
	return Number.isNaN(at) ? null : at;
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return undefined;
	}
}

/** The line, or null for one that is none of ours to read. The oldest files have bare items behind a bare first line. */
export function parseLine(text: string): RolloutLine | null {
	const value = parseJson(text);
	const wrapped = wrappedSchema.safeParse(value);
	if (wrapped.success) {
		const { type, payload, timestamp } = wrapped.data;
		return { type, payload, atMs: timeOf(timestamp) };
	}
	const plain = plainSchema.safeParse(value);
	if (plain.success) return { type: "response_item", payload: plain.data, atMs: null };
	const meta = oldMetaSchema.safeParse(value);
	return meta.success
		? { type: "session_meta", payload: meta.data, atMs: timeOf(meta.data.timestamp) }
		: null;
}

/** The member as text; empty where it is none. */
export function textOf(value: Json, name: string): string {
	const member = value[name];
	return typeof member === "string" ? member : "";
}

export function textOrNull(value: Json, name: string): string | null {
	const member = value[name];
	return typeof member === "string" ? member : null;
}

export function numberOrNull(value: Json, name: string): number | null {
	const member = value[name];
	return typeof member === "number" && Number.isFinite(member) ? member : null;
}

/** The member as an object; an empty one where it is none. */
export function objectOf(value: Json, name: string): Json {
	const member = value[name];
	return typeof member === "object" && member !== null && !Array.isArray(member) ? { ...member } : {};
}

/** The objects in a list; none where it is no list. */
export function listOf(value: Json, name: string): Json[] {
	const member: unknown = value[name];
	return Array.isArray(member)
		? member.filter((entry): entry is Json => typeof entry === "object" && entry !== null)
		: [];
}

export function textsOf(value: Json, name: string): string[] {
	const member: unknown = value[name];
	return Array.isArray(member) ? member.filter((entry): entry is string => typeof entry === "string") : [];
}
