import { AppError } from "#base/app-error.ts";
import { TURN_ABORTED_TEXT, userItem } from "#daemon/agent/loop/history.ts";
import type { TurnOutcome } from "#daemon/agent/loop-port.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { ToolContext } from "#daemon/agent/tool.ts";
import type { RunnerDeps } from "./deps.ts";
import type { LiveTurn } from "./live-turn.ts";

/** Runs a person's own commands: unsandboxed and unasked, for the person typed them. */
export interface UserShell {
	/** As a turn of its own: an interrupt ends the command. */
	run(live: LiveTurn, command: string): Promise<TurnOutcome>;
	/** Beside what the turn does: the command runs on whatever becomes of the turn. */
	beside(live: LiveTurn, command: string): Promise<void>;
}

/** @throws AppError CONFLICT where the daemon was put together without commands. */
export function requireCommands(deps: RunnerDeps): NonNullable<RunnerDeps["commands"]> {
	if (deps.commands === undefined) throw new AppError("CONFLICT", "Commands cannot be run here.");
	return deps.commands;
}

export function createUserShell(
	deps: RunnerDeps,
	contextOf: (live: LiveTurn) => (callId: string) => ToolContext,
): UserShell {
	const { newId } = deps;

	async function execute(live: LiveTurn, command: string, signal: AbortSignal): Promise<ModelItem> {
		const context = { ...contextOf(live)(newId()), signal };
		const { message } = await requireCommands(deps).runUserCommand(command, context);
		return userItem(message, `msg_${newId()}`);
	}

	return {
		async run(live, command) {
			const said = await execute(live, command, live.signal);
			live.add({ step: "history_later", items: [said] });
			if (live.signal.aborted) {
				live.add({ step: "history_later", items: [userItem(TURN_ABORTED_TEXT, `msg_${newId()}`)] });
				return { status: "interrupted", reason: String(live.signal.reason) };
			}
			return { status: "completed", finalText: null };
		},
		async beside(live, command) {
			live.addAside([await execute(live, command, new AbortController().signal)]);
			// The thread's next turn may be about to read it.
			await live.flush();
		},
	};
}
