/** What was sent, oldest first, and where Up and Down stand in it. */
export interface HistoryState {
	readonly entries: readonly string[];
	/** Undefined while the person's own draft is shown. */
	readonly index: number | undefined;
	/** The draft that was there before Up was pressed. */
	readonly draft: string;
	/** Ctrl+R: what was typed, and which match counting from the newest. */
	readonly search: { query: string; skip: number } | undefined;
}

/** Entries kept in memory. */
const LIMIT = 500;

export const EMPTY_HISTORY: HistoryState = { entries: [], index: undefined, draft: "", search: undefined };

/** Adds a sent text; a repetition of the newest is not added twice. */
export function addEntry(state: HistoryState, text: string): HistoryState {
	const rested = { ...state, index: undefined, draft: "", search: undefined };
	if (text.trim() === "" || state.entries.at(-1) === text) return rested;
	return { ...rested, entries: [...state.entries, text].slice(-LIMIT) };
}

/** One step older (-1) or newer (1); undefined when there is none. */
export function stepHistory(
	state: HistoryState,
	step: -1 | 1,
	draft: string,
): { state: HistoryState; text: string } | undefined {
	const from = state.index ?? state.entries.length;
	const to = from + step;
	if (to < 0 || from >= state.entries.length + (step === 1 ? 0 : 1)) return undefined;
	const kept = state.index === undefined ? draft : state.draft;
	if (to >= state.entries.length) return { state: { ...state, index: undefined, draft: "" }, text: kept };
	return { state: { ...state, index: to, draft: kept }, text: state.entries[to] ?? "" };
}

/** The entry that Ctrl+R shows now: the newest that contains the query, after skipping `skip` of them. */
export function searchMatch(state: HistoryState): string | undefined {
	const search = state.search;
	if (search === undefined) return undefined;
	const query = search.query.toLowerCase();
	const matches = state.entries.filter((entry) => entry.toLowerCase().includes(query));
	return matches.at(-1 - Math.min(search.skip, Math.max(0, matches.length - 1)));
}
