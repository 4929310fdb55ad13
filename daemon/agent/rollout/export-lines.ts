import { isBase } from "#daemon/agent/loop/context.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { StoredThread } from "#daemon/storage/repository/chat-thread.ts";
import {
	type HistoryRow,
	hasTurn,
	readEpochs,
	readHistoryRows,
	readTurnPage,
	readTurnUsage,
} from "#daemon/storage/repository/rollout-row.ts";
import type { Reader } from "#daemon/storage/store.ts";
import type { Turn } from "#protocol/record.ts";
import { snakeCase } from "./casing.ts";
import { exportItem, exportUsage } from "./item-out.ts";
import type { Json } from "./line.ts";

const PAGE = 100;

export interface ExportLine {
	type: string;
	payload: Json;
	atMs: number;
}

export interface ExportFacts {
	/** Version of the Codex CLI whose format this is. */
	version: string;
	/** Provider of a thread that follows the default. */
	provider: string;
}

/** The history one row after the other, a page in memory. */
function createHistoryQueue(reader: Reader, threadId: string) {
	let page: HistoryRow[] = [];
	let after = 0;
	function peek(): HistoryRow | undefined {
		if (page.length === 0) {
			page = readHistoryRows(reader, threadId, after, PAGE);
			after = page.at(-1)?.position ?? after;
		}
		return page[0];
	}
	return {
		/** Rows up to the last one that `wanted` holds for in a row. */
		*take(wanted: (row: HistoryRow) => boolean): Generator<HistoryRow> {
			for (let row = peek(); row !== undefined && wanted(row); row = peek()) {
				page.shift();
				yield row;
			}
		},
	};
}

function metaOf(thread: StoredThread, facts: ExportFacts): Json {
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

function contextOf(thread: StoredThread, turnId: string): Json {
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

const secondsOf = (ms: number): number => Math.floor(ms / 1000);

function endOf(turn: Turn): Json {
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
	const info = error.codexErrorInfo;
	const code = typeof info === "string" ? snakeCase(info) : "other";
	return { error: { message: error.message, codex_error_info: code } };
}

/** What stands for base instructions is not said again: the Codex CLI has its own. */
const itemsOf = (rows: readonly HistoryRow[]): ModelItem[] =>
	rows.map((row) => JSON.parse(row.json) as ModelItem).filter((item) => !isBase(item));

/** The lines of a rollout that the Codex CLI would have written of this thread; turn by turn from the store. */
export function* exportLines(
	reader: Reader,
	thread: StoredThread,
	facts: ExportFacts,
): Generator<ExportLine> {
	const { thread_id } = thread;
	yield { type: "session_meta", payload: metaOf(thread, facts), atMs: thread.created_at_ms };
	const queue = createHistoryQueue(reader, thread_id);
	const epochs = readEpochs(reader, thread_id);
	const told = new Set<string>();

	function* history(turn: Turn): Generator<ExportLine> {
		const atMs = turn.started_at_ms;
		const own = epochs.filter((epoch) => epoch.turn_id === turn.turn_id);
		const edges = [...own.map((epoch) => epoch.after_position), Number.MAX_SAFE_INTEGER];
		for (const [index, edge] of edges.entries()) {
			const wanted = (row: HistoryRow) => row.turn_id === turn.turn_id && row.position <= edge;
			const rows = queue.take(wanted);
			// The new history and what followed it in the turn come to the same as one.
			const items = index === 0 ? null : itemsOf([...rows]);
			if (items !== null)
				yield { type: "compacted", payload: { message: "", replacement_history: items }, atMs };
			else
				for (const row of rows)
					for (const payload of itemsOf([row])) yield { type: "response_item", payload, atMs };
		}
	}

	/** What was put in between turns, or joined a turn after its end. */
	function* between(atMs: number): Generator<ExportLine> {
		const isLoose = ({ turn_id }: HistoryRow) => told.has(turn_id) || !hasTurn(reader, thread_id, turn_id);
		for (const row of queue.take(isLoose))
			for (const payload of itemsOf([row])) yield { type: "response_item", payload, atMs };
	}

	for (let after = 0; ; ) {
		const page = readTurnPage(reader, thread_id, after, PAGE);
		for (const { turn, position } of page) {
			after = position;
			yield* between(turn.started_at_ms);
			yield* turnLines(turn);
			told.add(turn.turn_id);
		}
		if (page.length < PAGE) break;
	}
	yield* between(thread.updated_at_ms);

	function* turnLines(turn: Turn): Generator<ExportLine> {
		const { turn_id, started_at_ms: atMs } = turn;
		const start = { type: "task_started", turn_id, root_turn_id: turn_id, started_at: secondsOf(atMs) };
		const kind = { model_context_window: thread.usage?.modelContextWindow ?? null };
		yield { type: "event_msg", payload: { ...start, ...kind, collaboration_mode_kind: "default" }, atMs };
		yield { type: "turn_context", payload: contextOf(thread, turn_id), atMs };
		yield* history(turn);
		for (const item of turn.items) {
			const payload = exportItem(item, { thread_id, turn_id }, atMs);
			if (payload !== null) yield { type: "event_msg", payload, atMs: item.completedAtMs ?? atMs };
		}
		const usage = readTurnUsage(reader, thread_id, turn_id);
		const endedAtMs = turn.completed_at_ms ?? atMs;
		if (usage !== null)
			yield { type: "event_msg", payload: exportUsage(JSON.parse(usage) as Json), atMs: endedAtMs };
		yield { type: "event_msg", payload: endOf(turn), atMs: endedAtMs };
	}
}
