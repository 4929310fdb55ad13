import type { NewId } from "#base/id.ts";
import type { ProtectedPaths } from "../../policy/protected.ts";
import type { Tool } from "../tool.ts";
import { createApplyPatch } from "./apply-patch.ts";
import { createExecCommand } from "./exec-command.ts";

export interface ToolOptions {
	readonly newId: NewId;
	/** As the environment hides them (`LocalEnvironment.protectedPaths`). */
	readonly protectedPaths: ProtectedPaths;
	/** Absolute path; /bin/bash by default. */
	readonly shell?: string;
	/** The person's home, to read `~` in a command. */
	readonly userHome?: string | undefined;
	/** Whether sandboxed commands may use the network; no by default. */
	readonly networkAccess?: boolean;
}

/** Every tool of the agent, in the order in which models are told of them. */
export function createTools(options: ToolOptions): readonly Tool[] {
	const services = {
		newId: options.newId,
		protectedPaths: options.protectedPaths,
		shell: options.shell ?? "/bin/bash",
		userHome: options.userHome,
		networkAccess: options.networkAccess ?? false,
		moves: new WeakMap<object, Map<string, string>>(),
	};
	return [createExecCommand(services), createApplyPatch(services)];
}
