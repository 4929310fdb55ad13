import { AppError } from "#base/app-error.ts";
import { newId } from "#base/id.ts";
import { defineWrite, type Tx } from "../store.ts";
import { type ChatMessageRow, MESSAGE_COLUMNS, parseMessage } from "./chat-message-row.ts";
import {
	changeSettings,
	requireThread,
	type SettingsChange,
	type StoredThread,
	threadStream,
	touchThread,
} from "./chat-thread.ts";
import { readTurnTask } from "./chat-turn.ts";
import { assertInUse, openTurn } from "./chat-turn-open.ts";

interface Arrival {
	thread_id: string;
	text: string;
	content: string | null;
	turn_options: string | null;
	client_message_id: string | null;
	origin_message_id: string | null;
	from_name: string | null;
	origin_kind: string | null;
	client: string | null;
}

/** What a person sends has no origin on the bus. */
const NO_ORIGIN = { origin_message_id: null, from_name: null, origin_kind: null };
const PLAIN = { content: null, turn_options: null };

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
		`INSERT INTO chat_message (${MESSAGE_COLUMNS}, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		row.item_id,
		row.thread_id,
		row.turn_id,
		row.client_message_id,
		row.origin_message_id,
		row.from_name,
		row.origin_kind,
		row.client,
		row.text,
		row.content,
		row.turn_options,
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

export interface SendResult {
	thread_id: string;
	turn_id: string;
	delivery: ChatMessageRow["delivery"];
}

function sentBefore(
	tx: Tx,
	sent: { thread_id: string; client_message_id: string | null; text: string; content?: string | null },
): SendResult | undefined {
	const { thread_id: threadId, client_message_id: clientMessageId } = sent;
	if (clientMessageId === null) return undefined;
	const row = tx.get(
		`SELECT ${MESSAGE_COLUMNS} FROM chat_message WHERE thread_id = ? AND client_message_id = ?`,
		threadId,
		clientMessageId,
	);
	if (row === undefined) return undefined;
	const known = parseMessage(row);
	if (known.text !== sent.text || known.content !== (sent.content ?? null))
		throw new AppError("CONFLICT", "Another message was sent with this client_message_id.");
	return { thread_id: threadId, turn_id: known.turn_id, delivery: known.delivery };
}

/** Only a turn that answers messages looks for more of them; after the others they start a turn. */
function steerable(tx: Tx, thread: StoredThread, turnId: string): boolean {
	return readTurnTask(tx, { thread_id: thread.thread_id, turn_id: turnId }).kind === "regular";
}

function place(tx: Tx, thread: StoredThread, arrival: Arrival, whenBusy: "steer" | "queue"): SendResult {
	const { thread_id, active_turn_id: active } = thread;
	touchThread(tx, thread_id);
	if (active !== null) {
		const steers = whenBusy === "steer" && steerable(tx, thread, active);
		const delivery = steers ? "steered" : "queued";
		const row = insertArrival(tx, arrival, steers ? active : newId(tx.nowMs), delivery);
		return { thread_id, turn_id: row.turn_id, delivery };
	}
	const row = insertArrival(tx, arrival, newId(tx.nowMs), "started");
	openTurn(tx, thread_id, row.turn_id, [row]);
	return { thread_id, turn_id: row.turn_id, delivery: "started" };
}

type SendInput = SettingsChange & {
	thread_id: string;
	text: string;
	/** Its parts, JSON, where it is more than one plain text. */
	content?: string | null;
	/** For the turn that it opens, JSON. */
	turn_options?: string | null;
	/** Refused unless this turn runs. */
	expected_turn_id?: string | undefined;
	client_message_id: string | null;
	client: string;
	when_busy: "steer" | "queue";
};

/** @throws AppError TURN_NOT_ACTIVE with the running turn's id in `data`. */
function assertActive(thread: StoredThread, expected: string): void {
	const active = thread.active_turn_id;
	if (active === expected) return;
	const message =
		active === null
			? "No turn is running in this thread."
			: `Expected active turn ${expected} but found ${active}.`;
	throw new AppError("TURN_NOT_ACTIVE", message, { data: { active_turn_id: active } });
}

/** Message and turn in one unit; a known client id changes nothing and tells the first answer. @throws AppError THREAD_NOT_FOUND, TURN_NOT_ACTIVE, CONFLICT. */
export const sendMessageWrite = defineWrite("chat.message.send", (tx, input: SendInput): SendResult => {
	const thread = requireThread(tx, input.thread_id);
	const before = sentBefore(tx, input);
	if (before) return before;
	assertInUse(thread);
	if (input.expected_turn_id !== undefined) assertActive(thread, input.expected_turn_id);
	changeSettings(tx, thread, input);
	const { thread_id, text, content = null, turn_options = null, client_message_id, client } = input;
	const arrival = { thread_id, text, content, turn_options, client_message_id, client, ...NO_ORIGIN };
	return place(tx, thread, arrival, input.when_busy);
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
		const before = sentBefore(tx, input);
		if (before) return { thread_id: before.thread_id, turn_id: before.turn_id };
		assertActive(thread, input.expected_turn_id);
		const { thread_id, text, client_message_id, client } = input;
		const arrival = { thread_id, text, client_message_id, client, ...PLAIN, ...NO_ORIGIN };
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
	const known = tx.get(
		`SELECT ${MESSAGE_COLUMNS} FROM chat_message WHERE origin_message_id = ?`,
		input.message_id,
	);
	if (known !== undefined) {
		const row = parseMessage(known);
		return { thread_id: row.thread_id, turn_id: row.turn_id, delivery: row.delivery };
	}
	const thread = requireThread(tx, input.thread_id);
	assertInUse(thread);
	const { thread_id, text, from_name, message_id, kind } = input;
	const origin = { origin_message_id: message_id, from_name, origin_kind: kind ?? null };
	return place(
		tx,
		thread,
		{ thread_id, text, client_message_id: null, client: null, ...PLAIN, ...origin },
		"queue",
	);
});
