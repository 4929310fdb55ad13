import { Worker } from "node:worker_threads";
import type { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#daemon/telemetry/port.ts";
import { MIGRATIONS } from "./migration/index.ts";
import { databaseSizeBytes, prepareDatabase } from "./prepare.ts";
import { type Connection, openConnection, toStorageError } from "./sqlite.ts";
import type { IdempotencyClaim, Migration, Row, SqlValue, Store } from "./store.ts";
import { createWriterLink } from "./writer-link.ts";
import type { WriterStart } from "./writer-protocol.ts";

export interface StoreOptions {
	path: string;
	/** Entry of the writer thread: writer-entry.ts, or its bundle. */
	writerUrl: URL;
	/** Where copies made before migrations go. */
	backupsDir: string;
	clock: Clock;
	logger: Logger;
	/** Called once when the writer is lost; the process should end, since nothing can be acknowledged any more. */
	onFatal(error: AppError): void;
	/** A module exporting WRITE_COMMANDS and MIGRATIONS, for tests; default: the product's own. */
	commandsUrl?: URL;
	/** Environment of the writer thread (WEAVE_FAULT); default: the process's. */
	env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Opens the store: checks, migrates and opens the database, starts the writer. One store per file, guarded by the
 * single-instance lock. Disposing waits for queued units, folds the journal in and leaves one file.
 * @throws AppError STORAGE_NEWER, STORAGE_FULL, STORAGE_FAILED.
 */
export async function createStore(options: StoreOptions): Promise<Store> {
	const { path, logger } = options;
	// The thread boots while this one checks and migrates: both take tens of milliseconds.
	const start: WriterStart = { path, commandsUrl: options.commandsUrl?.href ?? null };
	const worker = new Worker(options.writerUrl, {
		workerData: start,
		execArgv: [],
		name: "store-writer",
		...(options.env ? { env: { ...options.env } } : {}),
	});
	const link = createWriterLink(worker, options);
	let reader: Connection;
	let prepared: ReturnType<typeof prepareDatabase>;
	try {
		prepared = prepareDatabase({
			path,
			backupsDir: options.backupsDir,
			migrations: await loadMigrations(options),
			nowMs: options.clock.nowMs(),
		});
		if (prepared.recovered !== null) logger.error("database set aside", { detail: prepared.recovered });
		await link.open();
		// Not opened read-only: the last connection to close removes the journal, and only a writable one can.
		reader = openConnection(path);
		reader.database.exec("PRAGMA query_only = 1");
	} catch (error) {
		await link.abandon();
		throw toStorageError(error);
	}
	let closing: Promise<void> | undefined;

	function read<T>(operation: () => T): T {
		try {
			return operation();
		} catch (error) {
			throw toStorageError(error);
		}
	}

	return {
		get: <R = Row>(sql: string, ...params: SqlValue[]) => read(() => reader.get<R>(sql, ...params)),
		all: <R = Row>(sql: string, ...params: SqlValue[]) => read(() => reader.all<R>(sql, ...params)),
		write<Args, Result>(
			command: { readonly name: string },
			args: Args,
			writeOptions: { idempotency?: IdempotencyClaim | undefined } = {},
		) {
			return link.queue(command.name, args, writeOptions.idempotency ?? null) as Promise<Result>;
		},
		onCommitted: link.onCommitted,
		status() {
			const failed = link.failure();
			const state = failed ? "failed" : prepared.recovered === null ? "ok" : "recovered";
			return {
				state,
				detail: failed?.message ?? prepared.recovered,
				sizeBytes: databaseSizeBytes(path),
				schemaVersion: prepared.schemaVersion,
				queued: link.queued(),
			};
		},
		[Symbol.asyncDispose]() {
			closing ??= link.close().finally(() => reader.close());
			return closing;
		},
	};
}

async function loadMigrations(options: StoreOptions): Promise<readonly Migration[]> {
	if (!options.commandsUrl) return MIGRATIONS;
	return ((await import(options.commandsUrl.href)) as { MIGRATIONS: readonly Migration[] }).MIGRATIONS;
}
