import { AppError } from "#base/app-error.ts";
import { createApprovals } from "./approvals.ts";
import { createBroadcast } from "./broadcast.ts";
import { cancelTurn } from "./cancel.ts";
import type { RunnerDeps } from "./deps.ts";
import { createEndings } from "./endings.ts";
import { createMessageService } from "./message-service.ts";
import { createQuestions } from "./questions.ts";
import { recoverTurns } from "./recover.ts";
import type { CodexRunner } from "./runner.ts";
import { createSnapshots } from "./snapshot.ts";
import { createTaskService } from "./task-service.ts";
import { createThreadPresenter } from "./thread-record.ts";
import { createThreadService } from "./thread-service.ts";
import { createTurnBoard, LAST_WORDS_MS, type TurnBoard, within } from "./turn-board.ts";
import { createTurnRunner, type TurnRunner } from "./turn-runner.ts";

const STOP_REASON = "the daemon stopped";

/** Digests a person accepted for a thread, while this daemon lives. */
function createGrants(): (threadId: string) => Set<string> {
	const grants = new Map<string, Set<string>>();
	return (threadId) => {
		const known = grants.get(threadId) ?? new Set<string>();
		grants.set(threadId, known);
		return known;
	};
}

async function interruptAll(
	{ clock, logger }: RunnerDeps,
	board: TurnBoard,
	turns: TurnRunner,
): Promise<void> {
	const open = board.running();
	async function interrupt({ live }: (typeof open)[number]): Promise<void> {
		try {
			await turns.finish(live, { status: "interrupted", reason: STOP_REASON });
			live.abort(STOP_REASON);
			board.ended(live);
		} catch (error) {
			logger.error("a running turn was not closed", { turn_id: live.turnId, error: String(error) });
		}
	}
	await Promise.all(open.map(interrupt));
	// Loops get a moment for their last words; commands run on without us.
	await within(clock, Promise.all(open.map(({ over }) => over.promise)), LAST_WORDS_MS);
	await Promise.allSettled(board.all().map((live) => live.flush()));
	await within(clock, board.emptied(), LAST_WORDS_MS);
}

/**
 * The runner that keeps the loop in this process. One turn at a time per thread, a bounded number over all. The store decides what
 * runs: a turn is opened there first and started from there, so that asking twice never runs twice. Dispose it before the
 * store: running turns end as interrupted, their commands run on.
 */
export function createEmbeddedRunner(deps: RunnerDeps): CodexRunner {
	const stop = new AbortController();
	const questions = createQuestions(deps, (type, question) => broadcast.question(type, question));
	const presenter = createThreadPresenter(deps.providers, questions.isAsking);
	const broadcast = createBroadcast({ ...deps, presenter });
	const approvals = createApprovals({ deps, announce: broadcast.approval });
	const turns = createTurnRunner({
		...{ deps, approvals, questions, grants: createGrants() },
		stopping: stop.signal,
	});
	const endings = createEndings({ deps, approvals, questions, broadcast });
	const board = createTurnBoard({ deps, broadcast, turns, endings, stopping: stop.signal });

	function assertOpen(): void {
		if (stop.signal.aborted) throw new AppError("DAEMON_STOPPING");
	}

	return {
		...createThreadService({ deps, broadcast, presenter, assertOpen }),
		...createMessageService({ deps, assertOpen, kick: board.kick }),
		...createTaskService({ deps, broadcast, presenter, board, turns, assertOpen }),
		...createSnapshots({ store: deps.store, presenter, questions, board, broadcast }),
		async cancel({ thread_id, turn_id }, call, { endCommands = false, replaced = false } = {}) {
			assertOpen();
			const ports = { deps, board, broadcast, endings };
			return cancelTurn(ports, { thread_id, turn_id }, { ...call, endCommands, replaced });
		},
		async respondApproval(params, call) {
			assertOpen();
			return approvals.respond(params, call);
		},
		listQuestions: ({ thread_id }) => questions.list(thread_id),
		async respondQuestion(params, call) {
			assertOpen();
			return { question: questions.respond(params, call) };
		},
		onEvent: broadcast.onEvent,
		subscribeEvents: broadcast.listen,
		async recover() {
			const { ended, started } = await recoverTurns(deps, broadcast);
			ended.forEach(endings.tell);
			for (const turn of started) board.kick(turn.thread_id);
		},
		onTurnEnded: endings.on,
		onThreadChanged: broadcast.onThread,
		onThreadDeleted: broadcast.onGone,
		threadTouched: broadcast.thread,
		get counts() {
			return board.counts;
		},
		async [Symbol.asyncDispose]() {
			if (stop.signal.aborted) return;
			stop.abort(new AppError("DAEMON_STOPPING"));
			await interruptAll(deps, board, turns);
		},
	};
}
