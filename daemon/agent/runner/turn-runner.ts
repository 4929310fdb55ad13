import { AppError } from "#base/app-error.ts";
import { waitMs } from "#base/clock.ts";
import type { TurnOutcome } from "#daemon/agent/loop-port.ts";
import { endTurnWrite } from "#daemon/storage/repository/chat-end.ts";
import { requireThread } from "#daemon/storage/repository/chat-thread.ts";
import { readTurnTask } from "#daemon/storage/repository/chat-turn.ts";
import type { TurnError } from "#protocol/codex-item.ts";
import type { Approvals } from "./approvals.ts";
import type { RunnerDeps } from "./deps.ts";
import type { LiveTurn } from "./live-turn.ts";
import type { Questions } from "./questions.ts";
import { createTurnSetup } from "./turn-setup.ts";
import { createUserShell } from "./user-shell.ts";

/** Between attempts to write the end of a turn on a full disk. */
const END_RETRY_MS = 1_000;
/** The end of a turn waits this long for the repository's head; a slower one is added later. */
const HEAD_PATIENCE_MS = 20;

export interface TurnRunnerPorts {
	deps: RunnerDeps;
	approvals: Approvals;
	questions: Questions;
	/** Digests a person accepted for the thread, while this daemon lives. */
	grants(threadId: string): Set<string>;
	/** Aborted when the daemon stops. */
	stopping: AbortSignal;
}

/** Runs a turn that is open in the store, from its loop's first word to its last tool call. */
export interface TurnRunner {
	/** Resolves with how it ended; never rejects. */
	run(live: LiveTurn): Promise<TurnOutcome>;
	/** Runs a person's own command while the turn runs; the turn stays in memory until it ends. */
	shellBeside(live: LiveTurn, command: string): void;
	/** Resolves once no tool call of the turn runs any more and its items are closed. */
	drained(live: LiveTurn): Promise<void>;
	/** Writes the end, unless another end came first. */
	finish(live: LiveTurn, outcome: TurnOutcome): Promise<void>;
}

function failureOf(error: unknown): TurnError {
	const message =
		error instanceof AppError ? error.message : "An internal error happened; see the daemon's log.";
	return { message, codexErrorInfo: "other", additionalDetails: null };
}

function isFull(error: unknown): boolean {
	return error instanceof AppError && error.code === "STORAGE_FULL";
}

/** Resolves with the promise or the signal, whichever comes first. */
async function settledOr(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
	const aborted = Promise.withResolvers<void>();
	const onAbort = (): void => aborted.resolve();
	signal.addEventListener("abort", onAbort, { once: true });
	await Promise.race([promise, aborted.promise]);
	signal.removeEventListener("abort", onAbort);
}

function endOf(live: LiveTurn, outcome: TurnOutcome) {
	const turn = { thread_id: live.threadId, turn_id: live.turnId, status: outcome.status };
	switch (outcome.status) {
		case "completed":
			return { ...turn, reason: null, error: null, final_text: outcome.finalText };
		case "interrupted":
			return { ...turn, reason: outcome.reason, error: null, final_text: null };
		case "failed":
			return { ...turn, reason: outcome.error.message, error: outcome.error, final_text: null };
	}
}

export function createTurnRunner({
	deps,
	approvals,
	questions,
	grants,
	stopping,
}: TurnRunnerPorts): TurnRunner {
	const { store, fault, logger } = deps;
	const setup = createTurnSetup({ deps, approvals, questions, grants });
	const shell = createUserShell(deps, setup.contextOf);

	async function run(live: LiveTurn): Promise<TurnOutcome> {
		try {
			const task = readTurnTask(store, { thread_id: live.threadId, turn_id: live.turnId });
			if (task.kind === "user_shell") return await shell.run(live, task.options.command ?? "");
			const { input, ports } = await setup.prepare(live, task);
			live.signal.throwIfAborted();
			live.pullSteers();
			const outcome = await deps.runTurn(input, ports, live.signal);
			setup.recording(live)?.write({ type: "turn.ended", outcome });
			return outcome;
		} catch (error) {
			if (live.signal.aborted) return { status: "interrupted", reason: String(live.signal.reason) };
			logger.error("a turn failed", { thread_id: live.threadId, turn_id: live.turnId, error: String(error) });
			const failure = failureOf(error);
			await live.emit({ type: "error", error: failure, willRetry: false });
			return { status: "failed", error: failure };
		}
	}

	/** Whether the end is worth another try; waits until it is. */
	async function mayWriteAgain(live: LiveTurn, error: unknown, tries: number): Promise<boolean> {
		if (isFull(error)) {
			if (stopping.aborted) return false;
			await waitMs(deps.clock, END_RETRY_MS, stopping);
			return true;
		}
		// A step that cannot be stored is given up with its batch; the turn must end all the same.
		logger.error("the last steps of a turn were not saved", { turn_id: live.turnId, error: String(error) });
		return tries === 1;
	}

	async function writeEnd(live: LiveTurn, outcome: TurnOutcome, head: string | null): Promise<void> {
		const end = { ...endOf(live, outcome), git_head_after: head };
		for (let refused = 0; ; ) {
			try {
				await live.commitWith((steps) =>
					store.write(endTurnWrite, { ...end, steps, start_next: !stopping.aborted }),
				);
				return;
			} catch (error) {
				if (!isFull(error)) refused += 1;
				if (!(await mayWriteAgain(live, error, refused))) throw error;
			}
		}
	}

	function readHead(live: LiveTurn): Promise<string | null> {
		return deps.gitHead(requireThread(store, live.threadId).cwd).catch(() => null);
	}

	async function addHead(live: LiveTurn, reading: Promise<string | null>): Promise<void> {
		const head = await reading;
		if (head !== null) live.add({ step: "git_head_after", head });
	}

	/** Null when it is not known in time; it is added then. */
	async function headAtEnd(live: LiveTurn): Promise<string | null> {
		const reading = readHead(live);
		const late = Promise.withResolvers<undefined>();
		using _timer = deps.clock.after(HEAD_PATIENCE_MS, () => late.resolve(undefined));
		const head = await Promise.race([reading, late.promise]);
		if (head === undefined) void addHead(live, reading);
		return head ?? null;
	}

	return {
		run,
		async finish(live, outcome) {
			if (!live.end()) return;
			// A turn that is cut short ends at once: its command may be in the middle of a commit anyway.
			const head = outcome.status === "interrupted" ? null : await headAtEnd(live);
			fault("turn.before-end");
			await writeEnd(live, outcome, head);
			fault("turn.after-end");
		},
		shellBeside(live, command) {
			const failed = (error: unknown): void =>
				logger.error("a person's command failed", { turn_id: live.turnId, error: String(error) });
			setup.follow(live, shell.beside(live, command).catch(failed));
		},
		async drained(live) {
			await using _recording = setup.recording(live);
			const calls = setup.calls(live);
			while (calls.size > 0 && !stopping.aborted) {
				await settledOr(Promise.allSettled(calls), stopping);
			}
			// A stopping daemon leaves running commands to themselves; the next one tells that their end is unknown.
			if (stopping.aborted) {
				await live.flush();
				return;
			}
			if (live.signal.aborted) await addHead(live, readHead(live));
			await live.closeLeftovers(deps.clock.nowMs());
		},
	};
}
