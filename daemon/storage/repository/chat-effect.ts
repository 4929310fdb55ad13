import { z } from "zod";
import type { Reader, Tx } from "../store.ts";
import { auditEnded, auditIntended, EFFECT_KINDS, type EffectKind } from "./audit-chat.ts";
import { threadStream } from "./chat-thread.ts";

interface TurnRef {
	thread_id: string;
	turn_id: string;
}

const openEffectSchema = z.object({
	effect_no: z.number(),
	thread_id: z.string(),
	turn_id: z.string(),
	item_id: z.string(),
	kind: z.enum(EFFECT_KINDS),
	state: z.enum(["intended", "started"]),
	pid: z.number().nullable(),
	start_time: z.string().nullable(),
});
/** Something that may have happened: intended or started, and not known to be done. */
export type OpenEffect = z.infer<typeof openEffectSchema>;

export function intendEffect(
	tx: Tx,
	turn: TurnRef,
	effect: { item_id: string; kind: EffectKind; detail: Readonly<Record<string, unknown>> },
): void {
	const row = tx.get<{ effect_no: number }>(
		"INSERT INTO chat_effect (thread_id, turn_id, item_id, kind, state, detail, intended_at_ms) VALUES (?, ?, ?, ?, 'intended', ?, ?) RETURNING effect_no",
		turn.thread_id,
		turn.turn_id,
		effect.item_id,
		effect.kind,
		JSON.stringify(effect.detail),
		tx.nowMs,
	);
	tx.append(threadStream(turn.thread_id), "effect.intended", {
		turn_id: turn.turn_id,
		item_id: effect.item_id,
		kind: effect.kind,
	});
	auditIntended(tx, { ...turn, ...effect, effect_no: row?.effect_no ?? 0 });
}

/** The newest effect of that item: a provider may use a call id again. */
const NEWEST = "effect_no = (SELECT max(effect_no) FROM chat_effect WHERE turn_id = ? AND item_id = ?)";

export function markEffectStarted(
	tx: Tx,
	turn: TurnRef,
	process: { item_id: string; pid: number; start_time: string | null },
): void {
	tx.run(
		`UPDATE chat_effect SET state = 'started', pid = ?, start_time = ? WHERE ${NEWEST} AND state = 'intended'`,
		process.pid,
		process.start_time,
		turn.turn_id,
		process.item_id,
	);
	tx.append(threadStream(turn.thread_id), "effect.started", {
		turn_id: turn.turn_id,
		item_id: process.item_id,
		pid: process.pid,
	});
}

export function markEffectDone(
	tx: Tx,
	turn: TurnRef,
	done: { item_id: string; outcome: Readonly<Record<string, unknown>> },
): void {
	const row = tx.get<{ effect_no: number; kind: EffectKind }>(
		`UPDATE chat_effect SET state = 'done', outcome = ?, done_at_ms = ? WHERE ${NEWEST} RETURNING effect_no, kind`,
		JSON.stringify(done.outcome),
		tx.nowMs,
		turn.turn_id,
		done.item_id,
	);
	tx.append(threadStream(turn.thread_id), "effect.done", { turn_id: turn.turn_id, item_id: done.item_id });
	if (row !== undefined) auditEnded(tx, { ...turn, ...done, ...row, state: "done" });
}

/** Effects that a dead process left open, first intended first. */
export function listOpenEffects(reader: Reader): OpenEffect[] {
	return reader
		.all(
			`SELECT effect_no, thread_id, turn_id, item_id, kind, state, pid, start_time FROM chat_effect
				WHERE state IN ('intended', 'started') ORDER BY effect_no`,
		)
		.map((row) => openEffectSchema.parse(row));
}

/** Never repeated, never guessed: what became of it is not known. */
export function markEffectUnknown(
	tx: Tx,
	effect: OpenEffect,
	outcome: Readonly<Record<string, unknown>>,
): void {
	tx.run(
		"UPDATE chat_effect SET state = 'unknown', outcome = ?, done_at_ms = ? WHERE effect_no = ?",
		JSON.stringify(outcome),
		tx.nowMs,
		effect.effect_no,
	);
	tx.append(threadStream(effect.thread_id), "effect.unknown", {
		turn_id: effect.turn_id,
		item_id: effect.item_id,
		...outcome,
	});
	auditEnded(tx, { ...effect, outcome, state: "unknown" });
}
