import { z } from "zod";
import { type UserInput, type UserMessageItem, userInputSchema } from "#protocol/codex-item.ts";
import type { Reader, Row } from "../store.ts";

export const MESSAGE_COLUMNS =
	"item_id, thread_id, turn_id, client_message_id, origin_message_id, from_name, origin_kind, client, text, content, turn_options, delivery, state";
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
	/** The text parts of what was sent, a line each. */
	text: z.string(),
	/** Every part as it was sent, JSON; null when it was one plain text. */
	content: z.string().nullable(),
	/** For the turn that it opens, JSON. */
	turn_options: z.string().nullable(),
	delivery: z.enum(["started", "steered", "queued"]),
	state: z.enum(["waiting", "taken"]),
});
export type ChatMessageRow = z.infer<typeof messageRowSchema>;

export function parseMessage(row: Row): ChatMessageRow {
	return messageRowSchema.parse(row);
}

const contentSchema = z.array(userInputSchema);

/** Part by part what was sent. */
export function contentOf(message: ChatMessageRow): UserInput[] {
	if (message.content === null) return [{ type: "text", text: message.text, text_elements: [] }];
	return contentSchema.parse(JSON.parse(message.content));
}

/** Messages of a turn in order of arrival, those that still wait for its next boundary included. */
export function listTurnMessages(reader: Reader, turnId: string): ChatMessageRow[] {
	return reader
		.all(`SELECT ${MESSAGE_COLUMNS} FROM chat_message WHERE turn_id = ? ORDER BY message_no`, turnId)
		.map(parseMessage);
}

/** Messages of a thread that no turn has taken yet, in order of arrival. */
export function listWaiting(reader: Reader, threadId: string): ChatMessageRow[] {
	return reader
		.all(
			`SELECT ${MESSAGE_COLUMNS} FROM chat_message WHERE thread_id = ? AND state = 'waiting' ORDER BY message_no`,
			threadId,
		)
		.map(parseMessage);
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
		content: contentOf(message),
		startedAtMs: atMs,
		completedAtMs: atMs,
		...origin,
	};
}
