import { Worker } from "node:worker_threads";
import type { Clock } from "#base/clock.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./worker-protocol.ts";

/** A thread that belongs to one script until it is released or ended. */
export interface ScriptWorker {
	send(message: ToWorker): void;
	/** Ends the thread whatever it does; nothing is heard of it afterwards. */
	end(): void;
}

/** Threads for scripts; one waits for the next script for a while, so that only the first pays for the start. */
export interface WorkerPool extends AsyncDisposable {
	/** `gone`: the thread ended by itself, with the reason. */
	acquire(listener: (message: FromWorker) => void, gone: (reason: string) => void): ScriptWorker;
}

/** How long a thread without work is kept; it holds about 15 MB. */
const IDLE_MS = 30_000;
const IDLE_MAX = 1;

interface Entry {
	readonly worker: Worker;
	listener: ((message: FromWorker) => void) | null;
	gone: ((reason: string) => void) | null;
	expiry: Disposable | null;
}

interface WorkerPoolOptions extends WorkerStart {
	readonly url: URL;
	readonly clock: Clock;
}

export function createWorkerPool({ url, clock, memoryBytes }: WorkerPoolOptions): WorkerPool {
	const idle: Entry[] = [];
	const all = new Set<Entry>();

	function end(entry: Entry): Promise<unknown> {
		entry.listener = null;
		entry.gone = null;
		entry.expiry?.[Symbol.dispose]();
		const index = idle.indexOf(entry);
		if (index >= 0) idle.splice(index, 1);
		all.delete(entry);
		return entry.worker.terminate();
	}

	function rest(entry: Entry): void {
		if (!all.has(entry)) return;
		entry.listener = null;
		entry.gone = null;
		if (idle.length >= IDLE_MAX) {
			void end(entry);
			return;
		}
		idle.push(entry);
		entry.worker.unref();
		entry.expiry = clock.after(IDLE_MS, () => void end(entry));
	}

	function start(): Entry {
		const worker = new Worker(url, {
			// A script's thread sees nothing of the daemon's environment, and gets room for the interpreter only.
			env: {},
			argv: [],
			workerData: { memoryBytes } satisfies WorkerStart,
			stdin: false,
			stdout: true,
			stderr: true,
			resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 8 },
		});
		const entry: Entry = { worker, listener: null, gone: null, expiry: null };
		all.add(entry);
		worker.stdout.resume();
		worker.stderr.resume();
		worker.on("message", (message: FromWorker) => {
			if (message.kind === "idle") rest(entry);
			else entry.listener?.(message);
		});
		const lost = (reason: string): void => {
			const { gone } = entry;
			void end(entry);
			gone?.(reason);
		};
		worker.on("error", (error) => lost(error instanceof Error ? error.message : String(error)));
		worker.on("exit", () => lost("the script's thread has ended"));
		return entry;
	}

	return {
		acquire(listener, gone) {
			const entry = idle.pop() ?? start();
			entry.expiry?.[Symbol.dispose]();
			entry.expiry = null;
			entry.worker.ref();
			entry.listener = listener;
			entry.gone = gone;
			return {
				send: (message) => entry.worker.postMessage(message),
				end: () => {
					if (entry.listener === listener) void end(entry);
				},
			};
		},
		async [Symbol.asyncDispose]() {
			await Promise.all([...all].map(end));
		},
	};
}
