import { AppError } from "#base/app-error.ts";
import { deleteThreadWrite } from "#daemon/storage/repository/chat-delete.ts";
import { forkThreadWrite } from "#daemon/storage/repository/chat-fork.ts";
import { rollbackWrite } from "#daemon/storage/repository/chat-rollback.ts";
import { injectItemsWrite, openShellWrite, openTaskWrite } from "#daemon/storage/repository/chat-task.ts";
import { requireThread } from "#daemon/storage/repository/chat-thread.ts";
import type { Broadcast } from "./broadcast.ts";
import type { RunnerDeps } from "./deps.ts";
import { describeReview } from "./review-target.ts";
import type { CodexThreads } from "./runner.ts";
import { assertFolder } from "./thread-folder.ts";
import type { ThreadPresenter } from "./thread-record.ts";
import type { TurnBoard } from "./turn-board.ts";
import type { TurnRunner } from "./turn-runner.ts";
import { requireCommands } from "./user-shell.ts";

interface TaskServicePorts {
	deps: RunnerDeps;
	broadcast: Broadcast;
	presenter: ThreadPresenter;
	board: TurnBoard;
	turns: Pick<TurnRunner, "shellBeside">;
	assertOpen(): void;
}

type TaskService = Pick<
	CodexThreads,
	| "fork"
	| "rollback"
	| "deleteThread"
	| "compact"
	| "review"
	| "shellCommand"
	| "injectItems"
	| "terminateProcess"
>;

/** What is done to a thread beside talking to it; each change is committed, then told. */
export function createTaskService(ports: TaskServicePorts): TaskService {
	const { deps, broadcast, presenter, board, turns, assertOpen } = ports;
	const { store } = deps;

	return {
		async fork({ thread_id, last_turn_id, patch = {} }, call) {
			assertOpen();
			if (patch.cwd !== undefined) await assertFolder(patch.cwd);
			const input = {
				source_id: thread_id,
				thread_id: deps.newId(),
				last_turn_id: last_turn_id ?? null,
				change: patch,
				controller: { client: call.label, device: "local" },
			};
			const { thread } = await store.write(forkThreadWrite, input, { idempotency: call.idempotency });
			broadcast.thread(thread.thread_id);
			return { thread: presenter.one(thread) };
		},
		async rollback({ thread_id, turns: count }, call) {
			assertOpen();
			const input = { thread_id, turns: count };
			const { thread } = await store.write(rollbackWrite, input, { idempotency: call.idempotency });
			broadcast.thread(thread_id);
			return { thread: presenter.one(thread) };
		},
		async deleteThread({ thread_id }, call) {
			assertOpen();
			await store.write(deleteThreadWrite, { thread_id }, { idempotency: call.idempotency });
			broadcast.gone(thread_id);
		},
		async compact({ thread_id }, call) {
			assertOpen();
			const input = { thread_id, kind: "compact" as const };
			const turn = await store.write(openTaskWrite, input, { idempotency: call.idempotency });
			board.kick(thread_id);
			return { ...turn };
		},
		async review({ thread_id, target }, call) {
			assertOpen();
			const { cwd } = requireThread(store, thread_id);
			const mergeBase = async (branch: string) => (await deps.mergeBase?.(cwd, branch)) ?? null;
			const { prompt, hint } = await describeReview(target, mergeBase);
			const options = { review: { target, userFacingHint: hint, prompt } };
			const input = { thread_id, kind: "review" as const, options };
			const turn = await store.write(openTaskWrite, input, { idempotency: call.idempotency });
			board.kick(thread_id);
			return { ...turn, prompt, hint };
		},
		async shellCommand({ thread_id, command }, call) {
			assertOpen();
			requireCommands(deps);
			if (command.trim() === "") throw new AppError("INVALID_PARAMS", "command must not be empty");
			const input = { thread_id, command, run_id: deps.newId() };
			const opened = await store.write(openShellWrite, input, { idempotency: call.idempotency });
			const turn = { thread_id, turn_id: opened.turn_id };
			if (!opened.beside) {
				board.kick(thread_id);
				return turn;
			}
			if (opened.run_id !== input.run_id) return turn;
			const live = board.find(opened.turn_id);
			// It ended while this was asked; nothing has run yet.
			if (live === undefined) throw new AppError("BUSY", "The running turn has just ended; ask again.");
			turns.shellBeside(live, command);
			return turn;
		},
		async injectItems({ thread_id, items }, call) {
			assertOpen();
			await store.write(injectItemsWrite, { thread_id, items }, { idempotency: call.idempotency });
		},
		async terminateProcess({ thread_id, process_id }) {
			return deps.commands?.terminate(process_id, thread_id) ?? false;
		},
	};
}
