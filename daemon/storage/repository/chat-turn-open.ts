import { AppError } from "#base/app-error.ts";
import { newId } from "#base/id.ts";
import type { TurnKind } from "#protocol/record.ts";
import type { Tx } from "../store.ts";
import { type ChatMessageRow, listWaiting, userItemOf } from "./chat-message-row.ts";
import { type StoredThread, threadStream } from "./chat-thread.ts";
import { applySteps, type TurnOptions } from "./chat-turn.ts";
import { markMessageSeen, settleMessage } from "./weave-message.ts";

/** Longest title made from a first message, in characters. */
const TITLE_MAX = 80;
/** Longest preview of a thread, in characters: some lines of a list. */
const PREVIEW_MAX = 1_000;

interface TurnRef {
	thread_id: string;
	turn_id: string;
}

function insertTurn(
	tx: Tx,
	turn: TurnRef,
	about: { kind: TurnKind; options: string | null; origin: string | null },
): void {
	tx.run(
		`INSERT INTO chat_turn (turn_id, thread_id, position, kind, options, status, origin_message_id, started_at_ms)
			SELECT ?, thread_id, turn_count, ?, ?, 'inProgress', ?, ? FROM chat_thread WHERE thread_id = ?`,
		turn.turn_id,
		about.kind,
		about.options,
		about.origin,
		tx.nowMs,
		turn.thread_id,
	);
	tx.append(threadStream(turn.thread_id), "turn.started", { turn_id: turn.turn_id });
}

/** Opens a turn that no message asked for. @throws AppError BUSY while another runs, CONFLICT for an archived thread. */
export function openTask(
	tx: Tx,
	thread: StoredThread,
	task: { turn_id: string; kind: TurnKind; options?: TurnOptions },
): void {
	assertInUse(thread);
	if (thread.active_turn_id !== null) throw new AppError("BUSY", "A turn is running in this thread.");
	const { thread_id } = thread;
	tx.run(
		"UPDATE chat_thread SET active_turn_id = ?, turn_count = turn_count + 1, updated_at_ms = ? WHERE thread_id = ?",
		task.turn_id,
		tx.nowMs,
		thread_id,
	);
	const options = task.options === undefined ? null : JSON.stringify(task.options);
	insertTurn(tx, { thread_id, turn_id: task.turn_id }, { kind: task.kind, options, origin: null });
}

/** @throws AppError CONFLICT when it was put away. */
export function assertInUse(thread: StoredThread): void {
	if (thread.archived)
		throw new AppError("CONFLICT", "This thread is archived; take it back with `weave-codex chat resume`.");
}

/** Opens a turn on these messages: turn row, user items and the senders' `seen` in the caller's unit. */
export function openTurn(
	tx: Tx,
	threadId: string,
	turnId: string,
	messages: readonly ChatMessageRow[],
): void {
	const origin = messages.find((message) => message.origin_message_id !== null)?.origin_message_id ?? null;
	const first = messages[0]?.text.trim() ?? "";
	tx.run(
		`UPDATE chat_thread SET active_turn_id = ?, turn_count = turn_count + 1, title = coalesce(title, ?), preview = coalesce(preview, ?),
			updated_at_ms = ? WHERE thread_id = ?`,
		turnId,
		first.split("\n")[0]?.slice(0, TITLE_MAX) ?? null,
		first.slice(0, PREVIEW_MAX),
		tx.nowMs,
		threadId,
	);
	const options = messages.find((message) => message.turn_options !== null)?.turn_options ?? null;
	insertTurn(tx, { thread_id: threadId, turn_id: turnId }, { kind: "regular", options, origin });
	messages.forEach((message, ordinal) => {
		tx.run("UPDATE chat_message SET state = 'taken', turn_id = ? WHERE item_id = ?", turnId, message.item_id);
		applySteps(tx, { thread_id: threadId, turn_id: turnId }, [
			{ step: "item", ordinal, item: userItemOf(message, tx.nowMs), phase: "completed" },
		]);
		if (message.origin_message_id !== null) markMessageSeen(tx, message.origin_message_id, turnId);
	});
}

/**
 * Starts a turn on what waits in an idle thread: first everything that was meant to steer a turn that ended before it
 * looked, else the oldest message that was queued. Returns the turn's id, or null when nothing waits.
 */
export function openNextTurn(tx: Tx, threadId: string): string | null {
	const waiting = listWaiting(tx, threadId);
	const steers = waiting.filter((message) => message.delivery === "steered");
	if (steers.length > 0) {
		const turnId = newId(tx.nowMs);
		openTurn(tx, threadId, turnId, steers);
		return turnId;
	}
	const head = waiting[0];
	if (head === undefined) return null;
	openTurn(tx, threadId, head.turn_id, [head]);
	return head.turn_id;
}

/**
 * Takes a message back that still waits for its turn: the turn is there, interrupted before it began, so that what was
 * acknowledged reads back and a repeated send changes nothing. The model never sees it. False when nothing waits for that turn.
 */
export function withdrawQueued(
	tx: Tx,
	turn: { thread_id: string; turn_id: string },
	reason: string,
): boolean {
	const message = listWaiting(tx, turn.thread_id).find(
		(row) => row.turn_id === turn.turn_id && row.delivery === "queued",
	);
	if (message === undefined) return false;
	tx.run("UPDATE chat_thread SET turn_count = turn_count + 1 WHERE thread_id = ?", turn.thread_id);
	tx.run(
		`INSERT INTO chat_turn (turn_id, thread_id, position, status, reason, origin_message_id, started_at_ms, completed_at_ms)
			SELECT ?, thread_id, turn_count, 'interrupted', ?, ?, ?, ? FROM chat_thread WHERE thread_id = ?`,
		turn.turn_id,
		reason,
		message.origin_message_id,
		tx.nowMs,
		tx.nowMs,
		turn.thread_id,
	);
	tx.run("UPDATE chat_message SET state = 'taken' WHERE item_id = ?", message.item_id);
	applySteps(tx, turn, [
		{ step: "item", ordinal: 0, item: userItemOf(message, tx.nowMs), phase: "completed" },
	]);
	tx.append(threadStream(turn.thread_id), "message.withdrawn", {
		item_id: message.item_id,
		turn_id: turn.turn_id,
		reason,
	});
	if (message.origin_message_id !== null) {
		const failed = { state: "failed" as const, answer: null, reason: "interrupted" };
		settleMessage(tx, { message_id: message.origin_message_id, ...failed });
	}
	return true;
}
