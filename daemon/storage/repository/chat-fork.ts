import { AppError } from "#base/app-error.ts";
import type { ThreadSettings } from "#protocol/record.ts";
import { defineWrite, type Tx } from "../store.ts";
import {
	insertThread,
	mergeSettings,
	readThreadEnv,
	requireThread,
	type SettingsChange,
	type StoredThread,
} from "./chat-thread.ts";

interface ForkInput {
	/** Where the turns come from. */
	source_id: string;
	/** Of the new thread. */
	thread_id: string;
	/** The last turn that it gets; null: all that have ended. */
	last_turn_id: string | null;
	change: SettingsChange;
	controller: { client: string; device: string };
}

function lastPosition(tx: Tx, input: ForkInput): number {
	if (input.last_turn_id === null) return Number.MAX_SAFE_INTEGER;
	const row = tx.get<{ position: number }>(
		"SELECT position FROM chat_turn WHERE turn_id = ? AND thread_id = ? AND status <> 'inProgress'",
		input.last_turn_id,
		input.source_id,
	);
	if (row === undefined)
		throw new AppError("TURN_NOT_FOUND", `No ended turn ${input.last_turn_id} is in this thread.`);
	return row.position;
}

/** Who made it, where it is kept elsewhere and whether it is listed are the new thread's own. */
function settingsOf(source: StoredThread, change: SettingsChange): ThreadSettings {
	const own = { provider_thread_id: null, rollout_path: null };
	const settings = mergeSettings(source.settings, { ...own, ...change.settings });
	delete settings.ephemeral;
	if (change.settings?.ephemeral === true) settings.ephemeral = true;
	return { ...settings, forked_from: source.thread_id };
}

const TURN_COLUMNS =
	"turn_id, position, kind, options, status, reason, error, final_text, git_head_before, git_head_after, usage, started_at_ms, completed_at_ms";

/** Turns keep their ids and share their items; history keeps its places, so that its epochs still fit. */
function copyTurns(tx: Tx, input: ForkInput, upTo: number): void {
	const { source_id, thread_id } = input;
	tx.run(
		`INSERT INTO chat_turn (thread_id, ${TURN_COLUMNS}) SELECT ?, ${TURN_COLUMNS} FROM chat_turn
			WHERE thread_id = ? AND position <= ? AND status <> 'inProgress'`,
		thread_id,
		source_id,
		upTo,
	);
	const kept = "(SELECT turn_id FROM chat_turn WHERE thread_id = ?)";
	tx.run(
		`INSERT INTO chat_history (thread_id, position, turn_id, json) SELECT ?, position, turn_id, json FROM chat_history
			WHERE thread_id = ? AND (turn_id = '' OR turn_id IN ${kept})`,
		thread_id,
		source_id,
		thread_id,
	);
	tx.run(
		`INSERT INTO chat_epoch (thread_id, epoch, turn_id, after_position) SELECT ?, epoch, turn_id, after_position FROM chat_epoch
			WHERE thread_id = ? AND turn_id IN ${kept}`,
		thread_id,
		source_id,
		thread_id,
	);
}

/** Turn counter, usage and preview as its turns say them. `fallback`: of rows that are older than the usage of turns. */
export function settleCounters(tx: Tx, threadId: string, fallback: string | null): void {
	tx.run(
		`UPDATE chat_thread SET turn_count = coalesce((SELECT max(position) FROM chat_turn WHERE thread_id = ?1), 0),
			usage = coalesce((SELECT usage FROM chat_turn WHERE thread_id = ?1 AND usage IS NOT NULL ORDER BY position DESC LIMIT 1), ?2),
			preview = CASE WHEN EXISTS (SELECT 1 FROM chat_turn WHERE thread_id = ?1) THEN preview END
			WHERE thread_id = ?1`,
		threadId,
		fallback,
	);
}

/**
 * A new thread with the ended turns of another, up to and including one of them.
 * @throws AppError THREAD_NOT_FOUND, TURN_NOT_FOUND.
 */
export const forkThreadWrite = defineWrite(
	"chat.thread.fork",
	(tx, input: ForkInput): { thread: StoredThread } => {
		const source = requireThread(tx, input.source_id);
		const upTo = lastPosition(tx, input);
		const { change } = input;
		const codexHome = tx.get<{ codex_home: string | null }>(
			"SELECT codex_home FROM chat_thread WHERE thread_id = ?",
			input.source_id,
		);
		insertThread(tx, {
			thread_id: input.thread_id,
			agent_name: null,
			title: null,
			provider: change.provider === undefined ? source.provider : change.provider,
			model: change.model === undefined ? source.model : change.model,
			cwd: change.cwd ?? source.cwd,
			machine_id: source.machine_id,
			approval_policy: change.approval_policy ?? source.approval_policy,
			sandbox: change.sandbox ?? source.sandbox,
			env: readThreadEnv(tx, input.source_id),
			codex_home: codexHome?.codex_home ?? null,
			controller: input.controller,
			settings: settingsOf(source, change),
		});
		copyTurns(tx, input, upTo);
		tx.run(
			"UPDATE chat_thread SET title = ?, preview = ? WHERE thread_id = ?",
			source.title,
			source.preview,
			input.thread_id,
		);
		const whole = input.last_turn_id === null && source.usage !== null;
		settleCounters(tx, input.thread_id, whole ? JSON.stringify(source.usage) : null);
		return { thread: requireThread(tx, input.thread_id) };
	},
);
