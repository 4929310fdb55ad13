import type { CommandExecutionItem } from "#protocol/codex-item.ts";
import type { ToolContext } from "../../tool.ts";
import type { ToolServices } from "../services.ts";
import { createUnread } from "../session/unread.ts";
import { commandActions } from "./action/actions.ts";
import { displayCommand } from "./display.ts";
import { endedItem } from "./run-command.ts";

/** What came of a command that the person ran. */
export interface UserCommandOutcome {
	readonly exitCode: number;
	readonly durationMs: number;
	readonly output: string;
	/** What the model is to read of it, as a user message. */
	readonly message: string;
}

/** Runs a command that the person typed: in their shell, without a sandbox and unasked. Its item is `context.callId`. */
export type RunUserCommand = (command: string, context: ToolContext) => Promise<UserCommandOutcome>;

/** Time between SIGTERM and SIGKILL when the person interrupts. */
const GRACE_MS = 1_000;

/** How the real server tells of a command that the person took back. */
const TAKEN_BACK = { status: "failed", exitCode: -1, aggregatedOutput: "command aborted by user" } as const;

/** Unlike an agent's command it ends with an interrupt: the person who started it took it back. */
export function userCommandRunner(services: ToolServices): RunUserCommand {
	return async (command, context) => {
		const argv = [services.shell, "-lc", command];
		const item: CommandExecutionItem = {
			type: "commandExecution",
			id: context.callId,
			pluginId: null,
			scriptPath: null,
			command: displayCommand(argv),
			cwd: context.cwd,
			processId: null,
			source: "userShell",
			status: "inProgress",
			commandActions: commandActions(argv, context.cwd),
			aggregatedOutput: null,
			exitCode: null,
			durationMs: null,
			startedAtMs: context.nowMs(),
			completedAtMs: null,
		};
		await context.items.started(item);
		await context.effects.intend({
			itemId: item.id,
			kind: "command",
			detail: { argv, cwd: context.cwd, sandbox: "danger-full-access" },
		});
		const process = context.environment.exec({
			argv,
			cwd: context.cwd,
			env: context.env,
			sandbox: "danger-full-access",
			networkAccess: true,
			writableRoots: [],
		});
		using _listening = process.onOutput((chunk) => context.items.output(item.id, chunk));
		const stop = (): void => process.kill(GRACE_MS);
		context.signal.addEventListener("abort", stop, { once: true });
		if (context.signal.aborted) stop();
		services.sessions.add({
			processId: services.sessions.nextProcessId(),
			threadId: context.threadId,
			turnId: context.turnId,
			itemId: item.id,
			command: item.command,
			cwd: item.cwd,
			startedAtMs: context.nowMs(),
			tty: false,
			process,
			unread: createUnread(),
			result: null,
			hold: null,
			completed: process.done.then(() => undefined),
		});
		if (process.pid !== null)
			await context.effects.started(item.id, { pid: process.pid, startTime: process.startTime });
		const result = await process.done;
		context.signal.removeEventListener("abort", stop);
		services.sessions.forget(item.id);
		const { signal, startError, durationMs } = result;
		await context.effects.done(item.id, { exitCode: result.exitCode, signal, startError });
		const whole = endedItem(item, result, context.nowMs());
		const ended: CommandExecutionItem = context.signal.aborted ? { ...whole, ...TAKEN_BACK } : whole;
		const exitCode = ended.exitCode ?? result.exitCode;
		await context.items.completed(ended);
		const output = ended.aggregatedOutput ?? "";
		const message = `<user_shell_command>\n<command>\n${command}\n</command>\n<result>\nExit code: ${exitCode}\nDuration: ${(durationMs / 1000).toFixed(4)} seconds\nOutput:\n${output}\n</result>\n</user_shell_command>`;
		return { exitCode, durationMs, output, message };
	};
}
