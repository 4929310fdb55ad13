import {
	EDITOR_COMMANDS,
	type EditorState,
	insertText,
	isEditorCommand,
	replaceText,
} from "../editor/editor.ts";
import { searchMatch, stepHistory } from "../editor/history.ts";
import type { KeyContext } from "../keymap/default-keymap.ts";
import type { KeyEvent } from "../keymap/key-event.ts";
import { resolveChord } from "../keymap/resolve.ts";
import { keyWhileHeld, runApprovalCommand, runConfirmCommand, settleFocus } from "./approval-answer.ts";
import { popupOf } from "./popup.ts";
import { runAppCommand } from "./reduce-app.ts";
import { runPanelCommand } from "./reduce-panel.ts";
import { acceptPopup, runPopupCommand } from "./reduce-popup.ts";
import type { State } from "./state.ts";
import { submitDraft } from "./submit.ts";
import { only, type ReduceContext, type Update } from "./update.ts";

/** Where a key is looked up now, innermost layer first. */
export function activeContexts(state: State): KeyContext[] {
	const { approvals } = state;
	if (approvals.confirm !== undefined) return ["confirm"];
	if (approvals.isFocused && approvals.isArmed)
		return state.editor.text === "" ? ["approval", "empty", "global"] : ["approval", "global"];
	const waiting: KeyContext[] = approvals.isArmed ? ["approval_waiting"] : [];
	if (state.panel !== undefined) return [...waiting, "panel", "global"];
	if (state.history.search !== undefined) return [...waiting, "search"];
	const contexts: KeyContext[] = [...waiting];
	if (popupOf(state) !== undefined) contexts.push("popup");
	if (state.editor.text === "") contexts.push("empty");
	else if (state.turn !== undefined) contexts.push("working");
	contexts.push("composer", "global");
	return contexts;
}

/** Typed text goes to the layer that has the keys; an approval never eats a word. */
function typeText(state: State, text: string): State {
	const { approvals } = state;
	if (approvals.confirm !== undefined)
		return { ...state, approvals: { ...approvals, confirm: approvals.confirm + text } };
	if (state.panel !== undefined && state.panel.kind !== "help") {
		return { ...state, panel: { ...state.panel, filter: state.panel.filter + text, selected: 0 } };
	}
	if (state.history.search !== undefined) {
		const search = { query: state.history.search.query + text, skip: 0 };
		return { ...state, history: { ...state.history, search } };
	}
	const next = state.panel === undefined ? state : { ...state, panel: undefined };
	return {
		...next,
		editor: insertText(next.editor, text),
		history: { ...next.history, index: undefined },
		popup: { selected: 0, closedFor: undefined },
		approvals: approvals.isFocused ? { ...approvals, isFocused: false } : approvals,
	};
}

function setEditor(state: State, editor: EditorState): State {
	const isEdited = editor.text !== state.editor.text;
	const popup = isEdited ? { selected: 0, closedFor: undefined } : state.popup;
	return {
		...state,
		editor,
		popup,
		history: isEdited ? { ...state.history, index: undefined } : state.history,
	};
}

function runEditorCommand(state: State, command: keyof typeof EDITOR_COMMANDS): State {
	const editor = EDITOR_COMMANDS[command](state.editor);
	if (editor !== undefined) return setEditor(state, editor);
	// The draft's edge: history goes on.
	const step = stepHistory(state.history, command === "edit.up" ? -1 : 1, state.editor.text);
	if (!step) return state;
	return { ...state, history: step.state, editor: replaceText(state.editor, step.text) };
}

function runSearchCommand(state: State, command: string): State {
	const { history } = state;
	if (command === "search.open") return { ...state, history: { ...history, search: { query: "", skip: 0 } } };
	const search = history.search;
	if (search === undefined) return state;
	const put = (next: typeof search | undefined): State => ({
		...state,
		history: { ...history, search: next },
	});
	if (command === "search.leave") return put(undefined);
	if (command === "search.older") return put({ ...search, skip: search.skip + 1 });
	if (command === "search.newer") return put({ ...search, skip: Math.max(0, search.skip - 1) });
	if (command === "search.backspace") return put({ query: search.query.slice(0, -1), skip: 0 });
	const match = searchMatch(history);
	const left = put(undefined);
	return match === undefined ? left : { ...left, editor: replaceText(left.editor, match) };
}

function sendOrBreakLine(state: State, context: ReduceContext): Update {
	const { text, cursor } = state.editor;
	if (text.charAt(cursor - 1) === "\\" && cursor > 0) {
		const backspaced = EDITOR_COMMANDS["edit.backspace"](state.editor);
		return only({ ...state, editor: insertText(backspaced, "\n") });
	}
	return submitDraft(state, "steer", context);
}

function runCommand(state: State, command: string, context: ReduceContext): Update {
	if (isEditorCommand(command)) return only(runEditorCommand(state, command));
	const [family] = command.split(".");
	switch (family) {
		case "approval":
			return runApprovalCommand(state, command, context);
		case "confirm":
			return runConfirmCommand(state, command, context.nowMs);
		case "search":
			return only(runSearchCommand(state, command));
		case "panel":
			return runPanelCommand(state, command, context);
		case "popup":
			return command === "popup.accept" ? acceptPopup(state, context) : only(runPopupCommand(state, command));
		case "composer":
			return command === "composer.queue"
				? submitDraft(state, "queue", context)
				: sendOrBreakLine(state, context);
		default:
			return runAppCommand(state, command, context);
	}
}

/** One key. A key that means nothing where it was pressed does nothing. */
export function reduceKey(state: State, event: KeyEvent, context: ReduceContext): Update {
	const typing = { ...state, lastKeyMs: context.nowMs };
	const held = keyWhileHeld(typing, event);
	const update = held
		? {
				state: held.typed === undefined ? held.update.state : typeText(held.update.state, held.typed),
				effects: held.update.effects,
			}
		: reduceFreeKey({ ...typing, approvals: { ...typing.approvals, held: undefined } }, event, context);
	// The draft may be empty now: then the prompt may have the keys when they rest.
	const settled = settleFocus(update.state, context.nowMs);
	return { state: settled.state, effects: [...update.effects, ...settled.effects] };
}

function reduceFreeKey(typing: State, event: KeyEvent, context: ReduceContext): Update {
	const command = resolveChord(event.chord, activeContexts(typing));
	// Any other key takes back a first Ctrl+C.
	const calm = command === "app.break" ? typing : { ...typing, exitUntilMs: undefined };
	if (command !== undefined) return runCommand(calm, command, context);
	return only(event.text === undefined ? calm : typeText(calm, event.text));
}
