import { createDeferred } from "#base/deferred.ts";
import type { CommandExecutionItem } from "#protocol/codex-item.ts";
import type { SandboxMode } from "#protocol/record.ts";
import type { ExecResult, RunningCommand } from "../../environment.ts";
import type { ToolContext, ToolResult } from "../../tool.ts";
import { failure, interrupted, rejectedCommand } from "../result.ts";
import type { SandboxChoices } from "../sandbox-policy.ts";
import type { ToolServices } from "../services.ts";
import type { CommandSession } from "../session/running-commands.ts";
import { createUnread } from "../session/unread.ts";
import { commandOutputText } from "./output-text.ts";

/** Live output beyond this is only in the item's final text; a flood would drown the clients. */
const LIVE_OUTPUT_LIMIT = 1024 * 1024;
/** Exit code that items carry for a program that never started. */
const NEVER_STARTED = -1;
const NOT_CREATED = "Failed to create unified exec process";
const NO_SUCH_FOLDER = `${NOT_CREATED}: No such file or directory (os error 2)`;

/** A command whose way was decided. */
export interface CommandCall {
	readonly argv: readonly string[];
	/** Symlinks resolved. */
	readonly cwd: string;
	readonly workspace: string;
	readonly sandbox: SandboxMode;
	readonly networkAccess: boolean;
	readonly policy: Pick<SandboxChoices, "writableRoots" | "excludeSlashTmp" | "excludeTmpdir">;
	readonly tty: boolean;
	readonly waitMs: number;
	readonly maxOutputTokens: number;
	/** The item as it was started; completed with what came of it. */
	readonly item: CommandExecutionItem;
}

/**
 * Runs a command whose item has been started. The intent is durable before the process exists. A command that takes longer
 * than the wait goes on as a session, also beyond its turn; an interrupt ends the wait and not the process. Its item is
 * completed when the process ends.
 */
export async function runCommand(
	call: CommandCall,
	context: ToolContext,
	services: ToolServices,
): Promise<ToolResult> {
	const { item } = call;
	await context.effects.intend({
		itemId: item.id,
		kind: "command",
		detail: { argv: call.argv, cwd: call.cwd, sandbox: call.sandbox },
	});
	if (context.signal.aborted) {
		await context.effects.done(item.id, { started: false, reason: "the turn was interrupted" });
		await context.items.completed({ ...item, status: "failed", completedAtMs: context.nowMs() });
		return interrupted();
	}
	const startedMs = services.clock.monotonicMs();
	const session = startSession(call, context, services);
	await waitFor(session, call.waitMs, context.signal, services);
	const startError = session.result?.startError ?? null;
	if (startError !== null) {
		services.sessions.remove(session);
		return failure(rejectedCommand(startErrorText(startError)));
	}
	return report(session, { startedMs, maxTokens: call.maxOutputTokens }, services);
}

/** What the model reads: output since the last look, and the end when there is one. */
export function report(
	session: CommandSession,
	{ startedMs, maxTokens }: { startedMs: number; maxTokens: number },
	services: ToolServices,
): ToolResult {
	const { result } = session;
	if (result !== null) services.sessions.remove(session);
	const output = commandOutputText({
		chunkId: services.newId().slice(-6),
		durationMs: services.clock.monotonicMs() - startedMs,
		state: result === null ? { sessionId: session.processId } : { exitCode: result.exitCode },
		output: session.unread.take(),
		maxTokens,
	});
	return { output, success: result === null || result.exitCode === 0, stopTurn: false };
}

/** Resolves when the command is complete, when the time is over or when the turn is interrupted. */
export async function waitFor(
	session: CommandSession,
	waitMs: number,
	signal: AbortSignal,
	services: ToolServices,
): Promise<void> {
	const over = createDeferred<void>();
	const stop = (): void => over.resolve();
	using _timer = services.clock.after(waitMs, stop);
	signal.addEventListener("abort", stop, { once: true });
	if (signal.aborted) stop();
	const ended = session.hold === null ? session.completed : session.process.done.then(() => undefined);
	await Promise.race([ended, over.promise]);
	signal.removeEventListener("abort", stop);
}

function startSession(call: CommandCall, context: ToolContext, services: ToolServices): CommandSession {
	const { item } = call;
	const process = context.environment.exec({
		argv: call.argv,
		cwd: call.cwd,
		env: { ...context.env, CODEX_THREAD_ID: context.threadId },
		sandbox: call.sandbox,
		networkAccess: call.networkAccess,
		scope: context.threadId,
		workspaceRoot: call.workspace,
		writableRoots: call.policy.writableRoots,
		excludeSlashTmp: call.policy.excludeSlashTmp,
		excludeTmpdir: call.policy.excludeTmpdir,
		tty: call.tty,
	});
	const completed = createDeferred<void>();
	const session: CommandSession = {
		processId: item.processId ?? services.sessions.nextProcessId(),
		threadId: context.threadId,
		turnId: context.turnId,
		itemId: item.id,
		command: item.command,
		cwd: call.cwd,
		startedAtMs: item.startedAtMs ?? context.nowMs(),
		tty: call.tty,
		process,
		unread: createUnread(),
		result: null,
		hold: null,
		completed: completed.promise,
	};
	services.sessions.add(session);
	void follow(session, call, context).then(completed.resolve, completed.reject);
	// Whoever waits hears of it; nobody may.
	completed.promise.catch(() => undefined);
	context.outlive?.(completed.promise);
	return session;
}

/** Follows the process to its end, whatever becomes of the turn. */
async function follow(session: CommandSession, call: CommandCall, context: ToolContext): Promise<void> {
	const { item } = call;
	const { process } = session;
	let liveBytes = 0;
	using _listening = process.onOutput((chunk) => {
		session.unread.push(chunk);
		if (liveBytes < LIVE_OUTPUT_LIMIT) context.items.output(item.id, chunk);
		liveBytes += Buffer.byteLength(chunk);
	});
	const [result] = await Promise.all([process.done, tellStart(process, item.id, context)]);
	session.result = result;
	if (session.hold !== null) await session.hold;
	await context.effects.done(item.id, {
		exitCode: result.exitCode,
		signal: result.signal,
		startError: result.startError,
	});
	await context.items.completed(endedItem(item, result, context.nowMs()));
}

async function tellStart(process: RunningCommand, itemId: string, context: ToolContext): Promise<void> {
	if (process.pid === null) return;
	await context.effects.started(itemId, { pid: process.pid, startTime: process.startTime });
}

/** Linux takes no longer argument (MAX_ARG_STRLEN, its end mark included). */
const ARGUMENT_BYTES = 128 * 1024;

/** No program could be started with this text as one of its arguments. */
export function isTooLong(argument: string): boolean {
	return argument.length >= ARGUMENT_BYTES || Buffer.byteLength(argument) >= ARGUMENT_BYTES;
}

/** A command that is too long to run fails as the system would have it, before anybody reads all of it. */
export async function failTooLong(item: CommandExecutionItem, context: ToolContext): Promise<ToolResult> {
	const startError = "E2BIG";
	await context.items.started(item);
	const result = { exitCode: NEVER_STARTED, signal: null, output: "", durationMs: 0, startError };
	await context.items.completed(endedItem(item, result, context.nowMs()));
	return failure(rejectedCommand(startErrorText(startError)));
}

/** The item as its command left it. */
export function endedItem(
	item: CommandExecutionItem,
	result: ExecResult,
	nowMs: number,
): CommandExecutionItem {
	const failed = result.startError !== null;
	const text = result.startError === null ? result.output : startErrorText(result.startError);
	return {
		...item,
		status: result.exitCode === 0 ? "completed" : "failed",
		aggregatedOutput: text === "" ? null : text,
		exitCode: failed ? NEVER_STARTED : result.exitCode,
		durationMs: result.durationMs,
		completedAtMs: nowMs,
	};
}

/** The reference server's words for what keeps a program from starting. */
function startErrorText(startError: string): string {
	if (/^The folder .* does not exist\.$/.test(startError)) return NO_SUCH_FOLDER;
	if (startError.includes("E2BIG")) return `${NOT_CREATED}: Argument list too long (os error 7)`;
	if (startError.includes("without null bytes")) return `${NOT_CREATED}: nul byte found in provided data`;
	return startError;
}
