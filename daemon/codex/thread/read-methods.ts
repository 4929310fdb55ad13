import type { Item } from "#protocol/codex-item.ts";
import type { Turn } from "#protocol/record.ts";
import { CodexError } from "../method.ts";
import type { Methods, Office } from "../office.ts";
import {
	loadedList,
	threadItems,
	threadItemsRead,
	threadList,
	threadRead,
	threadSearch,
	threadTurns,
} from "../params/thread.ts";
import { assertThreadId, isThreadId } from "../wire/thread-id.ts";
import { cutPage, itemsCursor, readCursor, turnsCursor } from "./cursor.ts";
import { viewItem } from "./item-view.ts";
import { WHOLE_HISTORY } from "./opening.ts";
import type { ReadStates } from "./read-state.ts";
import { listThreads } from "./thread-list.ts";
import { viewTurns } from "./turn-view.ts";

const THREADS_PAGE = 25;
const TURNS_PAGE = 25;
const ITEMS_PAGE = 100;
const METHOD_NOT_THERE = -32601;

interface PlacedItem {
	readonly turn: Turn;
	readonly item: Item;
}

function viewPlaced({ turn, item }: PlacedItem) {
	const { startedAtMs = null, completedAtMs = null } = item;
	return { turnId: turn.turn_id, item: viewItem(item), startedAtMs, completedAtMs };
}

/** Zero counts as one: a page without anything leads nowhere. */
const atLeastOne = (limit: number | null, otherwise: number): number => Math.max(1, limit ?? otherwise);

function requireTurns(office: Office, threadId: string, method: string): Turn[] {
	assertThreadId(threadId);
	const thread = office.findThread(threadId);
	const isTurns = method === "thread/turns/list";
	// What was named is kept, turns or not.
	const isKept = thread !== undefined && (thread.turn_count > 0 || thread.title !== null);
	if (isKept && !thread.settings?.ephemeral) return office.readTurns(threadId);
	if (!isTurns) throw new CodexError(`${method} is not supported yet`, METHOD_NOT_THERE);
	if (thread === undefined) throw new CodexError(`thread not loaded: ${threadId}`);
	if (thread.settings?.ephemeral) throw new CodexError(`ephemeral threads do not support ${method}`);
	throw new CodexError(
		`thread ${threadId} is not materialized yet; ${method} is unavailable before first user message`,
	);
}

export function createReadMethods(office: Office, readStates: ReadStates): Methods {
	const { desk, ports, view } = office;
	const { runner } = ports;

	return {
		"thread/read"(params, { peer }) {
			const { threadId, includeTurns } = threadRead.decode(params);
			assertThreadId(threadId);
			const thread = office.findThread(threadId);
			if (thread === undefined) throw new CodexError(`thread not loaded: ${threadId}`);
			if (!includeTurns) return { thread: office.show(thread), readState: readStates.read(thread) };
			if (thread.settings?.ephemeral) throw new CodexError("ephemeral threads do not support includeTurns");
			if (thread.turn_count === 0) throw new CodexError("list_turns is not supported yet", METHOD_NOT_THERE);
			peer.notify("deprecationNotice", WHOLE_HISTORY);
			const turns = office.readTurns(threadId);
			return { thread: office.show(thread, { turns }), readState: readStates.read(thread) };
		},
		"thread/list"(params) {
			const said = threadList.decode(params);
			const key = said.sortKey === null || said.sortKey === "created_at" ? "created_at_ms" : "updated_at_ms";
			const page = listThreads({ runner, view }, said, {
				...{ key, direction: said.sortDirection ?? "desc", cursor: said.cursor },
				limit: atLeastOne(said.limit, THREADS_PAGE),
			});
			const data = page.threads.map((thread) => office.show(thread, { forList: true }));
			const { nextCursor, backwardsCursor } = page;
			return { data, readStates: readStates.ofMany(page.threads), nextCursor, backwardsCursor };
		},
		"thread/search"(params) {
			const said = threadSearch.decode(params);
			const key = said.sortKey === "created_at" ? "created_at_ms" : "updated_at_ms";
			const { threads, nextCursor, backwardsCursor } = listThreads({ runner, view }, said, {
				...{ key, direction: said.sortDirection ?? "desc", cursor: said.cursor },
				limit: atLeastOne(said.limit, THREADS_PAGE),
			});
			const data = threads.map((thread) => ({
				thread: office.show(thread, { forList: true }),
				snippet: thread.preview ?? "",
			}));
			return { data, nextCursor, backwardsCursor };
		},
		"thread/loaded/list"(params) {
			const { cursor, limit } = loadedList.decode(params);
			if (cursor !== null && !isThreadId(cursor)) throw new CodexError(`invalid cursor: ${cursor}`);
			const ids = desk.loaded().sort();
			const from = cursor === null ? 0 : ids.findIndex((id) => id > cursor);
			const rest = from < 0 ? [] : ids.slice(from);
			const data = limit === null ? rest : rest.slice(0, Math.max(1, limit));
			return { data, nextCursor: data.length < rest.length ? (data.at(-1) ?? null) : null };
		},
		"thread/turns/list"(params) {
			const { threadId, cursor, limit, sortDirection, itemsView } = threadTurns.decode(params);
			const turns = viewTurns(requireTurns(office, threadId, "thread/turns/list"), itemsView ?? "summary");
			const { entries, hasMore } = cutPage(turns, {
				cursor: cursor === null ? null : readCursor(cursor, threadId),
				limit: atLeastOne(limit, TURNS_PAGE),
				direction: sortDirection ?? "desc",
			});
			const last = entries.at(-1)?.ordinal ?? -1;
			return {
				data: entries.map(({ value }) => value),
				nextCursor: hasMore ? turnsCursor(threadId, last, false) : null,
				backwardsCursor: turnsCursor(threadId, entries[0]?.ordinal ?? -1, true),
			};
		},
		"thread/items/list"(params) {
			const { threadId, turnId, cursor, limit, sortDirection } = threadItems.decode(params);
			const turns = requireTurns(office, threadId, "thread/items/list");
			const all = turns.flatMap((turn) => turn.items.map((item): PlacedItem => ({ turn, item })));
			const chosen = turnId === null ? all : all.filter(({ turn }) => turn.turn_id === turnId);
			const { entries, hasMore } = cutPage(chosen, {
				cursor: cursor === null ? null : readCursor(String(cursor), threadId),
				limit: atLeastOne(limit, ITEMS_PAGE),
				direction: sortDirection ?? "asc",
			});
			const last = entries.at(-1)?.ordinal ?? -1;
			return {
				data: entries.map(({ value }) => viewPlaced(value)),
				nextCursor: hasMore ? itemsCursor(threadId, last, false) : null,
				backwardsCursor: itemsCursor(threadId, entries[0]?.ordinal ?? -1, true),
			};
		},
		"thread/items/read"(params) {
			const { threadId, turnId, itemIds } = threadItemsRead.decode(params);
			const turns = requireTurns(office, threadId, "thread/items/read");
			const turn = turns.find(({ turn_id }) => turn_id === turnId);
			if (turn === undefined) throw new CodexError(`turn not found: ${turnId}`);
			const items = turn.items.filter(({ id }) => itemIds.includes(id));
			return { data: items.map((item) => viewPlaced({ turn, item })) };
		},
	};
}
