import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import { tokenUsageSchema } from "#protocol/codex-item.ts";
import {
	type ApprovalPolicy,
	approvalPolicySchema,
	controllerSchema,
	type SandboxMode,
	sandboxModeSchema,
	type ThreadSettings,
	threadSchema,
	threadSettingsSchema,
} from "#protocol/record.ts";
import { defineWrite, type Reader, type Row, type Tx } from "../store.ts";
import { addAgent, listThreadAgents, removeAgent } from "./weave-agent.ts";
import { DEFAULT_SESSION_ID } from "./weave-session.ts";

/** The agent's name lives in the weave session; the thread's own copy serves while it is in none. */
const SELECT = `SELECT t.thread_id, coalesce(
		(SELECT a.name FROM weave_agent a WHERE a.thread_id = t.thread_id AND a.session_id = '${DEFAULT_SESSION_ID}' AND a.left_at_ms IS NULL LIMIT 1),
		t.agent_name) AS agent_name,
	t.title, t.provider, t.model, t.cwd, t.machine_id, t.approval_policy, t.sandbox, t.env, t.archived, t.controller, t.active_turn_id,
	t.turn_count, t.usage, t.settings, t.preview, t.named, t.created_at_ms, t.updated_at_ms,
	EXISTS (SELECT 1 FROM chat_approval p WHERE p.thread_id = t.thread_id AND p.status = 'pending') AS waits
	FROM chat_thread t`;

const threadRowSchema = z.object({
	thread_id: z.string(),
	agent_name: z.string(),
	title: z.string().nullable(),
	provider: z.string().nullable(),
	model: z.string().nullable(),
	cwd: z.string(),
	machine_id: z.string(),
	approval_policy: approvalPolicySchema,
	sandbox: sandboxModeSchema,
	env: z.string(),
	archived: z.number(),
	controller: z.string().nullable(),
	active_turn_id: z.string().nullable(),
	turn_count: z.number(),
	usage: z.string().nullable(),
	settings: z.string(),
	preview: z.string().nullable(),
	named: z.number(),
	created_at_ms: z.number(),
	updated_at_ms: z.number(),
	waits: z.number(),
});
const envSchema = z.record(z.string(), z.string());

const storedThreadSchema = threadSchema.extend({
	provider: z.string().nullable(),
	settings: threadSettingsSchema,
	preview: z.string().nullable(),
});

/** A thread as it is stored: without a provider of its own it follows the default, which the runner knows. */
export type StoredThread = z.infer<typeof storedThreadSchema>;

/** Event-log stream of a thread. */
export function threadStream(threadId: string): string {
	return `thread:${threadId}`;
}

function toThread(row: Row): StoredThread {
	const { env: _env, waits, ...parsed } = threadRowSchema.parse(row);
	const working = parsed.active_turn_id === null ? "idle" : "working";
	return {
		...parsed,
		archived: parsed.archived === 1,
		named: parsed.named === 1,
		settings: threadSettingsSchema.parse(JSON.parse(parsed.settings)),
		status: waits === 1 ? "needs_you" : working,
		controller: parsed.controller === null ? null : controllerSchema.parse(JSON.parse(parsed.controller)),
		usage: parsed.usage === null ? null : tokenUsageSchema.parse(JSON.parse(parsed.usage)),
	};
}

export function findThread(reader: Reader, threadId: string): StoredThread | undefined {
	const row = reader.get(`${SELECT} WHERE t.thread_id = ?`, threadId);
	return row === undefined ? undefined : toThread(row);
}

/** @throws AppError THREAD_NOT_FOUND. */
export function requireThread(reader: Reader, threadId: string): StoredThread {
	const thread = findThread(reader, threadId);
	if (thread === undefined) throw new AppError("THREAD_NOT_FOUND", `There is no thread ${threadId}.`);
	return thread;
}

/** The environment that the thread's commands get. */
export function readThreadEnv(reader: Reader, threadId: string): Record<string, string> {
	const row = reader.get<{ env: string }>("SELECT env FROM chat_thread WHERE thread_id = ?", threadId);
	return row === undefined ? {} : envSchema.parse(JSON.parse(row.env));
}

const cursorPattern = /^(\d{1,16})\.(.{1,100})$/u;

/** Newest activity first, without ephemeral ones. `cursor` is what the page before said. @throws AppError INVALID_PARAMS for another cursor. */
export function listThreads(
	reader: Reader,
	options: { archived: boolean; limit: number; cursor?: string | undefined },
): { threads: StoredThread[]; next_cursor: string | null } {
	let from: readonly [number, string] = [Number.MAX_SAFE_INTEGER, ""];
	if (options.cursor !== undefined) {
		const match = cursorPattern.exec(options.cursor);
		if (!match) throw new AppError("INVALID_PARAMS", "The cursor is not one of ours.");
		from = [Number(match[1]), match[2] ?? ""];
	}
	const rows = reader.all(
		`${SELECT} WHERE t.archived = ? AND t.ephemeral = 0 AND (t.updated_at_ms, t.thread_id) < (?, ?) ORDER BY t.updated_at_ms DESC, t.thread_id DESC LIMIT ?`,
		options.archived ? 1 : 0,
		from[0],
		from[1],
		options.limit + 1,
	);
	const threads = rows.slice(0, options.limit).map(toThread);
	const last = threads.at(-1);
	return {
		threads,
		next_cursor: rows.length > options.limit && last ? `${last.updated_at_ms}.${last.thread_id}` : null,
	};
}

/** Stamps activity; the order of `chat.list`. */
export function touchThread(tx: Tx, threadId: string): void {
	tx.run("UPDATE chat_thread SET updated_at_ms = ? WHERE thread_id = ?", tx.nowMs, threadId);
}

/** What a new thread starts with. */
interface NewThread {
	thread_id: string;
	agent_name: string | null;
	title: string | null;
	/** Null: the default, whatever it is when a turn starts; the same goes for the model. */
	provider: string | null;
	model: string | null;
	cwd: string;
	machine_id: string;
	approval_policy: ApprovalPolicy;
	sandbox: SandboxMode;
	env: Record<string, string>;
	codex_home: string | null;
	controller: { client: string; device: string };
	settings?: ThreadSettings;
}

/** A side thread is no agent that anybody could write to. */
const EPHEMERAL_NAME = "side-thread";

function nameAgent(tx: Tx, input: NewThread): { agent_id: string | null; name: string } {
	if (input.settings?.ephemeral === true) return { agent_id: null, name: EPHEMERAL_NAME };
	const { agent_name: name, thread_id } = input;
	return addAgent(tx, { session_id: DEFAULT_SESSION_ID, name, kind: "thread", thread_id });
}

/** The thread and its agent in the default session, in the caller's unit. @throws AppError AGENT_NAME_TAKEN, INVALID_PARAMS. */
export function insertThread(tx: Tx, input: NewThread): void {
	const agent = nameAgent(tx, input);
	tx.run(
		`INSERT INTO chat_thread (thread_id, agent_name, title, named, provider, model, cwd, machine_id, approval_policy, sandbox, env,
			codex_home, controller, settings, ephemeral, created_at_ms, updated_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		input.thread_id,
		agent.name,
		input.title,
		input.title === null ? 0 : 1,
		input.provider,
		input.model,
		input.cwd,
		input.machine_id,
		input.approval_policy,
		input.sandbox,
		JSON.stringify(input.env),
		input.codex_home,
		JSON.stringify({ ...input.controller, since_ms: tx.nowMs }),
		JSON.stringify(input.settings ?? {}),
		input.settings?.ephemeral === true ? 1 : 0,
		tx.nowMs,
		tx.nowMs,
	);
	tx.append(threadStream(input.thread_id), "thread.created", {
		agent_id: agent.agent_id,
		agent_name: agent.name,
		cwd: input.cwd,
	});
}

/** @throws AppError AGENT_NAME_TAKEN, INVALID_PARAMS. */
export const createThreadWrite = defineWrite(
	"chat.thread.create",
	(tx, input: NewThread): { thread: StoredThread } => {
		insertThread(tx, input);
		return { thread: requireThread(tx, input.thread_id) };
	},
);

/** What later turns use; members left out stay, null means the default again. */
export interface SettingsChange {
	model?: string | null | undefined;
	provider?: string | null | undefined;
	cwd?: string | undefined;
	approval_policy?: ApprovalPolicy | undefined;
	sandbox?: SandboxMode | undefined;
	/** Merged member by member; null takes a member away. */
	settings?: Readonly<{ [K in keyof ThreadSettings]?: ThreadSettings[K] | null }> | undefined;
}

function pick<T>(changed: T | undefined, before: T): T {
	return changed === undefined ? before : changed;
}

/** The settings with the change merged in; who made a thread and whether it is listed stay as they were. */
export function mergeSettings(before: ThreadSettings, change: SettingsChange["settings"]): ThreadSettings {
	const merged: Record<string, unknown> = { ...before };
	for (const [name, value] of Object.entries(change ?? {})) {
		if (name === "ephemeral" || value === undefined) continue;
		if (value === null) delete merged[name];
		else merged[name] = value;
	}
	return threadSettingsSchema.parse(merged);
}

/** Changes what later turns use; members left out stay. Logs only a real change. */
export function changeSettings(tx: Tx, thread: StoredThread, change: SettingsChange): void {
	const before = {
		model: thread.model,
		provider: thread.provider,
		cwd: thread.cwd,
		approval_policy: thread.approval_policy,
		sandbox: thread.sandbox,
		settings: thread.settings,
	};
	const next = {
		model: pick(change.model, before.model),
		provider: pick(change.provider, before.provider),
		cwd: pick(change.cwd, before.cwd),
		approval_policy: pick(change.approval_policy, before.approval_policy),
		sandbox: pick(change.sandbox, before.sandbox),
		settings:
			change.settings === undefined ? before.settings : mergeSettings(before.settings, change.settings),
	};
	if (JSON.stringify(next) === JSON.stringify(before)) return;
	tx.run(
		"UPDATE chat_thread SET model = ?, provider = ?, cwd = ?, approval_policy = ?, sandbox = ?, settings = ? WHERE thread_id = ?",
		next.model,
		next.provider,
		next.cwd,
		next.approval_policy,
		next.sandbox,
		JSON.stringify(next.settings),
		thread.thread_id,
	);
	tx.append(threadStream(thread.thread_id), "thread.settings", next);
}

export const updateSettingsWrite = defineWrite(
	"chat.thread.settings",
	(tx, input: SettingsChange & { thread_id: string }): { thread: StoredThread } => {
		changeSettings(tx, requireThread(tx, input.thread_id), input);
		return { thread: requireThread(tx, input.thread_id) };
	},
);

/** A thread is made anew at its provider after each restart; nobody looks for older records than these. */
const PROVIDER_THREADS_KEPT = 200;

/** Where the thread is kept at its provider; bookkeeping that nobody is told of. A thread that is gone stays gone. */
export const noteProviderThreadWrite = defineWrite(
	"chat.thread.provider-thread",
	(tx, { thread_id, provider_thread_id }: { thread_id: string; provider_thread_id: string }): null => {
		const thread = findThread(tx, thread_id);
		if (thread === undefined) return null;
		// The former ones have records there too, which are no threads of their own.
		const former = thread.settings.provider_thread_id?.split(" ") ?? [];
		const ids = [...former, provider_thread_id].slice(-PROVIDER_THREADS_KEPT).join(" ");
		const settings = mergeSettings(thread.settings, { provider_thread_id: ids });
		tx.run("UPDATE chat_thread SET settings = ? WHERE thread_id = ?", JSON.stringify(settings), thread_id);
		return null;
	},
);

export const renameThreadWrite = defineWrite(
	"chat.thread.rename",
	(tx, input: { thread_id: string; title: string }): { thread: StoredThread } => {
		requireThread(tx, input.thread_id);
		tx.run("UPDATE chat_thread SET title = ?, named = 1 WHERE thread_id = ?", input.title, input.thread_id);
		tx.append(threadStream(input.thread_id), "thread.renamed", { title: input.title });
		return { thread: requireThread(tx, input.thread_id) };
	},
);

/** A title that nobody gave: it stays only as long as nobody gives one. */
export const suggestTitleWrite = defineWrite(
	"chat.thread.suggest-title",
	(tx, input: { thread_id: string; title: string }): { thread: StoredThread } => {
		requireThread(tx, input.thread_id);
		tx.run(
			"UPDATE chat_thread SET title = ? WHERE thread_id = ? AND named = 0",
			input.title,
			input.thread_id,
		);
		return { thread: requireThread(tx, input.thread_id) };
	},
);

/** Puts away; its agent leaves its sessions. @throws AppError THREAD_NOT_FOUND, BUSY while a turn runs. */
export const archiveThreadWrite = defineWrite(
	"chat.thread.archive",
	(tx, input: { thread_id: string }): { thread: StoredThread } => {
		const thread = requireThread(tx, input.thread_id);
		if (thread.active_turn_id !== null)
			throw new AppError("BUSY", "A turn is running in this thread; cancel it or wait for its end.");
		if (thread.archived) return { thread };
		tx.run(
			"UPDATE chat_thread SET archived = 1, agent_name = ? WHERE thread_id = ?",
			thread.agent_name,
			input.thread_id,
		);
		for (const agent of listThreadAgents(tx, input.thread_id))
			removeAgent(tx, { agent_id: agent.agent_id, reason: "thread_archived" });
		tx.append(threadStream(input.thread_id), "thread.archived", {});
		return { thread: requireThread(tx, input.thread_id) };
	},
);

function rejoin(tx: Tx, thread: StoredThread): void {
	if (thread.settings.ephemeral === true) return;
	const agent = { session_id: DEFAULT_SESSION_ID, kind: "thread" as const, thread_id: thread.thread_id };
	try {
		addAgent(tx, { ...agent, name: thread.agent_name });
	} catch (thrown) {
		if (!(thrown instanceof AppError) || thrown.code !== "AGENT_NAME_TAKEN") throw thrown;
		addAgent(tx, { ...agent, name: null });
	}
}

/** Back into use, under its old agent name or, when that is taken, a free one. */
export const resumeThreadWrite = defineWrite(
	"chat.thread.resume",
	(tx, input: { thread_id: string }): { thread: StoredThread } => {
		const thread = requireThread(tx, input.thread_id);
		if (!thread.archived) return { thread };
		tx.run(
			"UPDATE chat_thread SET archived = 0, updated_at_ms = ? WHERE thread_id = ?",
			tx.nowMs,
			input.thread_id,
		);
		rejoin(tx, thread);
		tx.append(threadStream(input.thread_id), "thread.resumed", {});
		return { thread: requireThread(tx, input.thread_id) };
	},
);
