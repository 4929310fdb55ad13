import type { Clock } from "#base/clock.ts";
import type { Store } from "#daemon/storage/store.ts";
import type { Logger } from "#daemon/telemetry/port.ts";

export interface RolloutPorts {
	readonly store: Store;
	readonly codexHome: string;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly machineId: string;
	/** Version of the Codex CLI whose format is written. */
	readonly version: string;
	/** Provider of threads that follow the default. */
	readonly provider: () => string;
	/** A thread's row reads differently, after the commit. */
	changed(threadId: string): void;
}

export interface ScanResult {
	/** Files that were looked at. */
	readonly files: number;
	readonly added: number;
	/** Threads whose file changed, moved or got a name. */
	readonly updated: number;
	/** Files that nothing is made of, and why; the first hundred. */
	readonly skipped: readonly { path: string; reason: string }[];
	readonly skippedCount: number;
	readonly threadIds: readonly string[];
}

/** Threads of the Codex CLI beside our own: its files are read into the store, ours are written as such files. */
export interface RolloutLibrary extends AsyncDisposable {
	/** Looks through the Codex home and makes a thread of every file that is new; only the start of each is read. */
	scan(): Promise<ScanResult>;
	/** The thread of one file, with all that it says, even one that was deleted here. @throws AppError NOT_FOUND, INVALID_PARAMS. */
	importFile(path: string): Promise<{ threadId: string; skippedLines: number }>;
	/** Reads a thread's file in, as far as it was not yet. @throws AppError THREAD_NOT_FOUND, BUSY, CONFLICT. */
	hydrate(threadId: string): Promise<void>;
	/**
	 * To be awaited before a thread is read, resumed or written to: a thread that so far only a file knows is there
	 * afterwards. Never fails: what cannot be read stays as it is.
	 */
	ensureThread(threadId: string): Promise<void>;
	/** Writes a thread as a rollout. @throws AppError THREAD_NOT_FOUND, BUSY, CONFLICT when there is another's file. */
	export(threadId: string, options?: { out?: string | undefined }): Promise<{ path: string }>;
	/** Scans in the background, now and every two minutes until it is disposed. */
	start(): void;
}
