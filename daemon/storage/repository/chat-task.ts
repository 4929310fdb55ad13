import { newId } from "#base/id.ts";
import type { TurnKind } from "#protocol/record.ts";
import { defineWrite } from "../store.ts";
import { appendHistory, appendHistoryLater } from "./chat-history.ts";
import { requireThread, touchThread } from "./chat-thread.ts";
import type { TurnOptions } from "./chat-turn.ts";
import { assertInUse, openTask } from "./chat-turn-open.ts";

interface TaskInput {
	thread_id: string;
	kind: Exclude<TurnKind, "regular">;
	options?: TurnOptions;
}

interface TaskRef {
	thread_id: string;
	turn_id: string;
}

/** A turn that no message asked for: a compaction, a review. @throws AppError THREAD_NOT_FOUND, BUSY, CONFLICT. */
export const openTaskWrite = defineWrite("chat.turn.open", (tx, input: TaskInput): TaskRef => {
	const { thread_id, kind, options } = input;
	const turn_id = newId(tx.nowMs);
	const thread = requireThread(tx, thread_id);
	openTask(tx, thread, options === undefined ? { turn_id, kind } : { turn_id, kind, options });
	return { thread_id, turn_id };
});

/**
 * Where a person's own command runs: beside the turn that runs, else in a turn of its own. Another `run_id` than the one
 * given means that the command of a repeated request runs already. @throws AppError THREAD_NOT_FOUND, CONFLICT.
 */
export const openShellWrite = defineWrite(
	"chat.turn.shell",
	(
		tx,
		input: { thread_id: string; command: string; run_id: string },
	): TaskRef & { beside: boolean; run_id: string } => {
		const { thread_id, command, run_id } = input;
		const thread = requireThread(tx, thread_id);
		assertInUse(thread);
		if (thread.active_turn_id !== null)
			return { thread_id, turn_id: thread.active_turn_id, beside: true, run_id };
		const turn_id = newId(tx.nowMs);
		openTask(tx, thread, { turn_id, kind: "user_shell", options: { command } });
		return { thread_id, turn_id, beside: false, run_id };
	},
);

/** More history without a turn; while one runs it waits for its end. @throws AppError THREAD_NOT_FOUND. */
export const injectItemsWrite = defineWrite(
	"chat.history.inject",
	(tx, input: { thread_id: string; items: readonly unknown[] }): null => {
		const thread = requireThread(tx, input.thread_id);
		touchThread(tx, input.thread_id);
		if (thread.active_turn_id !== null) {
			appendHistoryLater(tx, input.thread_id, input.items);
			return null;
		}
		const last = tx.get<{ turn_id: string }>(
			"SELECT turn_id FROM chat_turn WHERE thread_id = ? ORDER BY position DESC LIMIT 1",
			input.thread_id,
		);
		appendHistory(tx, { thread_id: input.thread_id, turn_id: last?.turn_id ?? "" }, input.items);
		return null;
	},
);
