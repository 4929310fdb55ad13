import type { Worker } from "node:worker_threads";
import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import { createDeferred } from "#base/deferred.ts";
import { createEmitter } from "#base/emitter.ts";
import type { Logger } from "#daemon/telemetry/port.ts";
import { toStorageError } from "./sqlite.ts";
import type { IdempotencyClaim, LogEvent } from "./store.ts";
import type { FromWriter, ToWriter, Unit, UnitResult } from "./writer-protocol.ts";

/** The main thread's end of the writer thread. */
export interface WriterLink {
	/** Tells the thread that the file is ready. @throws AppError STORAGE_FAILED when the thread has ended. */
	open(): Promise<void>;
	queue(command: string, args: unknown, idempotency: IdempotencyClaim | null): Promise<unknown>;
	onCommitted(listener: (events: readonly LogEvent[]) => void): Disposable;
	failure(): AppError | undefined;
	queued(): number;
	/** Resolves when all that was queued is answered and the thread has ended. */
	close(): Promise<void>;
	/** Ends the thread of a store that did not open. */
	abandon(): Promise<void>;
}

interface LinkOptions {
	clock: Clock;
	logger: Logger;
	onFatal(error: AppError): void;
}

/** Who waits for which unit. */
interface Waiters {
	add(id: number): Promise<unknown>;
	settle(result: UnitResult): void;
	rejectAll(error: AppError): void;
	readonly size: number;
}

function createWaiters(logger: Logger): Waiters {
	const pending = new Map<number, PromiseWithResolvers<unknown>>();

	function toError({ error, cause }: Extract<UnitResult, { ok: false }>): AppError {
		const base = AppError.fromWire(error);
		if (cause === null) return base;
		logger.error("a write failed", { code: base.code, cause: cause.split("\n", 1)[0] });
		return new AppError(base.code, base.message, { data: base.data, cause: new Error(cause) });
	}

	return {
		add(id) {
			const waiter = Promise.withResolvers<unknown>();
			pending.set(id, waiter);
			return waiter.promise;
		},
		settle(result) {
			const waiter = pending.get(result.id);
			pending.delete(result.id);
			if (result.ok) waiter?.resolve(result.value);
			else waiter?.reject(toError(result));
		},
		rejectAll(error) {
			for (const waiter of pending.values()) waiter.reject(error);
			pending.clear();
		},
		get size() {
			return pending.size;
		},
	};
}

/** One message for all units of a tick; one that cannot be cloned is handed to `onRefused` and the others go on. */
function post(worker: Worker, units: Unit[], onRefused: (result: UnitResult) => void): void {
	const send = (message: ToWriter): void => worker.postMessage(message);
	try {
		send({ kind: "units", units });
	} catch (error) {
		const [unit] = units;
		if (units.length > 1) for (const one of units) post(worker, [one], onRefused);
		else if (unit)
			onRefused({ id: unit.id, ok: false, error: toStorageError(error).toWire(), cause: String(error) });
	}
}

export function createWriterLink(worker: Worker, { clock, logger, onFatal }: LinkOptions): WriterLink {
	const opened = createDeferred<void>();
	const exited = createDeferred<void>();
	const committed = createEmitter<readonly LogEvent[]>((error) =>
		logger.error("a listener of the store failed", { error }),
	);
	const waiters = createWaiters(logger);
	let outbox: Unit[] = [];
	let lastId = 0;
	let state: "starting" | "open" | "closing" | "closed" = "starting";
	let failed: AppError | undefined;

	function flush(): void {
		const units = outbox;
		outbox = [];
		if (units.length > 0 && !failed) post(worker, units, waiters.settle);
	}

	function fail(message: string, cause?: unknown): void {
		if (failed || state === "closed") return;
		failed = new AppError("STORAGE_FAILED", message, { cause });
		opened.reject(failed);
		if (state === "starting") return;
		waiters.rejectAll(failed);
		logger.error("the store's writer is lost", { error: failed });
		onFatal(failed);
	}

	worker.on("message", (message: FromWriter) => {
		if (message.kind === "opened") opened.resolve();
		else if (message.kind === "closed") state = "closed";
		else {
			if (message.events.length > 0) committed.emit(message.events);
			for (const result of message.results) waiters.settle(result);
			if (message.fatal) fail("The database file or its disk fails.");
		}
	});
	worker.on("error", (cause) => fail("The store's writer stopped.", cause));
	worker.on("exit", () => {
		fail("The store's writer stopped.");
		exited.resolve();
	});

	return {
		async open() {
			worker.postMessage({ kind: "open" } satisfies ToWriter);
			await opened.promise;
			state = "open";
		},
		queue(command, args, idempotency) {
			if (failed) return Promise.reject(failed);
			if (state !== "open") return Promise.reject(new AppError("DAEMON_STOPPING"));
			lastId += 1;
			outbox.push({ id: lastId, command, args, nowMs: clock.nowMs(), idempotency });
			if (outbox.length === 1) queueMicrotask(flush);
			return waiters.add(lastId);
		},
		onCommitted: committed.on,
		failure: () => failed,
		queued: () => waiters.size,
		async close() {
			if (failed) await worker.terminate();
			else if (state === "open") {
				flush();
				state = "closing";
				worker.postMessage({ kind: "close" } satisfies ToWriter);
			}
			await exited.promise;
		},
		async abandon() {
			state = "closed";
			await worker.terminate();
		},
	};
}
