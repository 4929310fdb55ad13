import { graphemes, widthCells } from "../text/width.ts";
import { lineEnd, lineStart, nextGrapheme, previousGrapheme, wordLeft, wordRight } from "./motion.ts";

interface Mark {
	text: string;
	cursor: number;
}

/** The draft; `cursor` is an index into `text` that never stands inside a grapheme. */
export interface EditorState {
	readonly text: string;
	readonly cursor: number;
	/** Newest last; a run of kills makes one entry. */
	readonly killRing: readonly string[];
	readonly undo: readonly Mark[];
	readonly redo: readonly Mark[];
	/** What the last change was, so that a run of letters is undone at once and a run of kills is yanked at once. */
	readonly last: "type" | "kill" | "yank" | "other";
	/** Where the last yank stands, for yank-pop: its beginning and which ring entry it was. */
	readonly yank: { start: number; index: number } | undefined;
	/** Cells from the line's beginning that Up and Down aim for. */
	readonly goalCells: number | undefined;
}

/** Undo steps and killed texts that are kept; a person does not go back further. */
const UNDO_LIMIT = 200;
const KILL_LIMIT = 30;

export const EMPTY_EDITOR: EditorState = {
	text: "",
	cursor: 0,
	killRing: [],
	undo: [],
	redo: [],
	last: "other",
	yank: undefined,
	goalCells: undefined,
};

function remember(state: EditorState): readonly Mark[] {
	return [...state.undo, { text: state.text, cursor: state.cursor }].slice(-UNDO_LIMIT);
}

function change(state: EditorState, text: string, cursor: number, last: EditorState["last"]): EditorState {
	const joins = last === "type" && state.last === "type";
	return {
		...state,
		text,
		cursor,
		undo: joins ? state.undo : remember(state),
		redo: [],
		last,
		yank: undefined,
		goalCells: undefined,
	};
}

function move(state: EditorState, cursor: number): EditorState {
	return { ...state, cursor, last: "other", yank: undefined, goalCells: undefined };
}

/** Inserts typed text at the cursor. */
export function insertText(state: EditorState, inserted: string): EditorState {
	const text = state.text.slice(0, state.cursor) + inserted + state.text.slice(state.cursor);
	const breaksRun = /\s/.test(inserted);
	const next = change(state, text, state.cursor + inserted.length, breaksRun ? "other" : "type");
	return next;
}

/** Pasted text: line ends of all systems become newlines, other controls go; one undo step. */
export function insertPaste(state: EditorState, pasted: string): EditorState {
	const plain = pasted.replace(/\r\n?/g, "\n").replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "");
	const text = state.text.slice(0, state.cursor) + plain + state.text.slice(state.cursor);
	return change(state, text, state.cursor + plain.length, "other");
}

/** Replaces the whole draft (history, completion, clearing); can be undone. */
export function replaceText(state: EditorState, text: string, cursor: number = text.length): EditorState {
	return change(state, text, cursor, "other");
}

/** After sending: empty, and nothing to undo into; the kill ring stays. */
export function clearAfterSend(state: EditorState): EditorState {
	return { ...EMPTY_EDITOR, killRing: state.killRing };
}

function cut(state: EditorState, from: number, to: number, keep: "before" | "after" | "none"): EditorState {
	if (from === to) return state;
	const removed = state.text.slice(from, to);
	const text = state.text.slice(0, from) + state.text.slice(to);
	if (keep === "none") return change(state, text, from, "other");
	const ring = state.killRing;
	const top = ring.at(-1) ?? "";
	const merged = keep === "before" ? removed + top : top + removed;
	const killRing =
		state.last === "kill" ? [...ring.slice(0, -1), merged] : [...ring, removed].slice(-KILL_LIMIT);
	return { ...change(state, text, from, "kill"), killRing };
}

/** Up or Down a line of the draft; undefined at its edge, where history takes over. */
function moveLine(state: EditorState, step: -1 | 1): EditorState | undefined {
	const start = lineStart(state.text, state.cursor);
	const goalCells = state.goalCells ?? widthCells(state.text.slice(start, state.cursor));
	const otherStart = step === -1 ? lineStart(state.text, start - 1) : lineEnd(state.text, state.cursor) + 1;
	if (step === -1 ? start === 0 : otherStart > state.text.length) return undefined;
	const line = state.text.slice(otherStart, lineEnd(state.text, otherStart));
	let cells = 0;
	let cursor = otherStart;
	for (const grapheme of graphemes(line)) {
		cells += widthCells(grapheme);
		if (cells > goalCells) break;
		cursor += grapheme.length;
	}
	return { ...move(state, cursor), goalCells };
}

function yankLast(state: EditorState): EditorState {
	const killed = state.killRing.at(-1);
	if (killed === undefined) return state;
	const next = change(
		state,
		state.text.slice(0, state.cursor) + killed + state.text.slice(state.cursor),
		state.cursor + killed.length,
		"yank",
	);
	return { ...next, yank: { start: state.cursor, index: state.killRing.length - 1 } };
}

function yankPop(state: EditorState): EditorState {
	const { yank, killRing } = state;
	if (yank === undefined || killRing.length < 2) return state;
	const index = (yank.index - 1 + killRing.length) % killRing.length;
	const killed = killRing[index] ?? "";
	const text = state.text.slice(0, yank.start) + killed + state.text.slice(state.cursor);
	return { ...change(state, text, yank.start + killed.length, "yank"), yank: { start: yank.start, index } };
}

function undo(state: EditorState): EditorState {
	const mark = state.undo.at(-1);
	if (!mark) return state;
	const redo = [...state.redo, { text: state.text, cursor: state.cursor }];
	return { ...move(state, mark.cursor), text: mark.text, undo: state.undo.slice(0, -1), redo };
}

function redo(state: EditorState): EditorState {
	const mark = state.redo.at(-1);
	if (!mark) return state;
	return {
		...move(state, mark.cursor),
		text: mark.text,
		undo: remember(state),
		redo: state.redo.slice(0, -1),
	};
}

/** Swaps the graphemes around the cursor, or the last two at a line's end. */
function transpose(state: EditorState): EditorState {
	const start = lineStart(state.text, state.cursor);
	const end = lineEnd(state.text, state.cursor);
	const right = state.cursor === end ? state.cursor : nextGrapheme(state.text, state.cursor);
	const middle = previousGrapheme(state.text, right);
	const left = previousGrapheme(state.text, middle);
	if (left < start || middle === left || middle === right) return state;
	const swapped = state.text.slice(middle, right) + state.text.slice(left, middle);
	return change(state, state.text.slice(0, left) + swapped + state.text.slice(right), right, "other");
}

/** Everything that keys do to a draft; an entry returns undefined when the key is for somebody else (history at an edge). */
export const EDITOR_COMMANDS = {
	"edit.left": (state) => move(state, previousGrapheme(state.text, state.cursor)),
	"edit.right": (state) => move(state, nextGrapheme(state.text, state.cursor)),
	"edit.word_left": (state) => move(state, wordLeft(state.text, state.cursor)),
	"edit.word_right": (state) => move(state, wordRight(state.text, state.cursor)),
	"edit.line_start": (state) => move(state, lineStart(state.text, state.cursor)),
	"edit.line_end": (state) => move(state, lineEnd(state.text, state.cursor)),
	"edit.start": (state) => move(state, 0),
	"edit.end": (state) => move(state, state.text.length),
	"edit.up": (state) => moveLine(state, -1),
	"edit.down": (state) => moveLine(state, 1),
	"edit.newline": (state) => insertText(state, "\n"),
	"edit.backspace": (state) => cut(state, previousGrapheme(state.text, state.cursor), state.cursor, "none"),
	"edit.delete": (state) => cut(state, state.cursor, nextGrapheme(state.text, state.cursor), "none"),
	"edit.kill_word_left": (state) => cut(state, wordLeft(state.text, state.cursor), state.cursor, "before"),
	"edit.kill_word_right": (state) => cut(state, state.cursor, wordRight(state.text, state.cursor), "after"),
	"edit.kill_line_left": (state) => cut(state, lineStart(state.text, state.cursor), state.cursor, "before"),
	"edit.kill_line_right": (state) => {
		const end = lineEnd(state.text, state.cursor);
		return cut(
			state,
			state.cursor,
			end === state.cursor ? Math.min(state.text.length, end + 1) : end,
			"after",
		);
	},
	"edit.yank": yankLast,
	"edit.yank_pop": yankPop,
	"edit.undo": undo,
	"edit.redo": redo,
	"edit.transpose": transpose,
} as const satisfies Record<string, (state: EditorState) => EditorState | undefined>;

export type EditorCommand = keyof typeof EDITOR_COMMANDS;

export function isEditorCommand(command: string): command is EditorCommand {
	return Object.hasOwn(EDITOR_COMMANDS, command);
}
