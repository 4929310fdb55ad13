import { z } from "zod";
import type { Reader, Tx } from "../store.ts";

/** The shape of daemon/agent/model.ts ModelItem, stated here because the store imports no agent. */
const historyItemSchema = z.looseObject({ type: z.string() });
export type HistoryItem = z.infer<typeof historyItemSchema>;

/** Adds to the thread's history, in order, verbatim. */
export function appendHistory(
	tx: Tx,
	turn: { thread_id: string; turn_id: string },
	items: readonly unknown[],
): void {
	const last = tx.get<{ position: number | null }>(
		"SELECT max(position) AS position FROM chat_history WHERE thread_id = ?",
		turn.thread_id,
	);
	let position = last?.position ?? 0;
	for (const item of items) {
		position += 1;
		tx.run(
			"INSERT INTO chat_history (thread_id, position, turn_id, json) VALUES (?, ?, ?, ?)",
			turn.thread_id,
			position,
			turn.turn_id,
			JSON.stringify(item),
		);
	}
}

/**
 * These items are the whole history from here on. What was before stays below them and comes back when the turn is
 * rolled back.
 */
export function replaceHistory(
	tx: Tx,
	turn: { thread_id: string; turn_id: string },
	items: readonly unknown[],
): void {
	tx.run(
		`INSERT INTO chat_epoch (thread_id, epoch, turn_id, after_position)
			SELECT ?, coalesce((SELECT max(epoch) FROM chat_epoch WHERE thread_id = ?), 0) + 1, ?,
			coalesce((SELECT max(position) FROM chat_history WHERE thread_id = ?), 0)`,
		turn.thread_id,
		turn.thread_id,
		turn.turn_id,
		turn.thread_id,
	);
	appendHistory(tx, turn, items);
}

/**
 * What others add while a turn runs waits for its end: in the middle it would stand between a call and its output, and
 * what the next request sends would not begin like what this turn sends.
 */
export function appendHistoryLater(tx: Tx, threadId: string, items: readonly unknown[]): void {
	for (const item of items)
		tx.run(
			"INSERT INTO chat_pending_history (thread_id, json) VALUES (?, ?)",
			threadId,
			JSON.stringify(item),
		);
}

/** The running turn took these up itself: they wait no longer. */
export function dropPendingHistory(tx: Tx, threadId: string, items: readonly unknown[]): void {
	for (const item of items)
		tx.run(
			`DELETE FROM chat_pending_history WHERE pending_no =
				(SELECT min(pending_no) FROM chat_pending_history WHERE thread_id = ? AND json = ?)`,
			threadId,
			JSON.stringify(item),
		);
}

/** Once the turn has ended: what waited joins the history, as a part of that turn. */
export function takePendingHistory(tx: Tx, turn: { thread_id: string; turn_id: string }): void {
	const rows = tx.all<{ json: string }>(
		"SELECT json FROM chat_pending_history WHERE thread_id = ? ORDER BY pending_no",
		turn.thread_id,
	);
	if (rows.length === 0) return;
	appendHistory(
		tx,
		turn,
		rows.map((row) => historyItemSchema.parse(JSON.parse(row.json))),
	);
	tx.run("DELETE FROM chat_pending_history WHERE thread_id = ?", turn.thread_id);
}

/** How often the thread's history was replaced. */
export function readEpoch(reader: Reader, threadId: string): number {
	return (
		reader.get<{ epoch: number | null }>(
			"SELECT max(epoch) AS epoch FROM chat_epoch WHERE thread_id = ?",
			threadId,
		)?.epoch ?? 0
	);
}

/** What the model is sent of earlier turns, in order. */
export function readHistory(reader: Reader, threadId: string): HistoryItem[] {
	return reader
		.all<{ json: string }>(
			`SELECT json FROM chat_history WHERE thread_id = ? AND position > coalesce(
				(SELECT after_position FROM chat_epoch WHERE thread_id = ? ORDER BY epoch DESC LIMIT 1), 0) ORDER BY position`,
			threadId,
			threadId,
		)
		.map((row) => historyItemSchema.parse(JSON.parse(row.json)));
}

/** Whether the model's history knows of this turn at all. */
export function hasHistory(reader: Reader, turnId: string): boolean {
	return reader.get("SELECT 1 AS one FROM chat_history WHERE turn_id = ? LIMIT 1", turnId) !== undefined;
}
