/** SQLite values that cross the worker boundary. */
export type SqlValue = string | number | bigint | null | Uint8Array;
export type Row = Record<string, SqlValue>;

/** Reads of the last committed state; synchronous, on the main thread's own connection. Rows are plain objects. */
export interface Reader {
	get<R = Row>(sql: string, ...params: SqlValue[]): R | undefined;
	all<R = Row>(sql: string, ...params: SqlValue[]): R[];
}

/** One row of the event log. `seq` is gapless per stream, from 1; `log_id` orders all streams. */
export interface LogEvent {
	log_id: number;
	stream: string;
	seq: number;
	type: string;
	payload: unknown;
	at_ms: number;
}

/** A unit of work in the writer: a savepoint; it sees its own writes and those queued before it. */
export interface Tx extends Reader {
	run(sql: string, ...params: SqlValue[]): { changes: number };
	/** Appends to the event log in this unit of work; `stream` is `thread:<id>`, `session:<id>`, `terminal:<id>`, `daemon`. */
	append(stream: string, type: string, payload: unknown): LogEvent;
	/** Stamp of this unit of work, by the writer's clock. */
	readonly nowMs: number;
}

/**
 * A named write, known to both sides: called on the main thread, run in the writer thread. `args` and the result are
 * structured-cloneable. `run` is synchronous; throwing (an AppError for expected refusals) rolls this unit back, alone.
 * Functions that several commands share take a `Tx` too, so that one unit can span aggregates.
 */
export interface WriteCommand<Args = unknown, Result = unknown> {
	readonly name: string;
	run(tx: Tx, args: Args): Result;
}

export function defineWrite<Args, Result>(
	name: string,
	run: (tx: Tx, args: Args) => Result,
): WriteCommand<Args, Result> {
	return { name, run };
}

/** Makes a retried request return the first result: the row commits with the change (contracts.md 3). */
export interface IdempotencyClaim {
	identity: string;
	method: string;
	key: string;
	/** Of the params; the same key with others is IDEMPOTENCY_MISMATCH. */
	digest: string;
}

export interface Store extends AsyncDisposable, Reader {
	/**
	 * Queues a unit of work; resolves with its result after the group's commit is on disk (synchronous=FULL), in order of
	 * calls. Reads that follow see it. With `idempotency` a key seen before does not run: the first result is returned
	 * (so the command's result must be the method's result), or IDEMPOTENCY_MISMATCH thrown.
	 * @throws AppError what `run` threw; STORAGE_FULL; STORAGE_FAILED.
	 */
	write<Args, Result>(
		command: WriteCommand<Args, Result>,
		args: Args,
		options?: { idempotency?: IdempotencyClaim | undefined },
	): Promise<Result>;
	/** Events of a commit, after it, in log order, before the `write` promises of that commit resolve. */
	onCommitted(listener: (events: readonly LogEvent[]) => void): Disposable;
	status(): {
		state: "ok" | "recovered" | "failed";
		detail: string | null;
		sizeBytes: number;
		schemaVersion: number;
		queued: number;
	};
}

/** The store's schema grows by these, in order; a backup is made before each (architecture.md 4). */
export interface Migration {
	/** 1, 2, 3 ... without gaps; becomes PRAGMA user_version. */
	readonly version: number;
	readonly name: string;
	readonly sql: string;
}
