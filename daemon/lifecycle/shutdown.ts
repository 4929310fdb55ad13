import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#daemon/telemetry/port.ts";

/** In this order, whatever the order of registration (architecture.md 6). */
export const SHUTDOWN_PHASES = [
	"stop-accepting",
	"announce",
	"abort-turns",
	"drain",
	"release-terminals",
	"flush",
	"remove-records",
] as const;
export type ShutdownPhase = (typeof SHUTDOWN_PHASES)[number];

/** Why the daemon stops; the first one stands. */
export interface ShutdownCause {
	kind: "signal" | "request" | "fatal";
	detail: string;
	exitCode: number;
}

export interface Shutdown {
	/** A step runs once; steps of a phase run in order of registration. Disposing takes it out. */
	add(phase: ShutdownPhase, name: string, run: () => PromiseLike<void> | void): Disposable;
	/** Starts the shutdown or joins the one under way; resolves after the exit function was called. */
	begin(cause: ShutdownCause): Promise<void>;
	/** First call: begin; a second one exits at once, without the steps that are left. */
	onSignal(signal: NodeJS.Signals): void;
	/** Aborted when the shutdown begins; the reason is DAEMON_STOPPING. */
	readonly signal: AbortSignal;
	readonly cause: ShutdownCause | undefined;
}

interface ShutdownOptions {
	clock: Clock;
	logger: Logger;
	exit(code: number): void;
	/** All steps together; default 10 s. */
	deadlineMs?: number;
}

const DEFAULT_DEADLINE_MS = 10_000;
/** What each remaining step still gets after the deadline: enough to unlink files, too little to hang. */
const LATE_STEP_MS = 250;

/** Exit codes the shell gives a program ended by that signal. */
const FORCED_EXIT: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

interface Step {
	phase: ShutdownPhase;
	name: string;
	run(): PromiseLike<void> | void;
}

export function createShutdown({
	clock,
	logger,
	exit,
	deadlineMs = DEFAULT_DEADLINE_MS,
}: ShutdownOptions): Shutdown {
	const steps = new Set<Step>();
	const controller = new AbortController();
	let cause: ShutdownCause | undefined;
	let running: Promise<void> | undefined;
	let exited = false;
	let signalled = false;

	function leave(code: number): void {
		if (exited) return;
		exited = true;
		exit(code);
	}

	async function runStep(step: Step, limitMs: number): Promise<void> {
		const timedOut = Promise.withResolvers<"late">();
		using _timer = clock.after(limitMs, () => timedOut.resolve("late"));
		try {
			const outcome = await Promise.race([
				Promise.resolve(step.run()).then(() => "done" as const),
				timedOut.promise,
			]);
			if (outcome === "late")
				logger.warn("shutdown step is late, going on", { step: step.name, limit_ms: limitMs });
		} catch (error) {
			logger.error("shutdown step failed", { step: step.name, error });
		}
	}

	async function runAll(why: ShutdownCause): Promise<void> {
		const deadline = clock.monotonicMs() + deadlineMs;
		logger.info("stopping", { kind: why.kind, detail: why.detail });
		controller.abort(new AppError("DAEMON_STOPPING"));
		// With listeners closed nothing else may keep the process alive, and it would end before the last steps.
		const keepAlive = setInterval(() => undefined, 60_000);
		for (const phase of SHUTDOWN_PHASES) {
			for (const step of [...steps].filter((one) => one.phase === phase)) {
				await runStep(step, Math.max(LATE_STEP_MS, deadline - clock.monotonicMs()));
			}
		}
		clearInterval(keepAlive);
		leave(why.exitCode);
	}

	function begin(why: ShutdownCause): Promise<void> {
		cause ??= why;
		running ??= runAll(cause);
		return running;
	}

	return {
		add(phase, name, run) {
			const step: Step = { phase, name, run };
			steps.add(step);
			return { [Symbol.dispose]: () => void steps.delete(step) };
		},
		begin,
		onSignal(signal) {
			if (signalled) {
				logger.warn("second signal, leaving at once", { signal });
				leave(FORCED_EXIT[signal] ?? 1);
				return;
			}
			signalled = true;
			void begin({ kind: "signal", detail: signal, exitCode: 0 });
		},
		signal: controller.signal,
		get cause() {
			return cause;
		},
	};
}

/** Makes INT, TERM and HUP stop the daemon; the process is the composition root's. */
export function attachSignals(
	shutdown: Shutdown,
	target: Pick<NodeJS.Process, "on" | "removeListener">,
): Disposable {
	const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
	const listener = (signal: NodeJS.Signals): void => shutdown.onSignal(signal);
	for (const signal of signals) target.on(signal, listener);
	return {
		[Symbol.dispose]() {
			for (const signal of signals) target.removeListener(signal, listener);
		},
	};
}
