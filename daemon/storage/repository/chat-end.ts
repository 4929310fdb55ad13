import { AppError } from "#base/app-error.ts";
import { type Item, itemSchema, type TurnError } from "#protocol/codex-item.ts";
import { defineWrite, type Reader, type Tx } from "../store.ts";
import { type ActingItem, closedAs, isActing } from "./chat-acting.ts";
import { expireApprovals } from "./chat-approval.ts";
import { deleteEphemeralThreads } from "./chat-delete.ts";
import { listOpenEffects, markEffectUnknown, type OpenEffect } from "./chat-effect.ts";
import { appendHistory, hasHistory, takePendingHistory } from "./chat-history.ts";
import { listTurnMessages } from "./chat-message-row.ts";
import { requireThread, threadStream, touchThread } from "./chat-thread.ts";
import { applySteps, findTurn, type TurnStep } from "./chat-turn.ts";
import { openNextTurn, withdrawQueued } from "./chat-turn-open.ts";
import { settleMessage } from "./weave-message.ts";

interface TurnRef {
	thread_id: string;
	turn_id: string;
}

interface TurnEnd extends TurnRef {
	status: "completed" | "interrupted" | "failed";
	reason: string | null;
	error: TurnError | null;
	final_text: string | null;
	git_head_after: string | null;
}

function openItems(reader: Reader, turnId: string): { ordinal: number; item: Item }[] {
	return reader
		.all<{ ordinal: number; json: string }>(
			"SELECT ordinal, json FROM chat_item WHERE turn_id = ? AND open = 1 ORDER BY ordinal",
			turnId,
		)
		.map((row) => ({ ordinal: row.ordinal, item: itemSchema.parse(JSON.parse(row.json)) }));
}

/** Texts stay as far as they came; a command or patch that may still be under way keeps its item open. */
function closeTexts(tx: Tx, turnId: string): void {
	for (const { ordinal, item } of openItems(tx, turnId)) {
		if (!isActing(item))
			tx.run("UPDATE chat_item SET open = 0 WHERE turn_id = ? AND ordinal = ?", turnId, ordinal);
	}
}

/** Tool items of which no effect was ever intended were waiting for an answer that cannot come any more. */
function declineUnasked(tx: Tx, end: TurnEnd): void {
	for (const { ordinal, item } of openItems(tx, end.turn_id)) {
		if (!isActing(item)) continue;
		const effect = tx.get(
			"SELECT 1 AS one FROM chat_effect WHERE turn_id = ? AND item_id = ?",
			end.turn_id,
			item.id,
		);
		if (effect !== undefined) continue;
		const closed: Item = closedAs(item, "declined", tx.nowMs);
		applySteps(tx, end, [{ step: "item", ordinal, item: closed, phase: "completed" }]);
	}
}

function settleOrigins(tx: Tx, end: TurnEnd): void {
	for (const message of listTurnMessages(tx, end.turn_id)) {
		if (message.origin_message_id === null || message.state !== "taken") continue;
		if (end.status !== "completed") {
			const reason = end.status === "interrupted" ? "interrupted" : (end.error?.message ?? "failed");
			settleMessage(tx, { message_id: message.origin_message_id, state: "failed", answer: null, reason });
		} else if (end.final_text === null || end.final_text === "") {
			settleMessage(tx, { message_id: message.origin_message_id, state: "done", answer: null, reason: null });
		} else {
			settleMessage(tx, {
				message_id: message.origin_message_id,
				state: "answered",
				answer: end.final_text,
				reason: null,
			});
		}
	}
}

function closeTurn(tx: Tx, end: TurnEnd): void {
	tx.run(
		"UPDATE chat_turn SET status = ?, reason = ?, error = ?, final_text = ?, git_head_after = ?, completed_at_ms = ? WHERE turn_id = ?",
		end.status,
		end.reason,
		end.error === null ? null : JSON.stringify(end.error),
		end.final_text,
		end.git_head_after,
		tx.nowMs,
		end.turn_id,
	);
	tx.run("UPDATE chat_thread SET active_turn_id = NULL WHERE thread_id = ?", end.thread_id);
	touchThread(tx, end.thread_id);
	expireApprovals(tx, end.turn_id, end.reason ?? "the turn ended");
	closeTexts(tx, end.turn_id);
	takePendingHistory(tx, end);
	settleOrigins(tx, end);
	tx.append(threadStream(end.thread_id), `turn.${end.status}`, { turn_id: end.turn_id, reason: end.reason });
}

function isRunning(reader: Reader, turnId: string): boolean {
	return findTurn(reader, turnId)?.status === "inProgress";
}

/** What the end of a turn left behind. `ended` is false when another end came first; then nothing changed. */
export interface EndResult {
	ended: boolean;
	next_turn_id: string | null;
}

/** The end of a turn, its senders' answers, and, unless the daemon stops, the turn of what waited: one unit. */
export const endTurnWrite = defineWrite(
	"chat.turn.end",
	(tx, input: TurnEnd & { steps: readonly TurnStep[]; start_next: boolean }): EndResult => {
		if (!isRunning(tx, input.turn_id)) return { ended: false, next_turn_id: null };
		applySteps(tx, input, input.steps);
		closeTurn(tx, input);
		return { ended: true, next_turn_id: input.start_next ? openNextTurn(tx, input.thread_id) : null };
	},
);

/** `withdrawn`: the turn had not begun. */
type CancelResult = TurnRef & { withdrawn?: true };

/**
 * Interrupts the running turn, or takes a message back that waits for the turn named. `stopped`: the caller has stopped this
 * one already, so it is the one that is meant although its own end may have come first. @throws AppError THREAD_NOT_FOUND,
 * TURN_NOT_ACTIVE.
 */
export const cancelTurnWrite = defineWrite(
	"chat.turn.cancel",
	(
		tx,
		input: { thread_id: string; turn_id: string | null; reason: string; stopped?: string | null },
	): CancelResult => {
		const thread = requireThread(tx, input.thread_id);
		const active = thread.active_turn_id;
		if (input.stopped && input.stopped !== active)
			return { thread_id: input.thread_id, turn_id: input.stopped };
		if (input.turn_id !== null && input.turn_id !== active) {
			const waiting = { thread_id: input.thread_id, turn_id: input.turn_id };
			if (withdrawQueued(tx, waiting, input.reason)) return { ...waiting, withdrawn: true };
		}
		if (active === null) throw new AppError("TURN_NOT_ACTIVE", "No turn is running in this thread.");
		if (input.turn_id !== null && input.turn_id !== active)
			throw new AppError("TURN_NOT_ACTIVE", `The running turn is ${active}.`);
		const ref = { thread_id: input.thread_id, turn_id: active };
		closeTurn(tx, {
			...ref,
			status: "interrupted",
			reason: input.reason,
			error: null,
			final_text: null,
			git_head_after: null,
		});
		openNextTurn(tx, input.thread_id);
		return ref;
	},
);

/** Something of a dead daemon that still runs; found by pid and start time. */
export interface Orphan {
	effect_no: number;
	pid: number;
}

function unknownItem(item: ActingItem, effect: OpenEffect, orphan: Orphan | undefined, atMs: number): Item {
	const detail =
		orphan === undefined
			? "The daemon stopped before its end was recorded."
			: `Its process ${orphan.pid} still runs.`;
	return {
		...closedAs(item, "outcomeUnknown", atMs),
		outcomeDetail: detail,
		effectState: effect.state,
	};
}

function closeEffects(tx: Tx, effects: readonly OpenEffect[], orphans: readonly Orphan[]): void {
	for (const effect of effects) {
		const orphan = orphans.find((entry) => entry.effect_no === effect.effect_no);
		markEffectUnknown(tx, effect, { orphan_pid: orphan?.pid ?? null });
		for (const { ordinal, item } of openItems(tx, effect.turn_id)) {
			if (!isActing(item) || item.id !== effect.item_id) continue;
			applySteps(tx, effect, [
				{ step: "item", ordinal, item: unknownItem(item, effect, orphan, tx.nowMs), phase: "completed" },
			]);
		}
	}
}

function rememberTurn(tx: Tx, turn: TurnRef, tail: readonly unknown[]): void {
	const messages = listTurnMessages(tx, turn.turn_id).filter((message) => message.state === "taken");
	const items = messages.map((message) => ({
		type: "message",
		role: "user",
		content: [{ type: "input_text", text: message.text }],
	}));
	appendHistory(tx, turn, hasHistory(tx, turn.turn_id) ? tail : [...items, ...tail]);
}

function reasonWith(
	reason: string,
	turn: TurnRef,
	effects: readonly OpenEffect[],
	orphans: readonly Orphan[],
): string {
	const pids = effects
		.filter((effect) => effect.turn_id === turn.turn_id)
		.flatMap((effect) =>
			orphans.filter((orphan) => orphan.effect_no === effect.effect_no).map((orphan) => orphan.pid),
		);
	return pids.length === 0
		? reason
		: `${reason}; a command it started still runs as process ${pids.join(", ")}`;
}

export interface RecoverResult {
	/** Turns that were interrupted by this, and others whose open items were closed. */
	turns: TurnRef[];
	/** Turns of messages that had waited. */
	started: TurnRef[];
}

interface RecoverInput {
	reason: string;
	orphans: readonly Orphan[];
	/** What the model is told of an interrupted turn, at the end of its history. */
	history_tail: readonly unknown[];
}

/**
 * Puts right what a dead daemon left, once, before anything runs: turns interrupted, approvals expired, effects of
 * unknown outcome named so, senders told; side threads go; then the turns of messages that waited are opened. Nothing is repeated.
 */
export const recoverWrite = defineWrite("chat.recover", (tx, input: RecoverInput): RecoverResult => {
	const running = tx.all<{ thread_id: string; turn_id: string }>(
		"SELECT thread_id, turn_id FROM chat_turn WHERE status = 'inProgress' ORDER BY turn_id",
	);
	const effects = listOpenEffects(tx);
	closeEffects(tx, effects, input.orphans);
	for (const turn of running) {
		const reason = reasonWith(input.reason, turn, effects, input.orphans);
		const end: TurnEnd = {
			...turn,
			status: "interrupted",
			reason,
			error: null,
			final_text: null,
			git_head_after: null,
		};
		rememberTurn(tx, turn, input.history_tail);
		declineUnasked(tx, end);
		closeTurn(tx, end);
	}
	const others = effects.filter((effect) => !running.some((turn) => turn.turn_id === effect.turn_id));
	const turns = [...running, ...others].map(({ thread_id, turn_id }) => ({ thread_id, turn_id }));
	deleteEphemeralThreads(tx);
	return { turns, started: openWaiting(tx) };
});

function openWaiting(tx: Tx): TurnRef[] {
	const threads = tx.all<{ thread_id: string }>(
		`SELECT DISTINCT m.thread_id FROM chat_message m JOIN chat_thread t ON t.thread_id = m.thread_id
			WHERE m.state = 'waiting' AND t.active_turn_id IS NULL`,
	);
	return threads.flatMap(({ thread_id }) => {
		const turnId = openNextTurn(tx, thread_id);
		return turnId === null ? [] : [{ thread_id, turn_id: turnId }];
	});
}
