import type { z } from "zod";
import type { ErrorCode } from "#base/error-table.ts";
import type { Scope } from "./scope.ts";

/** One RPC method: help, schema, docs and dispatch all come from this. */
export interface MethodDescriptor<
	Params extends z.ZodType = z.ZodType,
	Result extends z.ZodType = z.ZodType,
> {
	readonly name: string;
	readonly summary: string;
	readonly scope: Scope;
	/** Strict: an unknown member is refused. */
	readonly params: Params;
	/** Loose: a newer daemon may add members. */
	readonly result: Result;
	/** Codes a caller should expect beside the gateway's own. */
	readonly errors: readonly ErrorCode[];
	/** True when it changes something; then an idempotency key makes a retry safe. */
	readonly mutates: boolean;
	/** True when it needs a /ws connection (channels, subscriptions) and is refused over plain HTTP. */
	readonly connectionOnly?: boolean;
	/** True when its result belongs to the calling connection or moment (a channel, a ticket): a repetition runs again, whatever its key. */
	readonly perConnection?: boolean;
}

export function defineMethod<const D extends MethodDescriptor>(descriptor: D): D {
	return descriptor;
}

/**
 * One topic of the hub. A topic with `parameter` is addressed as `<name>:<value>`. `snapshot` is what a subscriber gets
 * first, `event` what follows; a state topic (`coalesce`) may skip to the newest value per key, an activity topic never skips.
 */
export interface TopicDescriptor<
	Snapshot extends z.ZodType = z.ZodType,
	Event extends z.ZodType = z.ZodType,
> {
	readonly name: string;
	readonly summary: string;
	readonly scope: Scope;
	readonly parameter?: string;
	readonly coalesce: boolean;
	readonly snapshot: Snapshot;
	readonly event: Event;
}

export function defineTopic<const D extends TopicDescriptor>(descriptor: D): D {
	return descriptor;
}
