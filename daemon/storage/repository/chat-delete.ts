import { AppError } from "#base/app-error.ts";
import { defineWrite, type Tx } from "../store.ts";
import { requireThread, threadStream } from "./chat-thread.ts";
import { listThreadAgents, removeAgent } from "./weave-agent.ts";

/** Rows of a thread by its id, those that refer to others first. */
const TABLES = [
	"chat_turn",
	"chat_epoch",
	"chat_history",
	"chat_pending_history",
	"chat_message",
	"chat_approval",
	"chat_effect",
	"chat_thread",
] as const;

/** Items belong to their turn, which a fork may share. */
const UNSHARED = `DELETE FROM chat_item WHERE turn_id IN (SELECT turn_id FROM chat_turn WHERE thread_id = ?)
	AND turn_id NOT IN (SELECT o.turn_id FROM chat_turn o WHERE o.thread_id <> ? AND o.turn_id = chat_item.turn_id)`;

function removeThread(tx: Tx, threadId: string): void {
	for (const agent of listThreadAgents(tx, threadId))
		removeAgent(tx, { agent_id: agent.agent_id, reason: "thread_deleted" });
	tx.run(UNSHARED, threadId, threadId);
	for (const table of TABLES) tx.run(`DELETE FROM ${table} WHERE thread_id = ?`, threadId);
	tx.append(threadStream(threadId), "thread.deleted", {});
}

/** For good; the audit keeps what was done. @throws AppError THREAD_NOT_FOUND, BUSY while a turn runs. */
export const deleteThreadWrite = defineWrite(
	"chat.thread.delete",
	(tx, input: { thread_id: string }): { thread_id: string } => {
		const thread = requireThread(tx, input.thread_id);
		if (thread.active_turn_id !== null)
			throw new AppError("BUSY", "A turn is running in this thread; cancel it or wait for its end.");
		removeThread(tx, input.thread_id);
		return { thread_id: input.thread_id };
	},
);

/** Side threads live no longer than the daemon that made them. */
export function deleteEphemeralThreads(tx: Tx): void {
	const rows = tx.all<{ thread_id: string }>("SELECT thread_id FROM chat_thread WHERE ephemeral = 1");
	for (const { thread_id } of rows) removeThread(tx, thread_id);
}
