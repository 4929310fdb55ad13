import { Worker } from "node:worker_threads";
import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import { createDeferred, type Deferred } from "#base/deferred.ts";
import { createEmitter } from "#base/emitter.ts";
import type { Logger } from "#daemon/telemetry/port.ts";
import { MIGRATIONS } from "./migration/index.ts";
import { databaseSizeBytes, prepareDatabase } from "./prepare.ts";
import { type Connection, openConnection, toStorageError } from "./sqlite.ts";
import type { LogEvent, Migration, Row, SqlValue, Store } from "./store.ts";
import type { FromWriter, ToWriter, Unit, UnitResult, WriterStart } from "./writer-protocol.ts";

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

type Pending = Deferred<unknown>;

/**
 * Opens the store: checks, migrates and opens the database, starts the writer. One store per file, guarded by the
 * single-instance lock. Disposing waits for queued units, folds the journal in and leaves one file.
 * @throws AppError STORAGE_NEWER, STORAGE_FULL, STORAGE_FAILED.
 */
export async function createStore(options: StoreOptions): Promise<Store> {
	const { path, logger } = options;
	// The thread boots while this one checks and migrates: both take tens of milliseconds.
	const start: WriterStart = { path, commandsUrl: options.commandsUrl?.href ?? null };
	const worker = new Worker(options.writerUrl, { workerData: start, execArgv: [], name: "store-writer", ...(options.env ? { env: { ...options.env } } : {}) });
	const link = createWriterLink(worker, options);
	let reader: Connection;
	let prepared: ReturnType<typeof prepareDatabase>;
	try {
		prepared = prepareDatabase({ path, backupsDir: options.backupsDir, migrations: await loadMigrations(options), nowMs: options.clock.nowMs() });
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
		write<Args, Result>(command: { readonly name: string }, args: Args, writeOptions: { idempotency?: Unit["idempotency"] | undefined } = {}) {
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

interface WriterLink {
	open(): Promise<void>;
	queue(command: string, args: unknown, idempotency: Unit["idempotency"]): Promise<unknown>;
	onCommitted(listener: (events: readonly LogEvent[]) => void): Disposable;
	failure(): AppError | undefined;
	queued(): number;
	close(): Promise<void>;
	/** Ends the thread of a store that did not open. */
	abandon(): Promise<void>;
}

function createWriterLink(worker: Worker, { clock, logger, onFatal }: StoreOptions): WriterLink {
	const opened = createDeferred<void>();
	const exited = createDeferred<void>();
	const committed = createEmitter<readonly LogEvent[]>((error) => logger.error("a listener of the store failed", { error }));
	const pending = new Map<number, Pending>();
	let outbox: Unit[] = [];
	let lastId = 0;
	let state: "starting" | "open" | "closing" | "closed" = "starting";
	let failed: AppError | undefined;

	function send(message: ToWriter): void {
		worker.postMessage(message);
	}

	/** One message for all writes of a tick; a unit that cannot be cloned fails alone. */
	function flush(): void {
		const units = outbox;
		outbox = [];
		if (units.length === 0 || failed) return;
		try {
			send({ kind: "units", units });
		} catch {
			for (const unit of units) {
				try {
					send({ kind: "units", units: [unit] });
				} catch (error) {
					settle({ id: unit.id, ok: false, error: toStorageError(error).toWire(), cause: String(error) });
				}
			}
		}
	}

	function settle(result: UnitResult): void {
		const waiter = pending.get(result.id);
		if (!waiter) return;
		pending.delete(result.id);
		if (result.ok) {
			waiter.resolve(result.value);
			return;
		}
		if (result.cause !== null) logger.error("a write failed", { code: result.error.name, cause: result.cause.split("\n", 1)[0] });
		const { name, message, data } = result.error;
		const base = AppError.fromWire({ name, message, data });
		waiter.reject(result.cause === null ? base : new AppError(base.code, message, { data: base.data, cause: new Error(result.cause) }));
	}

	function fail(error: AppError): void {
		if (failed || state === "closed") return;
		failed = error;
		opened.reject(error);
		if (state === "starting") return;
		for (const waiter of pending.values()) waiter.reject(error);
		pending.clear();
		logger.error("the store's writer is lost", { error });
		onFatal(error);
	}

	worker.on("message", (message: FromWriter) => {
		if (message.kind === "opened") opened.resolve();
		else if (message.kind === "closed") state = "closed";
		else {
			if (message.events.length > 0) committed.emit(message.events);
			for (const result of message.results) settle(result);
			if (message.fatal) fail(new AppError("STORAGE_FAILED", "The database file or its disk fails."));
		}
	});
	worker.on("error", (cause) => fail(new AppError("STORAGE_FAILED", "The store's writer stopped.", { cause })));
	worker.on("exit", () => {
		fail(new AppError("STORAGE_FAILED", "The store's writer stopped."));
		exited.resolve();
	});

	return {
		async open() {
			send({ kind: "open" });
			await opened.promise;
			state = "open";
		},
		queue(command, args, idempotency) {
			if (failed) return Promise.reject(failed);
			if (state !== "open") return Promise.reject(new AppError("DAEMON_STOPPING"));
			lastId += 1;
			const waiter = Promise.withResolvers<unknown>();
			pending.set(lastId, waiter);
			outbox.push({ id: lastId, command, args, nowMs: clock.nowMs(), idempotency });
			if (outbox.length === 1) queueMicrotask(flush);
			return waiter.promise;
		},
		onCommitted: committed.on,
		failure: () => failed,
		queued: () => pending.size,
		async close() {
			if (failed) await worker.terminate();
			else if (state === "open") {
				flush();
				state = "closing";
				send({ kind: "close" });
			}
			await exited.promise;
		},
		async abandon() {
			state = "closed";
			await worker.terminate();
		},
	};
}
