import type { CodexRunner } from "#daemon/agent/runner/runner.ts";
import type { Thread } from "#protocol/record.ts";
import { CodexError } from "../method.ts";
import { nameOf, providerOf, sourceOf, type ThreadViewPorts } from "./thread-view.ts";

/** What a list may ask for; null: no matter. */
export interface ThreadFilter {
	readonly archived: boolean | null;
	readonly sourceKinds: readonly string[] | null;
	readonly modelProviders?: readonly string[] | null;
	readonly originators?: readonly string[] | null;
	readonly cwd?: readonly string[] | null;
	readonly excludedThreadIds?: readonly string[] | null;
	readonly searchTerm: string | null;
}

export interface ThreadOrder {
	readonly key: "created_at_ms" | "updated_at_ms";
	readonly direction: "asc" | "desc";
	readonly cursor: string | null;
	readonly limit: number;
}

export interface ThreadPage {
	readonly threads: readonly Thread[];
	readonly nextCursor: string | null;
	readonly backwardsCursor: string | null;
}

/** What people talk to; helpers of agents are listed on demand. */
const DEFAULT_SOURCES: readonly string[] = ["cli", "vscode"];
/** Rows that the runner gives at once. */
const ROWS = 1000;

function allThreads(runner: CodexRunner, archived: boolean): Thread[] {
	const threads: Thread[] = [];
	for (let cursor: string | null = ""; cursor !== null; ) {
		const page = runner.listThreads({ archived, limit: ROWS, ...(cursor === "" ? {} : { cursor }) });
		threads.push(...page.threads);
		cursor = page.next_cursor;
	}
	return threads;
}

function among(values: readonly string[] | null | undefined, value: string): boolean {
	return values === null || values === undefined || values.length === 0 || values.includes(value);
}

/** Whether the words are in its name or in the start of its first message. */
function isAbout(thread: Thread, term: string | null): boolean {
	if (term === null || term === "") return true;
	const text = `${nameOf(thread) ?? ""}\n${thread.preview ?? ""}`;
	return text.toLowerCase().includes(term.toLowerCase());
}

function fits(thread: Thread, filter: ThreadFilter, provider: string): boolean {
	// A thread in which nobody said anything is not kept by the reference either.
	if (thread.turn_count === 0 && !thread.preview) return false;
	const sources = filter.sourceKinds?.length ? filter.sourceKinds : DEFAULT_SOURCES;
	return (
		sources.includes(sourceOf(thread)) &&
		among(filter.modelProviders, provider) &&
		among(filter.originators, thread.settings?.originator ?? "") &&
		among(filter.cwd, thread.cwd) &&
		!filter.excludedThreadIds?.includes(thread.thread_id) &&
		isAbout(thread, filter.searchTerm)
	);
}

interface Position {
	readonly atMs: number;
	readonly threadId: string;
}

const CURSOR = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)(?:\|(.+))?$/u;

function readCursor(text: string): Position {
	const [, time, threadId = ""] = text.match(CURSOR) ?? [];
	const atMs = time === undefined ? Number.NaN : Date.parse(time);
	if (Number.isNaN(atMs)) throw new CodexError(`invalid cursor: ${text}`);
	return { atMs, threadId };
}

function compare(a: Position, b: Position): number {
	return a.atMs - b.atMs || (a.threadId < b.threadId ? -1 : Number(a.threadId > b.threadId));
}

/** One page of threads. @throws CodexError for a cursor that is none of ours. */
export function listThreads(
	{ runner, view }: { runner: CodexRunner; view: ThreadViewPorts },
	filter: ThreadFilter,
	order: ThreadOrder,
): ThreadPage {
	const { key, limit } = order;
	const sign = order.direction === "asc" ? 1 : -1;
	const position = (thread: Thread): Position => ({ atMs: thread[key], threadId: thread.thread_id });
	const write = (thread: Thread | undefined): string | null =>
		thread === undefined ? null : `${new Date(thread[key]).toISOString()}|${thread.thread_id}`;
	const from = order.cursor === null ? null : readCursor(order.cursor);
	const threads = allThreads(runner, filter.archived === true)
		.filter((thread) => fits(thread, filter, providerOf(view, thread)))
		.filter((thread) => from === null || sign * compare(position(thread), from) > 0)
		.sort((a, b) => sign * compare(position(a), position(b)));
	const page = threads.slice(0, limit);
	return {
		threads: page,
		nextCursor: threads.length > limit ? write(page.at(-1)) : null,
		backwardsCursor: write(page[0]),
	};
}
