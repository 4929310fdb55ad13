import { z } from "zod";
import {
	type Item,
	itemSchema,
	type TokenUsage,
	type TurnError,
	turnErrorSchema,
} from "#protocol/codex-item.ts";
import { type Turn, type TurnKind, turnKindSchema, turnStatusSchema } from "#protocol/record.ts";
import { defineWrite, type Reader, type Row, type Tx } from "../store.ts";
import type { EffectKind } from "./audit-chat.ts";
import { intendEffect, markEffectDone, markEffectStarted } from "./chat-effect.ts";
import { appendHistory, appendHistoryLater, dropPendingHistory, replaceHistory } from "./chat-history.ts";
import { threadStream } from "./chat-thread.ts";

const COLUMNS =
	"turn_id, thread_id, position, kind, status, reason, error, started_at_ms, completed_at_ms, git_head_before, git_head_after";
const turnRowSchema = z.object({
	turn_id: z.string(),
	thread_id: z.string(),
	position: z.number(),
	kind: turnKindSchema,
	status: turnStatusSchema,
	reason: z.string().nullable(),
	error: z.string().nullable(),
	started_at_ms: z.number(),
	completed_at_ms: z.number().nullable(),
	git_head_before: z.string().nullable(),
	git_head_after: z.string().nullable(),
});
export type TurnRow = z.infer<typeof turnRowSchema>;

/** The record of a turn without its items. */
function toTurn(row: TurnRow): Turn {
	const { position: _position, ...turn } = row;
	return {
		...turn,
		error: row.error === null ? null : turnErrorSchema.parse(JSON.parse(row.error)),
		items: [],
	};
}

function parseTurn(row: Row): TurnRow {
	return turnRowSchema.parse(row);
}

/** Without items, as the events carry it. */
export function findTurn(reader: Reader, turnId: string): Turn | undefined {
	const row = reader.get(`SELECT ${COLUMNS} FROM chat_turn WHERE turn_id = ?`, turnId);
	return row === undefined ? undefined : toTurn(parseTurn(row));
}

const turnOptionsSchema = z.looseObject({
	/** Of a person's own shell command. */
	command: z.string().optional(),
	output_schema: z.record(z.string(), z.unknown()).optional(),
	review: z
		.looseObject({
			target: z.record(z.string(), z.unknown()),
			userFacingHint: z.string(),
			prompt: z.string(),
		})
		.optional(),
});
/** What was asked of one turn beside its messages. */
export type TurnOptions = z.infer<typeof turnOptionsSchema>;

function parseTurnOptions(json: string | null): TurnOptions {
	return json === null ? {} : turnOptionsSchema.parse(JSON.parse(json));
}

/** What a turn of this thread is for, and what was asked of it. */
export function readTurnTask(
	reader: Reader,
	turn: { thread_id: string; turn_id: string },
): { kind: TurnKind; options: TurnOptions } {
	const row = reader.get<{ kind: string; options: string | null }>(
		"SELECT kind, options FROM chat_turn WHERE turn_id = ? AND thread_id = ?",
		turn.turn_id,
		turn.thread_id,
	);
	return {
		kind: turnKindSchema.parse(row?.kind ?? "regular"),
		options: parseTurnOptions(row?.options ?? null),
	};
}

/** The last words of a completed turn; null when there were none. */
export function readFinalText(reader: Reader, turnId: string): string | null {
	return (
		reader.get<{ final_text: string | null }>("SELECT final_text FROM chat_turn WHERE turn_id = ?", turnId)
			?.final_text ?? null
	);
}

/** Items of a turn in order; what is open carries its partial text of the last save. */
export function readItems(reader: Reader, turnId: string): Item[] {
	return reader
		.all<{ json: string }>("SELECT json FROM chat_item WHERE turn_id = ? ORDER BY ordinal", turnId)
		.map((row) => itemSchema.parse(JSON.parse(row.json)));
}

/**
 * The newest `limit` turns before `beforeTurnId`, oldest first. `liveItems` gives the items of turns in memory, which are
 * ahead of the last save.
 */
export function readTurns(
	reader: Reader,
	page: { thread_id: string; limit: number; before_turn_id?: string | undefined },
	liveItems: (turnId: string) => Item[] | undefined = () => undefined,
): { turns: Turn[]; has_more: boolean } {
	const before =
		page.before_turn_id === undefined
			? undefined
			: reader.get<{ position: number }>(
					"SELECT position FROM chat_turn WHERE turn_id = ? AND thread_id = ?",
					page.before_turn_id,
					page.thread_id,
				);
	const rows = reader.all(
		`SELECT ${COLUMNS} FROM chat_turn WHERE thread_id = ? AND position < ? ORDER BY position DESC LIMIT ?`,
		page.thread_id,
		before?.position ?? Number.MAX_SAFE_INTEGER,
		page.limit + 1,
	);
	const turns = rows
		.slice(0, page.limit)
		.map(parseTurn)
		.map((row) => ({ ...toTurn(row), items: liveItems(row.turn_id) ?? readItems(reader, row.turn_id) }))
		.reverse();
	return { turns, has_more: rows.length > page.limit };
}

/** One step of a running turn, in the order in which it happened; steps made together commit together. */
export type TurnStep =
	/** `saved`: only the text so far, not told in the log. */
	| { step: "item"; ordinal: number; item: Item; phase: "started" | "saved" | "completed" }
	| { step: "history"; items: readonly unknown[] }
	/** After what the turn itself adds. */
	| { step: "history_later"; items: readonly unknown[] }
	/** The turn adds these itself now, which were to come after it. */
	| { step: "history_taken_up"; items: readonly unknown[] }
	/** The whole history from here on; what was before stays, for a rollback. */
	| { step: "history_replaced"; items: readonly unknown[] }
	| { step: "usage"; usage: TokenUsage }
	| { step: "error"; error: TurnError; will_retry: boolean }
	| { step: "git_head_before" | "git_head_after"; head: string }
	| {
			step: "effect_intended";
			item_id: string;
			kind: EffectKind;
			detail: Readonly<Record<string, unknown>>;
	  }
	| { step: "effect_started"; item_id: string; pid: number; start_time: string | null }
	| { step: "effect_done"; item_id: string; outcome: Readonly<Record<string, unknown>> };

interface TurnRef {
	thread_id: string;
	turn_id: string;
}

function writeItem(tx: Tx, turn: TurnRef, step: Extract<TurnStep, { step: "item" }>): void {
	const { item, ordinal, phase } = step;
	tx.run(
		`INSERT INTO chat_item (turn_id, ordinal, item_id, open, json) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (turn_id, ordinal) DO UPDATE SET open = excluded.open, json = excluded.json`,
		turn.turn_id,
		ordinal,
		item.id,
		phase === "completed" ? 0 : 1,
		JSON.stringify(item),
	);
	if (phase === "saved") return;
	if (item.type === "userMessage")
		tx.run("UPDATE chat_message SET state = 'taken' WHERE item_id = ? AND state = 'waiting'", item.id);
	tx.append(threadStream(turn.thread_id), `item.${phase}`, {
		turn_id: turn.turn_id,
		item_id: item.id,
		ordinal,
		item_type: item.type,
		status: "status" in item ? item.status : null,
	});
}

/** The thread has the newest; each turn what it came to by its end, for a fork or a rollback that ends there. */
function saveUsage(tx: Tx, turn: TurnRef, usage: string): void {
	tx.run("UPDATE chat_thread SET usage = ? WHERE thread_id = ?", usage, turn.thread_id);
	tx.run(
		"UPDATE chat_turn SET usage = ? WHERE turn_id = ? AND thread_id = ?",
		usage,
		turn.turn_id,
		turn.thread_id,
	);
}

/** In an idle thread there is nothing to wait for. */
function keepForLater(tx: Tx, turn: TurnRef, items: readonly unknown[]): void {
	const thread = tx.get<{ active_turn_id: string | null }>(
		"SELECT active_turn_id FROM chat_thread WHERE thread_id = ?",
		turn.thread_id,
	);
	if (thread?.active_turn_id != null) appendHistoryLater(tx, turn.thread_id, items);
	else appendHistory(tx, turn, items);
}

function applyStep(tx: Tx, turn: TurnRef, step: TurnStep): void {
	switch (step.step) {
		case "item":
			writeItem(tx, turn, step);
			return;
		case "history":
			appendHistory(tx, turn, step.items);
			return;
		case "history_later":
			keepForLater(tx, turn, step.items);
			return;
		case "history_taken_up":
			dropPendingHistory(tx, turn.thread_id, step.items);
			return;
		case "history_replaced":
			replaceHistory(tx, turn, step.items);
			return;
		case "usage":
			saveUsage(tx, turn, JSON.stringify(step.usage));
			return;
		case "error":
			tx.append(threadStream(turn.thread_id), "turn.error", {
				turn_id: turn.turn_id,
				error: step.error,
				will_retry: step.will_retry,
			});
			return;
		case "git_head_before":
			tx.run("UPDATE chat_turn SET git_head_before = ? WHERE turn_id = ?", step.head, turn.turn_id);
			return;
		case "git_head_after":
			tx.run("UPDATE chat_turn SET git_head_after = ? WHERE turn_id = ?", step.head, turn.turn_id);
			return;
		case "effect_intended":
			intendEffect(tx, turn, step);
			return;
		case "effect_started":
			markEffectStarted(tx, turn, step);
			return;
		case "effect_done":
			markEffectDone(tx, turn, step);
			return;
	}
}

export function applySteps(tx: Tx, turn: TurnRef, steps: readonly TurnStep[]): void {
	for (const step of steps) applyStep(tx, turn, step);
}

/** Saves steps of a turn; also of one that has ended, whose command runs on. */
export const saveStepsWrite = defineWrite(
	"chat.turn.steps",
	(tx, input: TurnRef & { steps: readonly TurnStep[] }): null => {
		const known = tx.get(
			"SELECT 1 AS one FROM chat_turn WHERE turn_id = ? AND thread_id = ?",
			input.turn_id,
			input.thread_id,
		);
		// A command may outlive its turn, which was rolled back or deleted meanwhile; what was done is still written down.
		const steps =
			known === undefined
				? input.steps.filter(({ step }) => step === "effect_started" || step === "effect_done")
				: input.steps;
		applySteps(tx, input, steps);
		return null;
	},
);
