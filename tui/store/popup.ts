import type { WeaveAgent } from "#protocol/record.ts";
import type { SlashCommand } from "../command/define.ts";
import { SLASH_COMMANDS } from "../command/index.ts";
import { fuzzyFilter } from "../text/fuzzy.ts";
import type { State } from "./state.ts";

/** What the popup under the composer offers now, derived from the draft. */
export type Popup =
	| { kind: "command"; query: string; items: readonly SlashCommand[]; start: number; end: number }
	| { kind: "agent"; query: string; items: readonly WeaveAgent[]; start: number; end: number };

/** Agents that can be written to: all but the one of this conversation. */
export function otherAgents(state: State): readonly WeaveAgent[] {
	const own = state.slot.threadId;
	return state.agents.filter((agent) => own === undefined || agent.thread_id !== own);
}

/** The popup of the present draft and cursor, unless the person closed it for this very draft. */
export function popupOf(state: State): Popup | undefined {
	const { text, cursor } = state.editor;
	if (state.popup.closedFor === text || state.history.index !== undefined) return undefined;
	const command = /^\/([\w-]*)$/.exec(text);
	if (command) {
		const query = command[1] ?? "";
		const items = fuzzyFilter(query, SLASH_COMMANDS, (item) => item.name);
		return items.length === 0 ? undefined : { kind: "command", query, items, start: 0, end: text.length };
	}
	const mention = /^([#@])([\w.-]*)$/.exec(text.slice(0, cursor));
	if (!mention || /\S/.test(text.charAt(cursor))) return undefined;
	const query = mention[2] ?? "";
	const items = fuzzyFilter(query, otherAgents(state), (item) => item.name);
	return items.length === 0 ? undefined : { kind: "agent", query, items, start: 0, end: cursor };
}

/** The selected row, kept inside the list. */
export function popupIndex(state: State, popup: Popup): number {
	return Math.max(0, Math.min(state.popup.selected, popup.items.length - 1));
}
