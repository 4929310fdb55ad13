import type { Action } from "../store/action.ts";
import type { State } from "../store/state.ts";

/** A slash command: one file each, plus a line in index.ts. It answers with actions and never touches the screen. */
export interface SlashCommand {
	readonly name: string;
	/** What it does, in a few words for the popup. */
	readonly summary: string;
	/** How its argument is written, when it takes one: `[terminal]`. */
	readonly argument?: string;
	/** Lines like `/name` that mean the same. */
	readonly aliases?: readonly string[];
	run(argument: string, state: State): readonly Action[];
}

export function defineSlashCommand(command: SlashCommand): SlashCommand {
	return command;
}
