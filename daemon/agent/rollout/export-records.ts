import type { StoredThread } from "#daemon/storage/repository/chat-thread.ts";
import type { Turn } from "#protocol/record.ts";
import { exportErrorInfo } from "./error-info.ts";
import type { Json } from "./line.ts";

export interface ExportFacts {
	/** Version of the Codex CLI whose format this is. */
	version: string;
	/** Provider of a thread that follows the default. */
	provider: string;
}

/** The first line. */
export function metaOf(thread: StoredThread, facts: ExportFacts): Json {
	const { settings } = thread;
	const base = settings.base_instructions;
	return {
		id: thread.thread_id,
		session_id: thread.thread_id,
		...(settings.forked_from === undefined ? {} : { forked_from_id: settings.forked_from }),
		timestamp: new Date(thread.created_at_ms).toISOString(),
		cwd: thread.cwd,
		originator: settings.originator ?? "weave_codex",
		cli_version: facts.version,
		source: settings.source ?? "cli",
		model_provider: thread.provider ?? facts.provider,
		...(base === undefined ? {} : { base_instructions: { text: base, provenance: { type: "custom" } } }),
		history_mode: "paginated",
	};
}

function sandboxOut(thread: StoredThread): Json {
	const { sandbox } = thread;
	const policy = thread.settings.sandbox_policy;
	if (sandbox === "danger-full-access" || sandbox === "read-only") return { type: sandbox };
	const roots: unknown = policy?.["writableRoots"];
	return {
		type: sandbox,
		...(Array.isArray(roots) && roots.length > 0 ? { writable_roots: roots } : {}),
		network_access: policy?.["networkAccess"] === true,
		exclude_tmpdir_env_var: policy?.["excludeTmpdirEnvVar"] === true,
		exclude_slash_tmp: policy?.["excludeSlashTmp"] === true,
	};
}

/** What a turn ran with; the thread keeps only the newest. */
export function contextOf(thread: StoredThread, turnId: string): Json {
	const { settings, sandbox } = thread;
	return {
		turn_id: turnId,
		cwd: thread.cwd,
		approval_policy: thread.approval_policy,
		sandbox_policy: sandboxOut(thread),
		...(sandbox === "danger-full-access" ? { permission_profile: { type: "disabled" } } : {}),
		model: thread.model ?? "",
		...(settings.effort === undefined ? {} : { effort: settings.effort }),
		summary: settings.summary ?? "auto",
	};
}

export const secondsOf = (ms: number): number => Math.floor(ms / 1000);

/** How a turn ended. */
export function endOf(turn: Turn): Json {
	const { turn_id, started_at_ms: from, completed_at_ms: to, status, error } = turn;
	const about = {
		turn_id,
		root_turn_id: turn_id,
		started_at: secondsOf(from),
		...(to === null ? {} : { completed_at: secondsOf(to), duration_ms: Math.max(0, Math.round(to - from)) }),
	};
	if (status === "interrupted") return { type: "turn_aborted", ...about, reason: "interrupted" };
	const last = turn.items.findLast((item) => item.type === "agentMessage");
	const text = last?.type === "agentMessage" ? last.text : null;
	return {
		type: "task_complete",
		...about,
		last_agent_message: text,
		...(error === null ? {} : errorOut(error)),
	};
}

function errorOut(error: NonNullable<Turn["error"]>): Json {
	return { error: { message: error.message, codex_error_info: exportErrorInfo(error.codexErrorInfo) } };
}
