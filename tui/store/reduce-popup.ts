import { replaceText } from "../editor/editor.ts";
import { popupIndex, popupOf } from "./popup.ts";
import type { State } from "./state.ts";
import { submitDraft } from "./submit.ts";
import { only, type ReduceContext, type Update } from "./update.ts";

function complete(state: State): State {
	const popup = popupOf(state);
	if (!popup) return state;
	const item = popup.items[popupIndex(state, popup)];
	if (!item) return state;
	const sign = popup.kind === "command" ? "/" : state.editor.text.charAt(0);
	const rest = state.editor.text.slice(popup.end).replace(/^\s+/, "");
	const head = `${sign}${item.name} `;
	return {
		...state,
		editor: replaceText(state.editor, head + rest, head.length),
		popup: { selected: 0, closedFor: undefined },
	};
}

/** Moving in the popup, completing, closing. */
export function runPopupCommand(state: State, command: string): State {
	const popup = popupOf(state);
	if (!popup) return state;
	const at = popupIndex(state, popup);
	const count = popup.items.length;
	if (command === "popup.up")
		return { ...state, popup: { ...state.popup, selected: (at - 1 + count) % count } };
	if (command === "popup.down") return { ...state, popup: { ...state.popup, selected: (at + 1) % count } };
	if (command === "popup.close") return { ...state, popup: { selected: 0, closedFor: state.editor.text } };
	return complete(state);
}

/** Enter in the popup: a command runs at once, an agent's name is completed and waits for the text. */
export function acceptPopup(state: State, context: ReduceContext): Update {
	const popup = popupOf(state);
	if (popup?.kind !== "command") return only(complete(state));
	const item = popup.items[popupIndex(state, popup)];
	if (!item) return only(state);
	return submitDraft({ ...state, editor: replaceText(state.editor, `/${item.name}`) }, "steer", context);
}
