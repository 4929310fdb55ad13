import { AppError } from "#base/app-error.ts";
import type { Item, TokenUsage, TurnError } from "#protocol/codex-item.ts";
import type { ApprovalPolicy, SandboxMode, ThreadSettings } from "#protocol/record.ts";
import { defineWrite, type Tx, type WriteCommand } from "../store.ts";
import { settleCounters } from "./chat-fork.ts";
import { appendHistory, replaceHistory } from "./chat-history.ts";
import { mergeSettings, requireThread, type StoredThread, threadStream } from "./chat-thread.ts";
import {
	type RolloutFile,
	rolloutExportedWrite,
	rolloutHeadsWrite,
	rolloutNamesWrite,
} from "./rollout-head.ts";
import { findRollout, lastTurnId, type RolloutRow } from "./rollout-row.ts";
import { addAgent, listThreadAgents } from "./weave-agent.ts";
import { DEFAULT_SESSION_ID } from "./weave-session.ts";

interface TurnRef {
	thread_id: string;
	turn_id: string;
}

/** What a file says, in order. A turn without `end` reads as interrupted: its program died. */
export type RolloutStep =
	| { step: "turn"; turn_id: string; started_at_ms: number }
	| { step: "item"; turn_id: string; item: Item }
	| { step: "history"; turn_id: string; items: readonly unknown[] }
	| { step: "history_replaced"; turn_id: string; items: readonly unknown[] }
	| { step: "usage"; turn_id: string; usage: TokenUsage }
	| {
			step: "end";
			turn_id: string;
			status: "completed" | "interrupted" | "failed";
			error: TurnError | null;
			final_text: string | null;
			started_at_ms: number;
			completed_at_ms: number | null;
	  }
	| { step: "rollback"; turns: number };

function insertTurn(tx: Tx, turn: TurnRef, startedAtMs: number): void {
	tx.run(
		`INSERT INTO chat_turn (turn_id, thread_id, position, kind, status, started_at_ms)
			SELECT ?, ?, coalesce((SELECT max(position) FROM chat_turn WHERE thread_id = ?), 0) + 1, 'regular', 'interrupted', ?
			WHERE NOT EXISTS (SELECT 1 FROM chat_turn WHERE turn_id = ? AND thread_id = ?)`,
		turn.turn_id,
		turn.thread_id,
		turn.thread_id,
		startedAtMs,
		turn.turn_id,
		turn.thread_id,
	);
}

/** An item told again replaces the former telling; so does one that a fork of the same file brought already. */
function putItem(tx: Tx, turnId: string, item: Item): void {
	const json = JSON.stringify(item);
	const same = tx.get<{ ordinal: number }>(
		"SELECT ordinal FROM chat_item WHERE turn_id = ? AND item_id = ?",
		turnId,
		item.id,
	);
	if (same !== undefined) {
		tx.run("UPDATE chat_item SET json = ? WHERE turn_id = ? AND ordinal = ?", json, turnId, same.ordinal);
		return;
	}
	tx.run(
		`INSERT INTO chat_item (turn_id, ordinal, item_id, open, json)
			SELECT ?, coalesce((SELECT max(ordinal) FROM chat_item WHERE turn_id = ?), -1) + 1, ?, 0, ?`,
		turnId,
		turnId,
		item.id,
		json,
	);
}

const FORGET = [
	"DELETE FROM chat_item WHERE turn_id = ?1 AND NOT EXISTS (SELECT 1 FROM chat_turn o WHERE o.turn_id = chat_item.turn_id AND o.thread_id <> ?2)",
	"DELETE FROM chat_history WHERE turn_id = ?1 AND thread_id = ?2",
	"DELETE FROM chat_epoch WHERE turn_id = ?1 AND thread_id = ?2",
	"DELETE FROM chat_turn WHERE turn_id = ?1 AND thread_id = ?2",
] as const;

function forget(tx: Tx, threadId: string, rows: readonly { turn_id: string }[]): void {
	for (const { turn_id } of rows) for (const sql of FORGET) tx.run(sql, turn_id, threadId);
}

function rollBack(tx: Tx, threadId: string, turns: number): void {
	const rows = tx.all<{ turn_id: string }>(
		"SELECT turn_id FROM chat_turn WHERE thread_id = ? ORDER BY position DESC LIMIT ?",
		threadId,
		turns,
	);
	forget(tx, threadId, rows);
}

function endTurn(tx: Tx, turn: TurnRef, step: Extract<RolloutStep, { step: "end" }>): void {
	insertTurn(tx, turn, step.started_at_ms);
	tx.run(
		"UPDATE chat_turn SET status = ?, error = ?, final_text = ?, started_at_ms = ?, completed_at_ms = ? WHERE turn_id = ? AND thread_id = ?",
		step.status,
		step.error === null ? null : JSON.stringify(step.error),
		step.final_text,
		step.started_at_ms,
		step.completed_at_ms,
		turn.turn_id,
		turn.thread_id,
	);
}

function saveUsage(tx: Tx, turn: TurnRef, usage: TokenUsage): void {
	tx.run(
		"UPDATE chat_turn SET usage = ? WHERE turn_id = ? AND thread_id = ?",
		JSON.stringify(usage),
		turn.turn_id,
		turn.thread_id,
	);
}

function applyStep(tx: Tx, threadId: string, step: RolloutStep): void {
	if (step.step === "rollback") {
		rollBack(tx, threadId, step.turns);
		return;
	}
	const turn = { thread_id: threadId, turn_id: step.turn_id };
	switch (step.step) {
		case "turn":
			insertTurn(tx, turn, step.started_at_ms);
			return;
		case "item":
			putItem(tx, step.turn_id, step.item);
			return;
		case "history":
			appendHistory(tx, turn, step.items);
			return;
		case "history_replaced":
			replaceHistory(tx, turn, step.items);
			return;
		case "usage":
			saveUsage(tx, turn, step.usage);
			return;
		case "end":
			endTurn(tx, turn, step);
			return;
	}
}

function requireLoading(tx: Tx, threadId: string): RolloutRow {
	const row = findRollout(tx, threadId);
	if (row?.state !== "loading") throw new AppError("CONFLICT", "This thread's file is not being read.");
	if (requireThread(tx, threadId).active_turn_id !== null)
		throw new AppError("BUSY", "A turn is running in this thread.");
	return row;
}

/**
 * Begins to read a file from where its last whole turn ended; what was taken of a turn that had not ended goes.
 * @throws AppError THREAD_NOT_FOUND, BUSY while a turn runs, CONFLICT when the thread has had turns of its own since.
 */
export const rolloutBeginWrite = defineWrite(
	"chat.rollout.begin",
	(tx, input: { thread_id: string }): { from_bytes: number } => {
		const { thread_id } = input;
		const thread = requireThread(tx, thread_id);
		const row = findRollout(tx, thread_id);
		if (row === undefined) throw new AppError("CONFLICT", "No file is known of this thread.");
		if (thread.active_turn_id !== null) throw new AppError("BUSY", "A turn is running in this thread.");
		// A load that did not end is ours to repeat: nobody could have had a turn before its end.
		if (row.state !== "loading" && lastTurnId(tx, thread_id) !== row.last_turn_id)
			throw new AppError("CONFLICT", "This thread has had turns of its own since its file was read.");
		forget(
			tx,
			thread_id,
			tx.all<{ turn_id: string }>(
				"SELECT turn_id FROM chat_turn WHERE thread_id = ? AND position > ?",
				thread_id,
				row.boundary_position,
			),
		);
		tx.run("UPDATE chat_rollout SET state = 'loading' WHERE thread_id = ?", thread_id);
		return { from_bytes: row.boundary_bytes };
	},
);

export const rolloutStepsWrite = defineWrite(
	"chat.rollout.steps",
	(tx, input: { thread_id: string; steps: readonly RolloutStep[] }): null => {
		requireLoading(tx, input.thread_id);
		for (const step of input.steps) applyStep(tx, input.thread_id, step);
		return null;
	},
);

interface LoadedInput {
	thread_id: string;
	file: RolloutFile;
	/** Where the last whole turn ended; `position`: how many turns there are up to there. */
	boundary: { bytes: number; open_turns: number };
	skipped_lines: number;
	/** What the last turn ran with; absent members keep what the thread has. */
	model?: string | undefined;
	cwd?: string | undefined;
	approval_policy?: ApprovalPolicy | undefined;
	sandbox?: SandboxMode | undefined;
	settings?: ThreadSettings | undefined;
}

/** A thread that somebody looks into can be written to: it joins the session as an agent. */
function join(tx: Tx, thread: StoredThread): void {
	const { thread_id, archived, agent_name: name } = thread;
	if (archived || listThreadAgents(tx, thread_id).length > 0) return;
	const agent = { session_id: DEFAULT_SESSION_ID, kind: "thread" as const, thread_id };
	try {
		addAgent(tx, { ...agent, name });
	} catch (thrown) {
		if (!(thrown instanceof AppError) || thrown.code !== "AGENT_NAME_TAKEN") throw thrown;
		addAgent(tx, { ...agent, name: null });
	}
}

/** All of the file is in: counters and settings as its turns say. */
export const rolloutLoadedWrite = defineWrite(
	"chat.rollout.loaded",
	(tx, input: LoadedInput): { thread: StoredThread } => {
		const { thread_id, file, boundary } = input;
		requireLoading(tx, thread_id);
		const thread = requireThread(tx, thread_id);
		settleCounters(tx, thread_id, null);
		const last = tx.get<{ position: number | null }>(
			"SELECT max(position) AS position FROM chat_turn WHERE thread_id = ?",
			thread_id,
		);
		tx.run(
			`UPDATE chat_thread SET model = ?, cwd = ?, approval_policy = ?, sandbox = ?, settings = ?, preview = ?,
				updated_at_ms = max(updated_at_ms, ?) WHERE thread_id = ?`,
			input.model ?? thread.model,
			input.cwd ?? thread.cwd,
			input.approval_policy ?? thread.approval_policy,
			input.sandbox ?? thread.sandbox,
			JSON.stringify(mergeSettings(thread.settings, input.settings)),
			thread.preview,
			file.mtime_ms,
			thread_id,
		);
		tx.run(
			`UPDATE chat_rollout SET state = 'loaded', size_bytes = ?, mtime_ms = ?, boundary_bytes = ?, boundary_position = ?,
				last_turn_id = ?, skipped_lines = skipped_lines + ?, looked_at_ms = ? WHERE thread_id = ?`,
			file.size_bytes,
			file.mtime_ms,
			boundary.bytes,
			Math.max(0, (last?.position ?? 0) - boundary.open_turns),
			lastTurnId(tx, thread_id),
			input.skipped_lines,
			tx.nowMs,
			thread_id,
		);
		join(tx, thread);
		tx.append(threadStream(thread_id), "thread.rollout_read", { skipped_lines: input.skipped_lines });
		return { thread: requireThread(tx, thread_id) };
	},
);

/** The writes of the rollout library, for the writer thread. */
export const ROLLOUT_COMMANDS = [
	rolloutHeadsWrite,
	rolloutNamesWrite,
	rolloutBeginWrite,
	rolloutStepsWrite,
	rolloutLoadedWrite,
	rolloutExportedWrite,
] as readonly WriteCommand[];
