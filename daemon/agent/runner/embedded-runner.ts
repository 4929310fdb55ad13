import { AppError } from "#base/app-error.ts";
import { createDeferred, type Deferred } from "#base/deferred.ts";
import { createEmitter } from "#base/emitter.ts";
import type { TurnOutcome } from "#daemon/agent/loop-port.ts";
import { cancelTurnWrite } from "#daemon/storage/repository/chat-end.ts";
import { listTurnMessages } from "#daemon/storage/repository/chat-message.ts";
import { findThread } from "#daemon/storage/repository/chat-thread.ts";
import { findTurn } from "#daemon/storage/repository/chat-turn.ts";
import { createApprovals } from "./approvals.ts";
import { createBroadcast } from "./broadcast.ts";
import type { RunnerDeps } from "./deps.ts";
import { createLane } from "./lane.ts";
import { createLiveTurn, type LiveTurn } from "./live-turn.ts";
import { createMessageService } from "./message-service.ts";
import { recoverTurns } from "./recover.ts";
import type { CodexRunner, RunnerCall, TurnEnded } from "./runner.ts";
import { createSnapshots } from "./snapshot.ts";
import { createThreadService } from "./thread-service.ts";
import { createTurnRunner } from "./turn-runner.ts";

/** Turns that run at once in the whole daemon; the others wait in order (H12, the global lane). */
export const MAX_RUNNING_TURNS = 8;
/** An interrupted loop has this long to write its last words into the history before the thread's next turn starts. */
const LAST_WORDS_MS = 2_000;
const STOP_REASON = "the daemon stopped";

/**
 * The runner that keeps the loop in this process. One turn at a time per thread, eight over all. The store decides what
 * runs: a turn is opened there first and started from there, so that asking twice never runs twice. Dispose it before the
 * store: running turns end as interrupted, their commands run on.
 */
export function createEmbeddedRunner(deps: RunnerDeps): CodexRunner {
	const { store, clock, logger, telemetry, fault } = deps;
	const stop = new AbortController();
	const lane = createLane(MAX_RUNNING_TURNS);
	const broadcast = createBroadcast(deps);
	const turnEnded = createEmitter<TurnEnded>((error) =>
		logger.error("a listener of ended turns failed", { error: String(error) }),
	);
	const grants = new Map<string, Set<string>>();
	/** All turns in memory by turn id, those whose commands run on included. */
	const lives = new Map<string, LiveTurn>();
	/** The running turn of each thread. */
	const current = new Map<string, { live: LiveTurn; over: Deferred<void> }>();
	const announced = new WeakSet<LiveTurn>();
	const approvals = createApprovals({ deps, announce: broadcast.approval });
	const turns = createTurnRunner({ deps, approvals, grants: grantsOf, stopping: stop.signal });

	function grantsOf(threadId: string): Set<string> {
		const known = grants.get(threadId) ?? new Set<string>();
		grants.set(threadId, known);
		return known;
	}

	/** Waits for it, but no longer than that. */
	async function within(promise: Promise<unknown>, boundMs: number): Promise<void> {
		const bound = createDeferred<void>();
		using _timer = clock.after(boundMs, bound.resolve);
		await Promise.race([promise, bound.promise]);
	}

	function assertOpen(): void {
		if (stop.signal.aborted) throw new AppError("DAEMON_STOPPING");
	}

	/** Starts the turn that the store has open for this thread, unless it runs already. */
	function kick(threadId: string): void {
		const turnId = findThread(store, threadId)?.active_turn_id ?? null;
		if (turnId === null || stop.signal.aborted) return;
		const running = lives.get(turnId);
		if (running) {
			running.pullSteers();
			return;
		}
		const live = createLiveTurn(deps, broadcast.activity(threadId), { threadId, turnId });
		const before = current.get(threadId)?.over.promise;
		const over = createDeferred<void>();
		lives.set(turnId, live);
		current.set(threadId, { live, over });
		broadcast.turn("chat.turn.started", threadId, turnId);
		void carry(live, before).finally(() => over.resolve());
	}

	/** The whole life of a turn. Its end is written by whoever comes first: the loop, a cancel, the shutdown. */
	async function carry(live: LiveTurn, before: Promise<void> | undefined): Promise<void> {
		const startedMs = clock.monotonicMs();
		let outcome: TurnOutcome;
		try {
			if (before) await within(before, LAST_WORDS_MS);
			using _place = await lane.enter(live.signal);
			telemetry.trace("turn", "start", { thread_id: live.threadId, turn_id: live.turnId });
			outcome = await turns.run(live);
		} catch {
			outcome = { status: "interrupted", reason: String(live.signal.reason) };
		}
		try {
			await turns.finish(live, outcome);
			announceEnd(live);
		} catch (error) {
			logger.error("the end of a turn was not written", { turn_id: live.turnId, error: String(error) });
		}
		telemetry.count("turns_total", 1, { status: outcome.status });
		telemetry.observe("turn_ms", clock.monotonicMs() - startedMs);
		await live
			.flush()
			.catch((error: unknown) =>
				logger.error("last words were not saved", { turn_id: live.turnId, error: String(error) }),
			);
		void settle(live);
	}

	/** Keeps the turn in memory until its last command ends. */
	async function settle(live: LiveTurn): Promise<void> {
		try {
			await turns.drained(live);
		} catch (error) {
			logger.error("a turn's last items were not saved", { turn_id: live.turnId, error: String(error) });
		}
		lives.delete(live.turnId);
		if (current.get(live.threadId)?.live !== live) return;
		current.delete(live.threadId);
		broadcast.forget(live.threadId);
	}

	/** After the commit of the end: tells it once, whoever wrote it, and starts what waited. */
	function announceEnd(live: LiveTurn): void {
		const { threadId, turnId } = live;
		if (announced.has(live) || findTurn(store, turnId)?.status === "inProgress") return;
		announced.add(live);
		approvals.announceExpired(turnId);
		broadcast.turn("chat.turn.completed", threadId, turnId);
		tellEnded(threadId, turnId);
		kick(threadId);
	}

	function tellEnded(threadId: string, turnId: string): void {
		const turn = findTurn(store, turnId);
		if (turn === undefined || turn.status === "inProgress") return;
		const row = store.get<{ final_text: string | null }>(
			"SELECT final_text FROM chat_turn WHERE turn_id = ?",
			turnId,
		);
		const ids = listTurnMessages(store, turnId).flatMap((message) => message.origin_message_id ?? []);
		turnEnded.emit({
			thread_id: threadId,
			turn_id: turnId,
			status: turn.status,
			final_text: row?.final_text ?? null,
			message_ids: ids,
		});
	}

	async function cancel(
		params: { thread_id: string; turn_id?: string | undefined },
		call: RunnerCall,
	): Promise<{ thread_id: string; turn_id: string }> {
		assertOpen();
		const running = current.get(params.thread_id)?.live;
		await running?.flush();
		const reason = `interrupted by ${call.label}`;
		const input = { thread_id: params.thread_id, turn_id: params.turn_id ?? null, reason };
		fault("turn.before-end");
		const ref = await store.write(cancelTurnWrite, input, { idempotency: call.idempotency });
		fault("turn.after-end");
		const live = lives.get(ref.turn_id);
		if (!live) return ref;
		live.end();
		live.abort(reason);
		announceEnd(live);
		return ref;
	}

	async function shutDown(): Promise<void> {
		if (stop.signal.aborted) return;
		stop.abort(new AppError("DAEMON_STOPPING"));
		const open = [...current.values()];
		await Promise.all(
			open.map(async ({ live }) => {
				try {
					await turns.finish(live, { status: "interrupted", reason: STOP_REASON });
					live.abort(STOP_REASON);
					announceEnd(live);
				} catch (error) {
					logger.error("a running turn was not closed", { turn_id: live.turnId, error: String(error) });
				}
			}),
		);
		// Loops get a moment for their last words; commands run on without us.
		await within(Promise.all(open.map(({ over }) => over.promise)), LAST_WORDS_MS);
		await Promise.all([...lives.values()].map((live) => live.flush().catch(() => undefined)));
	}

	return {
		...createThreadService({ deps, broadcast, assertOpen }),
		...createMessageService({ deps, assertOpen, kick }),
		...createSnapshots({ store, lives, broadcast }),
		cancel,
		async respondApproval(params, call) {
			assertOpen();
			return approvals.respond(params, call);
		},
		subscribeEvents: broadcast.listen,
		async recover() {
			const { ended, started } = await recoverTurns(deps, broadcast);
			for (const turn of ended) tellEnded(turn.thread_id, turn.turn_id);
			for (const turn of started) kick(turn.thread_id);
		},
		onTurnEnded: (listener) => turnEnded.on(listener),
		onThreadChanged: broadcast.onThread,
		threadTouched: broadcast.thread,
		get counts() {
			return { running_turns: lane.running, waiting_turns: lane.waiting };
		},
		[Symbol.asyncDispose]: shutDown,
	};
}
