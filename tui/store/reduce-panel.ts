import { replaceText } from "../editor/editor.ts";
import { openThread } from "./conversation.ts";
import { panelIndex, panelRows } from "./panel.ts";
import { applySettings } from "./settings.ts";
import type { State } from "./state.ts";
import { only, type ReduceContext, remark, type Update } from "./update.ts";

/** Rows that Page Up and Page Down go over. */
const PAGE = 8;

function choose(state: State, context: ReduceContext): Update {
	const { panel } = state;
	const closed: State = { ...state, panel: undefined };
	const row = panelRows(state)[panelIndex(state)];
	if (!panel || !row) return only(closed);
	switch (panel.kind) {
		case "threads":
			return openThread(closed, row.id, context.newId());
		case "agents":
			return only({ ...closed, editor: replaceText(closed.editor, `#${row.id} ${closed.editor.text}`) });
		case "terminals":
			return only(closed, { kind: "attach", terminal: row.id });
		case "models": {
			const update = applySettings(closed, { model: row.id });
			return {
				state: remark(update.state, `model ${row.name} from the next turn on`, context.nowMs, "accent"),
				effects: update.effects,
			};
		}
		default:
			return only(closed);
	}
}

/** Moving in a panel, filtering, choosing, closing. */
export function runPanelCommand(state: State, command: string, context: ReduceContext): Update {
	const { panel } = state;
	if (!panel) return only(state);
	const last = Math.max(0, panel.kind === "help" ? 400 : panelRows(state).length - 1);
	const at = panel.kind === "help" ? panel.selected : panelIndex(state);
	const go = (selected: number): Update =>
		only({ ...state, panel: { ...panel, selected: Math.max(0, Math.min(last, selected)) } });
	switch (command) {
		case "panel.up":
			return go(at - 1);
		case "panel.down":
			return go(at + 1);
		case "panel.page_up":
			return go(at - PAGE);
		case "panel.page_down":
			return go(at + PAGE);
		case "panel.backspace":
			return only({ ...state, panel: { ...panel, filter: panel.filter.slice(0, -1), selected: 0 } });
		case "panel.choose":
			return choose(state, context);
		default:
			return only({ ...state, panel: undefined });
	}
}
