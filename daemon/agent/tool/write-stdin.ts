import { createDeferred } from "#base/deferred.ts";
import { defineTool, type Tool, type ToolContext, type ToolResult } from "../tool.ts";
import { isProblem, parseArguments } from "./arguments.ts";
import { DEFAULT_OUTPUT_TOKENS, inputWaitMs, STDIN_SPEC, stdinArgumentsSchema } from "./command/arguments.ts";
import { report, waitFor } from "./command/run-command.ts";
import { failure } from "./result.ts";
import type { ToolServices } from "./services.ts";
import type { CommandSession } from "./session/running-commands.ts";

const CTRL_C = "\u0003";
const CLOSED =
	"write_stdin failed: stdin is closed for this session; rerun exec_command with tty=true to keep stdin open";

/** Types into a command of the thread that `exec_command` left running, or looks at it. */
export function createWriteStdin(services: ToolServices): Tool {
	async function execute(input: string, context: ToolContext): Promise<ToolResult> {
		const args = parseArguments(stdinArgumentsSchema, input);
		if (isProblem(args)) return failure(args.problem);
		const session = services.sessions.find(context.threadId, args.session_id);
		if (session === undefined) return failure(`write_stdin failed: Unknown process id ${args.session_id}`);
		const chars = args.chars ?? "";
		const startedMs = services.clock.monotonicMs();
		if (chars !== "" && session.result === null) {
			if (!session.tty && chars !== CTRL_C) return failure(CLOSED);
			await typeInto(session, { chars, waitMs: inputWaitMs(args.yield_time_ms, chars) }, context, services);
		} else await waitFor(session, inputWaitMs(args.yield_time_ms, chars), context.signal, services);
		if (session.result !== null) await session.completed;
		return report(
			session,
			{ startedMs, maxTokens: args.max_output_tokens ?? DEFAULT_OUTPUT_TOKENS },
			services,
		);
	}
	return defineTool({ name: "write_stdin", spec: STDIN_SPEC, execute });
}

/** Clients hear of the input before they hear of an end that it brought. */
async function typeInto(
	session: CommandSession,
	{ chars, waitMs }: { chars: string; waitMs: number },
	context: ToolContext,
	services: ToolServices,
): Promise<void> {
	const released = createDeferred<void>();
	session.hold = released.promise;
	try {
		if (session.tty) session.process.write?.(chars);
		else session.process.interrupt?.();
		await waitFor(session, waitMs, context.signal, services);
		context.items.input?.(session.itemId, session.processId, chars);
	} finally {
		session.hold = null;
		released.resolve();
	}
}
