import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import { newId } from "#base/id.ts";
import type { UserMessageItem } from "#protocol/codex-item.ts";
import { defineWrite, type Reader, type Tx } from "../store.ts";
import {
	changeSettings,
	requireThread,
	type SettingsChange,
	type StoredThread,
	threadStream,
	touchThread,
} from "./chat-thread.ts";
import { applySteps } from "./chat-turn.ts";
import { markMessageSeen, settleMessage } from "./weave-message.ts";

const COLUMNS =
	"item_id, thread_id, turn_id, client_message_id, origin_message_id, from_name, origin_kind, client, text, delivery, state";
const messageRowSchema = z.object({
	item_id: z.string(),
	thread_id: z.string(),
	turn_id: z.string(),
	client_message_id: z.string().nullable(),
	origin_message_id: z.string().nullable(),
	from_name: z.string().nullable(),
	/** Kind of the weave message: a reply is marked as one. */
	origin_kind: z.string().nullable(),
	/** Label of the client that sent it; null for mail and for rows older than this column. */
	client: z.string().nullable(),
	text: z.string(),
	delivery: z.enum(["started", "steered", "queued"]),
	state: z.enum(["waiting", "taken"]),
});
export type ChatMessageRow = z.infer<typeof messageRowSchema>;

/** Longest title made from a first message, in characters. */
const TITLE_MAX = 80;

/** Messages of a turn in order of arrival, those that still wait for its next boundary included. */
export function listTurnMessages(reader: Reader, turnId: string): ChatMessageRow[] {
	return reader
		.all(`SELECT ${COLUMNS} FROM chat_message WHERE turn_id = ? ORDER BY message_no`, turnId)
		.map((row) => messageRowSchema.parse(row));
}

function listWaiting(reader: Reader, threadId: string): ChatMessageRow[] {
	return reader
		.all(
			`SELECT ${COLUMNS} FROM chat_message WHERE thread_id = ? AND state = 'waiting' ORDER BY message_no`,
			threadId,
		)
		.map((row) => messageRowSchema.parse(row));
}

/** The user item of a message, with the sender of a weave message beside it. */
export function userItemOf(message: ChatMessageRow, atMs: number): UserMessageItem {
	const origin =
		message.origin_message_id === null
			? {}
			: { fromName: message.from_name, weaveMessageId: message.origin_message_id };
	return {
		type: "userMessage",
		id: message.item_id,
		clientId: message.client_message_id,
		content: [{ type: "text", text: message.text, text_elements: [] }],
		startedAtMs: atMs,
		completedAtMs: atMs,
		...origin,
	};
}

interface Arrival {
	thread_id: string;
	text: string;
	client_message_id: string | null;
	origin_message_id: string | null;
	from_name: string | null;
	origin_kind: string | null;
	client: string | null;
}

/** What a person sends has no origin on the bus. */
const NO_ORIGIN = { origin_message_id: null, from_name: null, origin_kind: null };

function insertArrival(
	tx: Tx,
	arrival: Arrival,
	turnId: string,
	delivery: ChatMessageRow["delivery"],
): ChatMessageRow {
	const row: ChatMessageRow = {
		...arrival,
		item_id: newId(tx.nowMs),
		turn_id: turnId,
		delivery,
		state: "waiting",
	};
	tx.run(
		`INSERT INTO chat_message (${COLUMNS}, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		row.item_id,
		row.thread_id,
		row.turn_id,
		row.client_message_id,
		row.origin_message_id,
		row.from_name,
		row.origin_kind,
		row.client,
		row.text,
		row.delivery,
		row.state,
		tx.nowMs,
	);
	tx.append(threadStream(row.thread_id), `message.${delivery}`, {
		item_id: row.item_id,
		turn_id: turnId,
		client_message_id: row.client_message_id,
		origin_message_id: row.origin_message_id,
	});
	return row;
}

/** Opens a turn on these messages: turn row, user items and the senders' `seen` in the caller's unit. */
function openTurn(tx: Tx, threadId: string, turnId: string, messages: readonly ChatMessageRow[]): void {
	const origin = messages.find((message) => message.origin_message_id !== null)?.origin_message_id ?? null;
	const title = messages[0]?.text.trim().split("\n")[0]?.slice(0, TITLE_MAX) ?? null;
	tx.run(
		"UPDATE chat_thread SET active_turn_id = ?, turn_count = turn_count + 1, title = coalesce(title, ?), updated_at_ms = ? WHERE thread_id = ?",
		turnId,
		title,
		tx.nowMs,
		threadId,
	);
	tx.run(
		`INSERT INTO chat_turn (turn_id, thread_id, position, status, origin_message_id, started_at_ms)
			SELECT ?, thread_id, turn_count, 'inProgress', ?, ? FROM chat_thread WHERE thread_id = ?`,
		turnId,
		origin,
		tx.nowMs,
		threadId,
	);
	tx.append(threadStream(threadId), "turn.started", { turn_id: turnId });
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

function assertInUse(thread: StoredThread): void {
	if (thread.archived)
		throw new AppError("CONFLICT", "This thread is archived; take it back with `weave-codex chat resume`.");
}

export interface SendResult {
	thread_id: string;
	turn_id: string;
	delivery: ChatMessageRow["delivery"];
}

function sentBefore(
	tx: Tx,
	threadId: string,
	clientMessageId: string | null,
	text: string,
): SendResult | undefined {
	if (clientMessageId === null) return undefined;
	const row = tx.get(
		`SELECT ${COLUMNS} FROM chat_message WHERE thread_id = ? AND client_message_id = ?`,
		threadId,
		clientMessageId,
	);
	if (row === undefined) return undefined;
	const known = messageRowSchema.parse(row);
	if (known.text !== text)
		throw new AppError("CONFLICT", "Another message was sent with this client_message_id.");
	return { thread_id: threadId, turn_id: known.turn_id, delivery: known.delivery };
}

function place(tx: Tx, thread: StoredThread, arrival: Arrival, whenBusy: "steer" | "queue"): SendResult {
	touchThread(tx, thread.thread_id);
	if (thread.active_turn_id !== null) {
		const delivery = whenBusy === "steer" ? "steered" : "queued";
		const row = insertArrival(
			tx,
			arrival,
			whenBusy === "steer" ? thread.active_turn_id : newId(tx.nowMs),
			delivery,
		);
		return { thread_id: thread.thread_id, turn_id: row.turn_id, delivery };
	}
	const row = insertArrival(tx, arrival, newId(tx.nowMs), "started");
	openTurn(tx, thread.thread_id, row.turn_id, [row]);
	return { thread_id: thread.thread_id, turn_id: row.turn_id, delivery: "started" };
}

type SendInput = SettingsChange & {
	thread_id: string;
	text: string;
	client_message_id: string | null;
	client: string;
	when_busy: "steer" | "queue";
};

/** Message and turn in one unit; a known client id changes nothing and tells the first answer. @throws AppError THREAD_NOT_FOUND, CONFLICT. */
export const sendMessageWrite = defineWrite("chat.message.send", (tx, input: SendInput): SendResult => {
	const thread = requireThread(tx, input.thread_id);
	const before = sentBefore(tx, input.thread_id, input.client_message_id, input.text);
	if (before) return before;
	assertInUse(thread);
	changeSettings(tx, thread, input);
	const { thread_id, text, client_message_id, client } = input;
	return place(tx, thread, { thread_id, text, client_message_id, client, ...NO_ORIGIN }, input.when_busy);
});

type SteerInput = {
	thread_id: string;
	expected_turn_id: string;
	text: string;
	client_message_id: string | null;
	client: string;
};

/** @throws AppError THREAD_NOT_FOUND, TURN_NOT_ACTIVE when that turn is not the running one. */
export const steerWrite = defineWrite(
	"chat.message.steer",
	(tx, input: SteerInput): { thread_id: string; turn_id: string } => {
		const thread = requireThread(tx, input.thread_id);
		const before = sentBefore(tx, input.thread_id, input.client_message_id, input.text);
		if (before) return { thread_id: before.thread_id, turn_id: before.turn_id };
		if (thread.active_turn_id === null)
			throw new AppError("TURN_NOT_ACTIVE", "No turn is running in this thread.");
		if (thread.active_turn_id !== input.expected_turn_id) {
			throw new AppError(
				"TURN_NOT_ACTIVE",
				`Expected active turn ${input.expected_turn_id} but found ${thread.active_turn_id}.`,
			);
		}
		const { thread_id, text, client_message_id, client } = input;
		const arrival = { thread_id, text, client_message_id, client, ...NO_ORIGIN };
		const sent = place(tx, thread, arrival, "steer");
		return { thread_id: sent.thread_id, turn_id: sent.turn_id };
	},
);

type DeliverInput = {
	thread_id: string;
	message_id: string;
	from_name: string;
	text: string;
	kind?: string | undefined;
};

/** A weave message becomes a turn, now or after those before it; the same message never makes two. @throws AppError THREAD_NOT_FOUND, CONFLICT. */
export const deliverWrite = defineWrite("chat.message.deliver", (tx, input: DeliverInput): SendResult => {
	const known = tx.get(`SELECT ${COLUMNS} FROM chat_message WHERE origin_message_id = ?`, input.message_id);
	if (known !== undefined) {
		const row = messageRowSchema.parse(known);
		return { thread_id: row.thread_id, turn_id: row.turn_id, delivery: row.delivery };
	}
	const thread = requireThread(tx, input.thread_id);
	assertInUse(thread);
	const { thread_id, text, from_name, message_id, kind } = input;
	const origin = { origin_message_id: message_id, from_name, origin_kind: kind ?? null };
	return place(tx, thread, { thread_id, text, client_message_id: null, client: null, ...origin }, "queue");
});
