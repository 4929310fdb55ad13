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
import { contextOf, type ExportFacts, endOf, metaOf, secondsOf } from "./export-records.ts";
import { exportItem, exportUsage } from "./item-out.ts";
import type { Json } from "./line.ts";

const PAGE = 20;

export interface ExportLine {
	type: string;
	payload: Json;
	atMs: number;
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

/** What stands for base instructions is not said again: the Codex CLI has its own. */
const itemsOf = (rows: Iterable<HistoryRow>): ModelItem[] =>
	[...rows].map((row) => JSON.parse(row.json) as ModelItem).filter((item) => !isBase(item));

function* responseItems(rows: Iterable<HistoryRow>, atMs: number): Generator<ExportLine> {
	for (const row of rows)
		for (const payload of itemsOf([row])) yield { type: "response_item", payload, atMs };
}

/** What the model knows, in the order in which it came to know it. */
function createHistoryOut(reader: Reader, threadId: string) {
	const queue = createHistoryQueue(reader, threadId);
	const epochs = readEpochs(reader, threadId);
	const told = new Set<string>();
	return {
		/** The part of a turn, ahead of which comes what was put in between turns, or joined a turn after its end. */
		*turn({ turn_id, started_at_ms: atMs }: Turn): Generator<ExportLine> {
			const edges = epochs.filter((epoch) => epoch.turn_id === turn_id).map((epoch) => epoch.after_position);
			for (const [index, edge] of [...edges, Number.MAX_SAFE_INTEGER].entries()) {
				const rows = queue.take((row) => row.turn_id === turn_id && row.position <= edge);
				// The new history and what followed it in the turn come to the same as one.
				if (index === 0) yield* responseItems(rows, atMs);
				else yield { type: "compacted", payload: { message: "", replacement_history: itemsOf(rows) }, atMs };
			}
			told.add(turn_id);
		},
		*between(atMs: number): Generator<ExportLine> {
			const isLoose = (row: HistoryRow) => told.has(row.turn_id) || !hasTurn(reader, threadId, row.turn_id);
			yield* responseItems(queue.take(isLoose), atMs);
		},
	};
}

function* itemLines(turn: Turn): Generator<ExportLine> {
	for (const item of turn.items) {
		const payload = exportItem(item, turn, turn.started_at_ms);
		const atMs = item.completedAtMs ?? turn.started_at_ms;
		if (payload !== null) yield { type: "event_msg", payload, atMs };
	}
}

/** The lines of a rollout that the Codex CLI would have written of this thread; turn by turn from the store. */
export function* exportLines(
	reader: Reader,
	thread: StoredThread,
	facts: ExportFacts,
): Generator<ExportLine> {
	const { thread_id } = thread;
	const history = createHistoryOut(reader, thread_id);

	function* turnLines(turn: Turn): Generator<ExportLine> {
		const { turn_id, started_at_ms: atMs } = turn;
		const start = { type: "task_started", turn_id, root_turn_id: turn_id, started_at: secondsOf(atMs) };
		const kind = { model_context_window: thread.usage?.modelContextWindow ?? null };
		yield { type: "event_msg", payload: { ...start, ...kind, collaboration_mode_kind: "default" }, atMs };
		yield { type: "turn_context", payload: contextOf(thread, turn_id), atMs };
		yield* history.turn(turn);
		// A fork's turns are told as the fork's own.
		yield* itemLines({ ...turn, thread_id });
		const usage = readTurnUsage(reader, thread_id, turn_id);
		const endedAtMs = turn.completed_at_ms ?? atMs;
		if (usage !== null)
			yield { type: "event_msg", payload: exportUsage(JSON.parse(usage) as Json), atMs: endedAtMs };
		yield { type: "event_msg", payload: endOf(turn), atMs: endedAtMs };
	}

	yield { type: "session_meta", payload: metaOf(thread, facts), atMs: thread.created_at_ms };
	for (let after = 0; ; ) {
		const page = readTurnPage(reader, thread_id, after, PAGE);
		for (const { turn, position } of page) {
			after = position;
			yield* history.between(turn.started_at_ms);
			yield* turnLines(turn);
		}
		if (page.length < PAGE) break;
	}
	yield* history.between(thread.updated_at_ms);
}
