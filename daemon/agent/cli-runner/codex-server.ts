import { AppError } from "#base/app-error.ts";
import { backoffMs } from "#base/backoff.ts";
import { type Clock, waitMs } from "#base/clock.ts";
import { createDeferred } from "#base/deferred.ts";
import { createEmitter } from "#base/emitter.ts";
import type { Logger } from "#daemon/telemetry/port.ts";
import { findCodexBinary, programEnv } from "./codex-binary.ts";
import {
	type CodexNotification,
	type CodexProcess,
	type CodexRequestHandler,
	startCodexProcess,
} from "./codex-process.ts";

/** Pauses between starts of a program that keeps ending: about one, two, four seconds, at most half a minute. */
const BACKOFF = { firstMs: 1_000, maxMs: 30_000 };
/** One that ran this long was well; the next end counts as the first again. */
const WELL_MS = 60_000;

/** A cold start takes half a second; one that takes this long hangs. */
const GREETING_PATIENCE_MS = 30_000;

/** The one `codex app-server` of this daemon; started at the first use, started again after it ended. */
export interface CodexServer extends AsyncDisposable {
	/** A program that answers. `generation` grows with each start: what it knew before is forgotten. @throws AppError PROVIDER_UNAVAILABLE. */
	ready(signal: AbortSignal): Promise<{ process: CodexProcess; generation: number }>;
	onNotification(listener: (notification: CodexNotification) => void): Disposable;
}

export interface CodexServerOptions {
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly codexHome: string;
	/** Where the program is started. */
	readonly cwd: string;
	readonly version: string;
	readonly clock: Clock;
	readonly random: () => number;
	readonly logger: Logger;
	readonly onRequest: CodexRequestHandler;
}

export function createCodexServer(options: CodexServerOptions): CodexServer {
	const { clock, logger, random } = options;
	const notifications = createEmitter<CodexNotification>();
	let current: Promise<{ process: CodexProcess; generation: number }> | undefined;
	let running: CodexProcess | undefined;
	let generation = 0;
	let failures = 0;
	const closing = new AbortController();

	async function start(): Promise<{ process: CodexProcess; generation: number }> {
		const { path, version } = await findCodexBinary(options);
		const startedMs = clock.monotonicMs();
		const process = startCodexProcess({
			command: [path, "app-server"],
			env: programEnv(options),
			cwd: options.cwd,
			onRequest: options.onRequest,
		});
		running = process;
		generation += 1;
		const own = generation;
		process.onNotification((notification) => notifications.emit(notification));
		followEnd(process, startedMs);
		try {
			await greet(process);
		} catch (error) {
			// One that refuses to be greeted is of no use; nobody else may get it.
			void process[Symbol.asyncDispose]();
			throw error;
		}
		logger.info("the codex program runs", { path, version });
		return { process, generation: own };
	}

	function followEnd(process: CodexProcess, startedMs: number): void {
		void process.exited.then((why) => {
			if (running === process) {
				running = undefined;
				current = undefined;
			}
			failures = clock.monotonicMs() - startedMs > WELL_MS ? 1 : failures + 1;
			if (!closing.signal.aborted) logger.warn("the codex program ended", { why, failures });
		});
	}

	async function greet(process: CodexProcess): Promise<void> {
		const late = createDeferred<never>();
		using _timer = clock.after(GREETING_PATIENCE_MS, () =>
			late.reject(
				new Error(`codex app-server did not answer within ${GREETING_PATIENCE_MS / 1_000} seconds`),
			),
		);
		const greeted = process.request("initialize", {
			clientInfo: { name: "weave_codex", title: "weave-codex", version: options.version },
			capabilities: { experimentalApi: true, requestAttestation: false },
		});
		await Promise.race([greeted, late.promise]);
		process.notify("initialized");
	}

	/** Several turns may wait for one start; none of them may end it for the others. */
	async function begin(): Promise<{ process: CodexProcess; generation: number }> {
		if (failures > 0) await waitMs(clock, backoffMs(failures, { ...BACKOFF, random }), closing.signal);
		try {
			return await start();
		} catch (error) {
			if (error instanceof AppError) throw error;
			throw new AppError("PROVIDER_UNAVAILABLE", error instanceof Error ? error.message : String(error));
		}
	}

	return {
		async ready(signal) {
			closing.signal.throwIfAborted();
			signal.throwIfAborted();
			const attempt = current ?? begin();
			current = attempt;
			attempt.catch(() => {
				if (current === attempt) current = undefined;
			});
			const aborted = createDeferred<never>();
			const onAbort = (): void => aborted.reject(signal.reason);
			signal.addEventListener("abort", onAbort, { once: true });
			try {
				return await Promise.race([attempt, aborted.promise]);
			} finally {
				signal.removeEventListener("abort", onAbort);
			}
		},
		onNotification: (listener) => notifications.on(listener),
		async [Symbol.asyncDispose]() {
			closing.abort(new AppError("DAEMON_STOPPING"));
			await running?.[Symbol.asyncDispose]();
		},
	};
}
