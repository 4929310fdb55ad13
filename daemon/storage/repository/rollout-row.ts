import { z } from "zod";
import type { Turn } from "#protocol/record.ts";
import type { Reader, Row } from "../store.ts";
import { findTurn, readItems } from "./chat-turn.ts";

/**
 * `head`: only the thread's row was made. `loading`: a load began and did not end. `loaded`: all of the file is here.
 * `exported`: we wrote it. `ours`: somebody else's file of a thread that is ours already. `ignored`: nothing to show.
 */
const stateSchema = z.enum(["head", "loading", "loaded", "exported", "ours", "ignored"]);

const rowSchema = z.object({
	path: z.string(),
	thread_id: z.string().nullable(),
	state: stateSchema,
	size_bytes: z.number(),
	mtime_ms: z.number(),
	boundary_bytes: z.number(),
	boundary_position: z.number(),
	last_turn_id: z.string().nullable(),
	skipped_lines: z.number(),
	detail: z.string().nullable(),
});
export type RolloutRow = z.infer<typeof rowSchema>;

const SELECT = `SELECT path, thread_id, state, size_bytes, mtime_ms, boundary_bytes, boundary_position, last_turn_id, skipped_lines, detail
	FROM chat_rollout`;

const parse = (row: Row | undefined): RolloutRow | undefined =>
	row === undefined ? undefined : rowSchema.parse(row);

/** The file of a thread, if we know one. */
export function findRollout(reader: Reader, threadId: string): RolloutRow | undefined {
	return parse(reader.get(`${SELECT} WHERE thread_id = ?`, threadId));
}

/** What is known of a file, by its path. */
export function findRolloutFile(reader: Reader, path: string): RolloutRow | undefined {
	return parse(reader.get(`${SELECT} WHERE path = ?`, path));
}

/** The newest turn of a thread; null when it has none. */
export function lastTurnId(reader: Reader, threadId: string): string | null {
	return (
		reader.get<{ turn_id: string }>(
			"SELECT turn_id FROM chat_turn WHERE thread_id = ? ORDER BY position DESC LIMIT 1",
			threadId,
		)?.turn_id ?? null
	);
}

export interface HistoryRow {
	position: number;
	turn_id: string;
	json: string;
}

/** A page of everything the model was ever sent of the thread, replaced histories included, in order. */
export function readHistoryRows(
	reader: Reader,
	threadId: string,
	after: number,
	limit: number,
): HistoryRow[] {
	return reader.all<HistoryRow>(
		"SELECT position, turn_id, json FROM chat_history WHERE thread_id = ? AND position > ? ORDER BY position LIMIT ?",
		threadId,
		after,
		limit,
	);
}

/** Where histories were replaced, oldest first: from `after_position` on the turn's rows are the new history. */
export function readEpochs(reader: Reader, threadId: string): { turn_id: string; after_position: number }[] {
	return reader.all<{ turn_id: string; after_position: number }>(
		"SELECT turn_id, after_position FROM chat_epoch WHERE thread_id = ? ORDER BY epoch",
		threadId,
	);
}

/** Usage as it was at the end of a turn, as JSON. */
export function readTurnUsage(reader: Reader, threadId: string, turnId: string): string | null {
	return (
		reader.get<{ usage: string | null }>(
			"SELECT usage FROM chat_turn WHERE turn_id = ? AND thread_id = ?",
			turnId,
			threadId,
		)?.usage ?? null
	);
}

/** The turns behind a place, oldest first, whole. */
export function readTurnPage(
	reader: Reader,
	threadId: string,
	after: number,
	limit: number,
): { turn: Turn; position: number }[] {
	const rows = reader.all<{ turn_id: string; position: number }>(
		"SELECT turn_id, position FROM chat_turn WHERE thread_id = ? AND position > ? AND status <> 'inProgress' ORDER BY position LIMIT ?",
		threadId,
		after,
		limit,
	);
	return rows.flatMap(({ turn_id, position }) => {
		const turn = findTurn(reader, turn_id);
		return turn === undefined ? [] : [{ turn: { ...turn, items: readItems(reader, turn_id) }, position }];
	});
}

/** Whether this thread has a turn of this id. */
export function hasTurn(reader: Reader, threadId: string, turnId: string): boolean {
	const sql = "SELECT 1 AS one FROM chat_turn WHERE turn_id = ? AND thread_id = ?";
	return reader.get(sql, turnId, threadId) !== undefined;
}

/** Whether there is a thread of this id, from a file or not. */
export function hasThread(reader: Reader, threadId: string): boolean {
	return reader.get("SELECT 1 AS one FROM chat_thread WHERE thread_id = ?", threadId) !== undefined;
}
