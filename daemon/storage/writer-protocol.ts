import type { WireError } from "#base/app-error.ts";
import type { IdempotencyClaim, LogEvent } from "./store.ts";

/** What the writer thread is started with. */
export interface WriterStart {
	path: string;
	/** Module exporting WRITE_COMMANDS; null for the product's own. */
	commandsUrl: string | null;
}

export interface Unit {
	id: number;
	command: string;
	args: unknown;
	nowMs: number;
	idempotency: IdempotencyClaim | null;
}

/** `open` comes once, when the file is ready; `close` last. */
export type ToWriter = { kind: "open" } | { kind: "units"; units: Unit[] } | { kind: "close" };

export type UnitResult =
	| { id: number; ok: true; value: unknown }
	| { id: number; ok: false; error: WireError; cause: string | null };

export type FromWriter =
	| { kind: "opened" }
	/** One group, after its commit; `fatal` says that the connection can no longer be trusted. */
	| { kind: "done"; results: UnitResult[]; events: LogEvent[]; fatal: boolean }
	| { kind: "closed" };
