import { userItem } from "#daemon/agent/loop/history.ts";
import type { TurnOutcome } from "#daemon/agent/loop-port.ts";
import { displayCommand } from "#daemon/agent/tool/command/display.ts";
import { readThreadEnv, requireThread } from "#daemon/storage/repository/chat-thread.ts";
import type { CommandExecutionItem } from "#protocol/codex-item.ts";
import type { RunnerDeps } from "./deps.ts";
import type { LiveTurn } from "./live-turn.ts";

const DEFAULT_SHELL = "/bin/bash";
/** What the model reads of a command's output; more would crowd out the conversation. About 10,000 tokens. */
const OUTPUT_MAX_CHARS = 40_000;
/** A command of a turn that was interrupted has this long to end by itself. */
const KILL_GRACE_MS = 2_000;

/** Runs a person's own commands: unsandboxed and unasked, for the person typed them. */
export interface UserShell {
	/** As a turn of its own: the command ends with the turn. */
	run(live: LiveTurn, command: string): Promise<TurnOutcome>;
	/** Beside what the turn does: the command runs on whatever becomes of the turn. */
	beside(live: LiveTurn, command: string): Promise<void>;
}

interface Ended {
	exitCode: number;
	durationMs: number;
	output: string;
}

function shown(output: string): string {
	if (output.length <= OUTPUT_MAX_CHARS) return output;
	const half = OUTPUT_MAX_CHARS / 2;
	return `${output.slice(0, half)}\n[${output.length - OUTPUT_MAX_CHARS} characters left out]\n${output.slice(-half)}`;
}

/** What the model is told of it. */
function report(command: string, ended: Ended): string {
	const seconds = (ended.durationMs / 1000).toFixed(4);
	const result = `Exit code: ${ended.exitCode}\nDuration: ${seconds} seconds\nOutput:\n${shown(ended.output)}`;
	return `<user_shell_command>\n<command>\n${command}\n</command>\n<result>\n${result}\n</result>\n</user_shell_command>`;
}

export function createUserShell(deps: RunnerDeps): UserShell {
	const { store, environment, clock, newId } = deps;

	function itemOf(argv: readonly string[], command: string, cwd: string): CommandExecutionItem {
		return {
			type: "commandExecution",
			id: newId(),
			pluginId: null,
			scriptPath: null,
			command: displayCommand(argv),
			cwd,
			processId: null,
			source: "userShell",
			status: "inProgress",
			commandActions: deps.commandActions?.(command) ?? [{ type: "unknown", command }],
			aggregatedOutput: null,
			exitCode: null,
			durationMs: null,
			startedAtMs: clock.nowMs(),
			completedAtMs: null,
		};
	}

	async function execute(live: LiveTurn, command: string, until: AbortSignal | null): Promise<void> {
		const { cwd } = requireThread(store, live.threadId);
		const env = readThreadEnv(store, live.threadId);
		const argv = [env["SHELL"] ?? DEFAULT_SHELL, "-lc", command];
		const item = itemOf(argv, command, cwd);
		await live.items.started(item);
		await live.effects.intend({ itemId: item.id, kind: "command", detail: { argv, cwd, by: "user" } });
		const running = environment.exec({
			...{ argv, cwd, env, sandbox: "danger-full-access", networkAccess: true, writableRoots: [] },
		});
		const stop = (): void => running.kill(KILL_GRACE_MS);
		until?.addEventListener("abort", stop, { once: true });
		using _output = running.onOutput((chunk) => live.items.output(item.id, chunk));
		if (running.pid !== null)
			await live.effects.started(item.id, { pid: running.pid, startTime: running.startTime });
		const { exitCode, durationMs, output, startError } = await running.done;
		until?.removeEventListener("abort", stop);
		const ended = { exitCode, durationMs, output: startError ?? output };
		await live.effects.done(item.id, { exit_code: exitCode });
		const message = userItem(report(command, ended), `msg_${newId()}`);
		live.add({ step: "history_later", items: [message] });
		await live.items.completed({
			...item,
			status: exitCode === 0 ? "completed" : "failed",
			aggregatedOutput: ended.output,
			...{ exitCode, durationMs, completedAtMs: clock.nowMs() },
		});
	}

	return {
		async run(live, command) {
			await execute(live, command, live.signal);
			if (live.signal.aborted) return { status: "interrupted", reason: String(live.signal.reason) };
			return { status: "completed", finalText: null };
		},
		beside: (live, command) => execute(live, command, null),
	};
}
