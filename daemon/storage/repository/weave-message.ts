import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import { newId } from "#base/id.ts";
import { type WeaveMessage, weaveMessageSchema } from "#protocol/record.ts";
import { mayAdvance } from "../../runtime/message-state.ts";
import { type Effect, type Outcome, settleQuestion } from "../../runtime/reply-target.ts";
import type { Reader, Tx } from "../store.ts";
import { sessionStream } from "./weave-session.ts";

/** Messages that may wait in one mailbox; the sender of the next one is refused with MAILBOX_FULL. */
export const MAILBOX_BOUND = 1_000;

const COLUMNS =
	"message_no, message_id, session_id, from_agent_id, from_name, to_agent_id, to_name, kind, text, in_reply_to, turn_id, state, reason, answer, created_at_ms, updated_at_ms";
/** Left to itself SQLite takes the index of all mail an agent ever got, and every message costs more than the one before. */
const MAILBOX = "weave_message INDEXED BY weave_message_mailbox";
const messageRowSchema = weaveMessageSchema.extend({
	message_no: z.number(),
	turn_id: z.string().nullable(),
});
export type MessageRow = z.infer<typeof messageRowSchema>;

/** Who a message is between; names as they are when it is sent. */
interface Party {
	readonly agent_id: string;
	readonly name: string;
}

interface NewMessage {
	session_id: string;
	from: Party;
	to: Party;
	kind: WeaveMessage["kind"];
	text: string;
	in_reply_to?: string | undefined;
	client_message_id?: string | undefined;
}

/** The row as callers of the API see it. */
export function toMessage(row: MessageRow): WeaveMessage {
	const { message_no: _order, turn_id: _turn, ...message } = row;
	return message;
}

function one(row: ReturnType<Reader["get"]>): MessageRow | undefined {
	return row === undefined ? undefined : messageRowSchema.parse(row);
}

export function findMessage(reader: Reader, messageId: string): MessageRow | undefined {
	return one(reader.get(`SELECT ${COLUMNS} FROM weave_message WHERE message_id = ?`, messageId));
}

/** The message that a sender stored under its own id before. */
export function findClientMessage(
	reader: Reader,
	fromAgentId: string,
	clientMessageId: string,
): MessageRow | undefined {
	return one(
		reader.get(
			`SELECT ${COLUMNS} FROM weave_message WHERE from_agent_id = ? AND client_message_id = ?`,
			fromAgentId,
			clientMessageId,
		),
	);
}

/** Accepted and not yet seen. */
export function mailboxLength(reader: Reader, agentId: string): number {
	const row = reader.get<{ length: number }>(
		`SELECT count(*) AS length FROM ${MAILBOX} WHERE to_agent_id = ? AND state IN ('accepted', 'delivered')`,
		agentId,
	);
	return row?.length ?? 0;
}

/** The oldest message of a mailbox after `afterNo` that waits to be handed over. */
export function nextUndelivered(reader: Reader, agentId: string, afterNo: number): MessageRow | undefined {
	return one(
		reader.get(
			`SELECT ${COLUMNS} FROM ${MAILBOX} WHERE to_agent_id = ? AND message_no > ? AND state IN ('accepted', 'delivered') AND state = 'accepted' ORDER BY message_no LIMIT 1`,
			agentId,
			afterNo,
		),
	);
}

/** The newest message between two agents that could still be answered. */
export function findOpenQuestion(reader: Reader, askerId: string, agentId: string): MessageRow | undefined {
	return one(
		reader.get(
			`SELECT ${COLUMNS} FROM weave_message WHERE to_agent_id = ? AND from_agent_id = ? AND kind = 'user'
				AND state IN ('accepted', 'delivered', 'seen') ORDER BY message_no DESC LIMIT 1`,
			agentId,
			askerId,
		),
	);
}

/** Everything not settled, oldest first; for the sweep after a start. */
export function listOpenMessages(reader: Reader): MessageRow[] {
	return reader
		.all(
			`SELECT ${COLUMNS} FROM weave_message WHERE state IN ('accepted', 'delivered', 'seen') ORDER BY message_no`,
		)
		.map((row) => messageRowSchema.parse(row));
}

/** Newest first; `agentId` narrows to its mailbox, `beforeNo` pages back. */
export function listMessages(
	reader: Reader,
	query: { session_id: string; agent_id?: string | undefined; before_no?: number | undefined; limit: number },
): MessageRow[] {
	const before = query.before_no ?? Number.MAX_SAFE_INTEGER;
	const rows =
		query.agent_id === undefined
			? reader.all(
					`SELECT ${COLUMNS} FROM weave_message WHERE session_id = ? AND message_no < ? ORDER BY message_no DESC LIMIT ?`,
					query.session_id,
					before,
					query.limit,
				)
			: reader.all(
					`SELECT ${COLUMNS} FROM weave_message WHERE to_agent_id = ? AND message_no < ? ORDER BY message_no DESC LIMIT ?`,
					query.agent_id,
					before,
					query.limit,
				);
	return rows.map((row) => messageRowSchema.parse(row));
}

/** Puts a message into a mailbox and logs `message.accepted` with the whole record. */
export function insertMessage(tx: Tx, input: NewMessage): WeaveMessage {
	const message: WeaveMessage = {
		message_id: newId(tx.nowMs),
		session_id: input.session_id,
		from_agent_id: input.from.agent_id,
		from_name: input.from.name,
		to_agent_id: input.to.agent_id,
		to_name: input.to.name,
		kind: input.kind,
		text: input.text,
		in_reply_to: input.in_reply_to ?? null,
		state: "accepted",
		reason: null,
		answer: null,
		created_at_ms: tx.nowMs,
		updated_at_ms: tx.nowMs,
	};
	tx.run(
		`INSERT INTO weave_message (message_id, session_id, from_agent_id, from_name, to_agent_id, to_name, kind, text, in_reply_to,
			client_message_id, state, created_at_ms, updated_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'accepted', ?, ?)`,
		message.message_id,
		message.session_id,
		message.from_agent_id,
		message.from_name,
		message.to_agent_id,
		message.to_name,
		message.kind,
		message.text,
		message.in_reply_to,
		input.client_message_id ?? null,
		tx.nowMs,
		tx.nowMs,
	);
	tx.append(sessionStream(message.session_id), "message.accepted", { message });
	return message;
}

/** @throws AppError MAILBOX_FULL when the target has 1,000 messages waiting. */
export function assertRoom(reader: Reader, target: Party): void {
	const length = mailboxLength(reader, target.agent_id);
	if (length < MAILBOX_BOUND) return;
	throw new AppError("MAILBOX_FULL", `The mailbox of ${target.name} is full.`, {
		data: { agent_id: target.agent_id, waiting: length, bound: MAILBOX_BOUND },
	});
}

function logChange(tx: Tx, row: MessageRow, change: Pick<WeaveMessage, "state" | "reason" | "answer">): void {
	tx.append(sessionStream(row.session_id), `message.${change.state}`, {
		message_id: row.message_id,
		to_agent_id: row.to_agent_id,
		...change,
	});
}

/** The target has it in hand; false when it is unknown or further already. */
export function markMessageDelivered(tx: Tx, messageId: string): boolean {
	const row = findMessage(tx, messageId);
	if (row === undefined || !mayAdvance(row.state, "delivered")) return false;
	tx.run(
		"UPDATE weave_message SET state = 'delivered', updated_at_ms = ? WHERE message_id = ?",
		tx.nowMs,
		messageId,
	);
	logChange(tx, row, { state: "delivered", reason: null, answer: null });
	return true;
}

/** A turn (or an external agent: null) has taken it up; false when it is unknown or further already. */
export function markMessageSeen(tx: Tx, messageId: string, turnId: string | null): boolean {
	const row = findMessage(tx, messageId);
	if (row === undefined || !mayAdvance(row.state, "seen")) return false;
	tx.run(
		"UPDATE weave_message SET state = 'seen', turn_id = ?, updated_at_ms = ? WHERE message_id = ?",
		turnId,
		tx.nowMs,
		messageId,
	);
	logChange(tx, row, { state: "seen", reason: null, answer: null });
	return true;
}

function askerOf(tx: Tx, row: MessageRow): { kind: "thread" | "external" | "person" | "left"; name: string } {
	const agent = tx.get<{ kind: "thread" | "external" | "person"; name: string; left_at_ms: number | null }>(
		"SELECT kind, name, left_at_ms FROM weave_agent WHERE agent_id = ?",
		row.from_agent_id,
	);
	if (agent === undefined || agent.left_at_ms !== null) return { kind: "left", name: row.from_name };
	return { kind: agent.kind, name: agent.name };
}

function perform(tx: Tx, row: MessageRow, effect: Effect, askerName: string): void {
	if (effect.effect === "settle") {
		const { state, answer, reason } = effect.outcome;
		tx.run(
			"UPDATE weave_message SET state = ?, answer = ?, reason = ?, updated_at_ms = ? WHERE message_id = ?",
			state,
			answer,
			reason,
			tx.nowMs,
			row.message_id,
		);
		logChange(tx, row, { state, answer, reason });
		return;
	}
	insertMessage(tx, {
		session_id: row.session_id,
		from: { agent_id: effect.from_agent_id, name: row.to_name },
		to: { agent_id: effect.to_agent_id, name: askerName },
		kind: "reply",
		text: effect.text,
		in_reply_to: effect.in_reply_to,
	});
}

/**
 * Ends a message in this unit of work, once; when an agent asked and there is an answer, its reply is put into that
 * agent's mailbox in the same unit, so that no crash comes between. Replies, controls and system mail become `done`
 * instead of `answered`. False when it is unknown or was settled before.
 */
export function settleMessage(tx: Tx, input: { message_id: string } & Outcome): boolean {
	const row = findMessage(tx, input.message_id);
	if (row === undefined) return false;
	const asker = askerOf(tx, row);
	const effects = settleQuestion(
		{ ...row, asker: asker.kind },
		{ state: input.state, answer: input.answer, reason: input.reason },
	);
	for (const effect of effects) perform(tx, row, effect, asker.name);
	return effects.length > 0;
}

/** Fails what a leaving agent was not shown; for agents outside the daemon also what they were shown, since no turn will settle it. */
export function failUndelivered(tx: Tx, agent: { agent_id: string; kind: string }, reason: string): void {
	const states = agent.kind === "external" ? "('accepted', 'delivered', 'seen')" : "('accepted')";
	const rows = tx
		.all(
			`SELECT ${COLUMNS} FROM weave_message WHERE to_agent_id = ? AND state IN ('accepted', 'delivered', 'seen') AND state IN ${states} ORDER BY message_no`,
			agent.agent_id,
		)
		.map((row) => messageRowSchema.parse(row));
	for (const row of rows)
		settleMessage(tx, { message_id: row.message_id, state: "failed", answer: null, reason });
}
