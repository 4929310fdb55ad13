import { nearestName } from "../text/fuzzy.ts";
import { agents } from "./agents.ts";
import { attach } from "./attach.ts";
import { compact } from "./compact.ts";
import type { SlashCommand } from "./define.ts";
import { fork } from "./fork.ts";
import { help } from "./help.ts";
import { model } from "./model.ts";
import { newThread } from "./new.ts";
import { plan } from "./plan.ts";
import { quit } from "./quit.ts";
import { resume } from "./resume.ts";
import { review } from "./review.ts";
import { status } from "./status.ts";
import { terminals } from "./terminals.ts";
import { undo } from "./undo.ts";

/** Every slash command, in the order of the popup. */
export const SLASH_COMMANDS: readonly SlashCommand[] = [
	help,
	newThread,
	resume,
	status,
	model,
	plan,
	review,
	compact,
	fork,
	undo,
	attach,
	agents,
	terminals,
	quit,
];

export function findCommand(name: string): SlashCommand | undefined {
	return SLASH_COMMANDS.find((command) => command.name === name || command.aliases?.includes(name));
}

/** The command that an unknown name most likely meant. */
export function suggestCommand(name: string): string | undefined {
	return nearestName(
		name,
		SLASH_COMMANDS.flatMap((command) => [command.name, ...(command.aliases ?? [])]),
	);
}
