import type { ApprovalPolicy, SandboxMode, ThreadSettings } from "#protocol/record.ts";
import { defineWrite, type Tx } from "../store.ts";
import { findThread, mergeSettings, type StoredThread, threadStream } from "./chat-thread.ts";
import { findRollout, type RolloutRow } from "./rollout-row.ts";

export interface RolloutFile {
	path: string;
	size_bytes: number;
	mtime_ms: number;
}

/** What the start of a file says of its thread. */
export interface RolloutHead {
	thread_id: string;
	cwd: string;
	title: string | null;
	named: boolean;
	preview: string;
	provider: string | null;
	model: string | null;
	approval_policy: ApprovalPolicy;
	sandbox: SandboxMode;
	settings: ThreadSettings;
	archived: boolean;
	created_at_ms: number;
	updated_at_ms: number;
}

function saveFile(
	tx: Tx,
	file: RolloutFile,
	about: Pick<RolloutRow, "thread_id" | "state" | "detail">,
): void {
	tx.run(
		`INSERT INTO chat_rollout (path, thread_id, state, size_bytes, mtime_ms, detail, looked_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (path) DO UPDATE SET thread_id = excluded.thread_id, state = excluded.state, size_bytes = excluded.size_bytes,
			mtime_ms = excluded.mtime_ms, detail = excluded.detail, looked_at_ms = excluded.looked_at_ms`,
		file.path,
		about.thread_id,
		about.state,
		file.size_bytes,
		file.mtime_ms,
		about.detail,
		tx.nowMs,
	);
}

/** A name for people to call it by until it joins the session; the id's end is the part that differs. */
function agentName(threadId: string): string {
	return `codex-${threadId.replaceAll("-", "").slice(-8)}`;
}

function insertHead(tx: Tx, machineId: string, head: RolloutHead): void {
	tx.run(
		`INSERT INTO chat_thread (thread_id, agent_name, title, named, preview, provider, model, cwd, machine_id, approval_policy, sandbox, env,
			settings, archived, created_at_ms, updated_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '{}', ?, ?, ?, ?)`,
		head.thread_id,
		agentName(head.thread_id),
		head.title,
		head.named ? 1 : 0,
		head.preview,
		head.provider,
		head.model,
		head.cwd,
		machineId,
		head.approval_policy,
		head.sandbox,
		JSON.stringify(head.settings),
		head.archived ? 1 : 0,
		head.created_at_ms,
		head.updated_at_ms,
	);
	tx.append(threadStream(head.thread_id), "thread.imported", {
		rollout_path: head.settings.rollout_path ?? null,
		cwd: head.cwd,
	});
}

/** The file went to another folder (put away, taken back), got a name or grew; what happened here since has precedence. */
function moveHead(tx: Tx, thread: StoredThread, head: RolloutHead): Outcome {
	const before = thread.settings.rollout_path;
	const path = head.settings.rollout_path ?? null;
	const moved = before !== undefined && before !== path;
	const archived = moved ? head.archived : thread.archived;
	const isNamed = thread.named !== true && head.named;
	const grew = head.updated_at_ms > thread.updated_at_ms;
	if (!moved && !isNamed && !grew) return "known";
	tx.run(
		"UPDATE chat_thread SET settings = ?, archived = ?, title = ?, named = max(named, ?), updated_at_ms = max(updated_at_ms, ?) WHERE thread_id = ?",
		JSON.stringify(mergeSettings(thread.settings, { rollout_path: path })),
		archived ? 1 : 0,
		isNamed ? head.title : thread.title,
		isNamed ? 1 : 0,
		head.updated_at_ms,
		thread.thread_id,
	);
	return "updated";
}

/** Threads that the real Codex runs for us have files of their own there. */
function isBehindOurs(tx: Tx, threadId: string): boolean {
	const sql =
		"SELECT 1 AS one FROM chat_thread WHERE instr(coalesce(json_extract(settings, '$.provider_thread_id'), ''), ?) > 0 LIMIT 1";
	return tx.get(sql, threadId) !== undefined;
}

type Outcome = "added" | "updated" | "known" | "deleted";

function takeHead(
	tx: Tx,
	input: { file: RolloutFile; head: RolloutHead; machine_id: string; revive: boolean },
): Outcome {
	const { file, head } = input;
	const { thread_id } = head;
	const known = findRollout(tx, thread_id);
	const thread = findThread(tx, thread_id);
	if (known === undefined && isBehindOurs(tx, thread_id)) {
		saveFile(tx, file, { thread_id: null, state: "ignored", detail: "one of our threads runs in it" });
		return "known";
	}
	if (thread === undefined) {
		// Somebody deleted it here; the file is the Codex CLI's and stays.
		if (known !== undefined && !input.revive) return "deleted";
		tx.run("DELETE FROM chat_rollout WHERE thread_id = ?", thread_id);
		insertHead(tx, input.machine_id, head);
		saveFile(tx, file, { thread_id, state: "head", detail: null });
		return "added";
	}
	if (known === undefined) {
		saveFile(tx, file, { thread_id, state: "ours", detail: null });
		return "known";
	}
	if (known.path !== file.path) {
		tx.run("DELETE FROM chat_rollout WHERE path = ?", file.path);
		tx.run("UPDATE chat_rollout SET path = ? WHERE thread_id = ?", file.path, thread_id);
	}
	if (known.state === "head") saveFile(tx, file, { ...known, thread_id });
	if (known.state === "ours" || known.state === "exported") return "known";
	return moveHead(tx, thread, head);
}

interface HeadsInput {
	machine_id: string;
	heads: readonly { file: RolloutFile; head: RolloutHead }[];
	ignored: readonly { file: RolloutFile; reason: string }[];
	/** A person asked for these files: what was deleted here comes back. */
	revive: boolean;
}

/** Makes threads of what the starts of files say, and remembers the files that say nothing. */
export const rolloutHeadsWrite = defineWrite(
	"chat.rollout.heads",
	(tx, input: HeadsInput): { threads: { thread_id: string; outcome: Outcome }[] } => {
		for (const { file, reason } of input.ignored)
			saveFile(tx, file, { thread_id: null, state: "ignored", detail: reason });
		const { machine_id, revive } = input;
		return {
			threads: input.heads.map(({ file, head }) => ({
				thread_id: head.thread_id,
				outcome: takeHead(tx, { file, head, machine_id, revive }),
			})),
		};
	},
);

/** Names that threads got in the Codex CLI; one that somebody gave here stays. Ids of those that changed. */
export const rolloutNamesWrite = defineWrite(
	"chat.rollout.names",
	(tx, input: { names: readonly { thread_id: string; title: string }[] }): { thread_ids: string[] } => {
		const thread_ids: string[] = [];
		for (const { thread_id, title } of input.names) {
			const sql = "UPDATE chat_thread SET title = ?, named = 1 WHERE thread_id = ? AND named = 0";
			if (tx.run(sql, title, thread_id).changes === 0) continue;
			tx.append(threadStream(thread_id), "thread.renamed", { title });
			thread_ids.push(thread_id);
		}
		return { thread_ids };
	},
);

/** We wrote the thread into this file; it ends with a whole turn. */
export const rolloutExportedWrite = defineWrite(
	"chat.rollout.exported",
	(tx, input: { thread_id: string; file: RolloutFile; last_turn_id: string | null }): null => {
		const { thread_id, file } = input;
		tx.run("DELETE FROM chat_rollout WHERE thread_id = ? OR path = ?", thread_id, file.path);
		saveFile(tx, file, { thread_id, state: "exported", detail: null });
		tx.run(
			`UPDATE chat_rollout SET boundary_bytes = ?, last_turn_id = ?,
				boundary_position = coalesce((SELECT position FROM chat_turn WHERE turn_id = ? AND thread_id = ?), 0) WHERE thread_id = ?`,
			file.size_bytes,
			input.last_turn_id,
			input.last_turn_id,
			thread_id,
			thread_id,
		);
		tx.append(threadStream(thread_id), "thread.exported", { path: file.path });
		return null;
	},
);
