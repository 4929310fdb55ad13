import type { Clock } from "#base/clock.ts";
import { createDeferred, type Deferred } from "#base/deferred.ts";
import type { TurnOutcome } from "#daemon/agent/loop-port.ts";
import { findThread } from "#daemon/storage/repository/chat-thread.ts";
import type { Broadcast } from "./broadcast.ts";
import type { RunnerDeps } from "./deps.ts";
import type { Endings } from "./endings.ts";
import { createLane } from "./lane.ts";
import { createLiveTurn, type LiveTurn } from "./live-turn.ts";
import type { TurnRunner } from "./turn-runner.ts";

/** Turns that run at once in the whole daemon; the others wait in order (H12, the global lane). Fifty threads at work leave room. */
const MAX_RUNNING_TURNS = 64;
/** An interrupted loop has this long to write its last words into the history before the thread's next turn starts. */
export const LAST_WORDS_MS = 2_000;

/** A thread's newest turn in memory; `over` resolves when its loop has said its last word. */
export interface RunningTurn {
	readonly live: LiveTurn;
	readonly over: Deferred<void>;
}

/** The turns in memory: one running per thread, a bounded number over all, and those whose commands run on. */
export interface TurnBoard {
	/** Starts the turn that the store has open for this thread; lets it look for messages when it runs already. */
	kick(threadId: string): void;
	/** Tells the end of a turn and starts what waited for it. */
	ended(live: LiveTurn): void;
	find(turnId: string): LiveTurn | undefined;
	current(threadId: string): LiveTurn | undefined;
	/** Resolves when the turn's loop has said its last word and the end is written; at once for another than the thread's newest. */
	over(live: LiveTurn): Promise<void>;
	/** The newest turn of each thread. */
	running(): RunningTurn[];
	all(): LiveTurn[];
	/** Resolves when no turn is in memory any more. */
	emptied(): Promise<unknown>;
	readonly counts: { running_turns: number; waiting_turns: number };
}

interface TurnBoardPorts {
	deps: RunnerDeps;
	broadcast: Broadcast;
	turns: TurnRunner;
	endings: Endings;
	stopping: AbortSignal;
}

/** Waits for it, but no longer than that. */
export async function within(clock: Clock, promise: Promise<unknown>, boundMs: number): Promise<void> {
	const bound = createDeferred<void>();
	using _timer = clock.after(boundMs, bound.resolve);
	await Promise.race([promise, bound.promise]);
}

export function createTurnBoard({ deps, broadcast, turns, endings, stopping }: TurnBoardPorts): TurnBoard {
	const { store, clock, logger, telemetry } = deps;
	const lane = createLane(deps.maxRunningTurns ?? MAX_RUNNING_TURNS);
	const lives = new Map<string, LiveTurn>();
	const newest = new Map<string, RunningTurn>();
	const settling = new Set<Promise<void>>();

	function kick(threadId: string): void {
		const turnId = findThread(store, threadId)?.active_turn_id ?? null;
		if (turnId === null || stopping.aborted) return;
		const running = lives.get(turnId);
		if (running !== undefined) {
			running.pullSteers();
			return;
		}
		const live = createLiveTurn(deps, broadcast.activity(threadId), { threadId, turnId });
		const before = newest.get(threadId);
		const over = createDeferred<void>();
		lives.set(turnId, live);
		newest.set(threadId, { live, over });
		broadcast.turn("chat.turn.started", threadId, turnId);
		void carry(live, before).finally(() => over.resolve());
	}

	function ended(live: LiveTurn): void {
		if (endings.announce(live)) kick(live.threadId);
	}

	async function loop(live: LiveTurn, before: RunningTurn | undefined): Promise<TurnOutcome> {
		try {
			if (before !== undefined) await within(clock, before.over.promise, LAST_WORDS_MS);
			using _place = await lane.enter(live.signal);
			telemetry.trace("turn", "start", { thread_id: live.threadId, turn_id: live.turnId });
			return await turns.run(live);
		} catch {
			// Only the wait for a place rejects, when the turn is cut before it had one.
			return { status: "interrupted", reason: String(live.signal.reason) };
		}
	}

	/** The life of a turn. Its end is written by whoever comes first: the loop, a cancel, the shutdown. */
	async function carry(live: LiveTurn, before: RunningTurn | undefined): Promise<void> {
		const startedMs = clock.monotonicMs();
		const outcome = await loop(live, before);
		try {
			await turns.finish(live, outcome);
			ended(live);
			await live.flush();
		} catch (error) {
			logger.error("the end of a turn was not written", { turn_id: live.turnId, error: String(error) });
		}
		telemetry.count("turns_total", 1, { status: outcome.status });
		telemetry.observe("turn_ms", clock.monotonicMs() - startedMs);
		const settled = settle(live).finally(() => settling.delete(settled));
		settling.add(settled);
	}

	/** Keeps the turn in memory until its last command ends. */
	async function settle(live: LiveTurn): Promise<void> {
		try {
			await turns.drained(live);
		} catch (error) {
			logger.error("a turn's last items were not saved", { turn_id: live.turnId, error: String(error) });
		}
		lives.delete(live.turnId);
		if (newest.get(live.threadId)?.live !== live) return;
		newest.delete(live.threadId);
		broadcast.forget(live.threadId);
	}

	return {
		kick,
		ended,
		find: (turnId) => lives.get(turnId),
		current: (threadId) => newest.get(threadId)?.live,
		async over(live) {
			const running = newest.get(live.threadId);
			if (running?.live === live) await running.over.promise;
		},
		running: () => [...newest.values()],
		all: () => [...lives.values()],
		emptied: () => Promise.all(settling),
		get counts() {
			return { running_turns: lane.running, waiting_turns: lane.waiting };
		},
	};
}
