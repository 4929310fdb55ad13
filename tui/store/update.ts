import type { NewId } from "#base/id.ts";
import type { Effect } from "./action.ts";
import type { Cell } from "./cell.ts";
import type { Notice, State } from "./state.ts";

/** A reducer's answer: the next state, and what is to be done outside, in order. */
export interface Update {
	readonly state: State;
	readonly effects: readonly Effect[];
}

/** Time and ids, which a reducer must not make itself. */
export interface ReduceContext {
	readonly nowMs: number;
	readonly newId: NewId;
}

/** How long a passing remark stays. */
const NOTICE_MS = 4_000;

export function only(state: State, ...effects: Effect[]): Update {
	return { state, effects };
}

/** A remark above the composer that goes by itself. */
export function remark(state: State, text: string, nowMs: number, token: Notice["token"] = "muted"): State {
	return { ...state, notice: { text, token, untilMs: nowMs + NOTICE_MS } };
}

/** Moves finished cells from the head of the live region to the scrollback; order never changes. */
export function settle(state: State): State {
	let count = 0;
	while (state.live[count]?.done === true) count += 1;
	if (count === 0) return state;
	return {
		...state,
		printed: [...state.printed, ...state.live.slice(0, count)],
		live: state.live.slice(count),
	};
}

/** Appends a cell; a finished one goes to the scrollback as soon as all before it are finished. */
export function append(state: State, cell: Cell): State {
	return settle({ ...state, live: [...state.live, cell], hasConversation: true });
}

/** An error or remark in the transcript. */
export function noteCell(
	key: string,
	lines: readonly string[],
	look: {
		token: "muted" | "bad" | "good" | "attention";
		glyph: "none" | "done" | "failed" | "needsYou" | "idle";
	},
): Cell {
	return { kind: "note", key, done: true, lines, ...look };
}

export function isShown(state: State, key: string): boolean {
	return (
		state.live.some((cell) => cell.key === key) ||
		state.printed.findLastIndex((cell) => cell.key === key) !== -1
	);
}
