import { AppError } from "#base/app-error.ts";
import { defineWrite } from "../store.ts";
import { settleCounters } from "./chat-fork.ts";
import { requireThread, type StoredThread, threadStream, touchThread } from "./chat-thread.ts";

const FORGET = [
	// Only where no fork shares the turn.
	"DELETE FROM chat_item WHERE turn_id = ? AND NOT EXISTS (SELECT 1 FROM chat_turn o WHERE o.turn_id = chat_item.turn_id AND o.thread_id <> ?)",
	"DELETE FROM chat_history WHERE turn_id = ? AND thread_id = ?",
	"DELETE FROM chat_epoch WHERE turn_id = ? AND thread_id = ?",
	// What the bus delivered stays known, so that it never becomes a turn again.
	"DELETE FROM chat_message WHERE turn_id = ? AND thread_id = ? AND origin_message_id IS NULL",
	"DELETE FROM chat_turn WHERE turn_id = ? AND thread_id = ?",
] as const;

/**
 * Takes the newest turns out, with what the model knows of them; a history that one of them replaced is back. Approvals,
 * effects and audit stay: that happened. @throws AppError THREAD_NOT_FOUND, BUSY, INVALID_PARAMS below one turn.
 */
export const rollbackWrite = defineWrite(
	"chat.thread.rollback",
	(tx, input: { thread_id: string; turns: number }): { thread: StoredThread } => {
		const { thread_id } = input;
		const thread = requireThread(tx, thread_id);
		if (thread.active_turn_id !== null)
			throw new AppError("BUSY", "A turn is running in this thread; cancel it or wait for its end.");
		if (!Number.isInteger(input.turns) || input.turns < 1)
			throw new AppError("INVALID_PARAMS", "At least one turn is rolled back.");
		const rows = tx.all<{ turn_id: string }>(
			"SELECT turn_id FROM chat_turn WHERE thread_id = ? ORDER BY position DESC LIMIT ?",
			thread_id,
			input.turns,
		);
		for (const { turn_id } of rows) for (const sql of FORGET) tx.run(sql, turn_id, thread_id);
		settleCounters(tx, thread_id, null);
		touchThread(tx, thread_id);
		tx.append(threadStream(thread_id), "thread.rolled_back", { turn_ids: rows.map((row) => row.turn_id) });
		return { thread: requireThread(tx, thread_id) };
	},
);
