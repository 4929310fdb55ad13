import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import type { ProtectedPaths } from "../../policy/protected.ts";
import type { RuleBook } from "../../policy/rule-book.ts";
import type { Environment } from "../environment.ts";
import type { CommandSessions } from "./session/running-commands.ts";

/** What the tools share; handed in once by `createAgentTools`. */
export interface ToolServices {
	readonly newId: NewId;
	readonly clock: Clock;
	/** Commands that have not been told to their model as ended. */
	readonly sessions: CommandSessions;
	/** The person's rules for prefixes. */
	readonly rules: RuleBook;
	readonly protectedPaths: ProtectedPaths;
	/** Absolute path of the shell for commands that name none. */
	readonly shell: string;
	/** The person's home, to read `~` in a command. */
	readonly userHome: string | undefined;
	/** Whether sandboxed commands may use the network. */
	readonly networkAccess: boolean;
	/** Threads that were told that there is no sandbox. */
	readonly warned: Set<string>;
	/** Files a turn's patches moved (from → to), by the turn's baseline, so that its diff shows a rename. */
	readonly moves: WeakMap<object, Map<string, string>>;
}

/** The person's home as paths are compared; null when it is not known. */
export async function realHome(
	environment: Pick<Environment, "realPath">,
	{ userHome }: ToolServices,
): Promise<string | null> {
	return userHome === undefined || userHome === "" ? null : environment.realPath(userHome);
}
