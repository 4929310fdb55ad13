import type { CommandExecutionItem } from "#protocol/codex-item.ts";
import type { SandboxMode } from "#protocol/record.ts";
import type { ExecResult } from "../../environment.ts";
import type { ToolContext, ToolResult } from "../../tool.ts";
import { interrupted } from "../result.ts";
import type { ToolServices } from "../services.ts";
import { commandOutputText } from "./output-text.ts";

/** Live output beyond this is only in the item's final text; a flood would drown the clients. */
const LIVE_OUTPUT_LIMIT = 1024 * 1024;

/** A command whose way was decided. */
export interface CommandCall {
	readonly argv: readonly string[];
	/** Symlinks resolved. */
	readonly cwd: string;
	readonly workspace: string;
	readonly sandbox: SandboxMode;
	readonly networkAccess: boolean;
	readonly maxOutputTokens: number;
	/** The item as it was started; completed with what came of it. */
	readonly item: CommandExecutionItem;
}

/**
 * Runs a command whose item has been started. The intent is durable before the process exists. An interrupt neither ends
 * the process nor this call: the loop goes on without it, and the turn stays open to it until its item is complete.
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
	const { result, outputBytes } = await superviseCommand(call, context);
	if (result.startError !== null) {
		return { output: `exec_command failed: ${result.startError}`, success: false, stopTurn: false };
	}
	const output = commandOutputText({
		chunkId: services.newId().slice(-6),
		durationMs: result.durationMs,
		exitCode: result.exitCode,
		outputBytes,
		output: result.output,
		maxTokens: call.maxOutputTokens,
	});
	return { output, success: result.exitCode === 0, stopTurn: false };
}

/** Follows the process to its end, whatever becomes of the turn. */
async function superviseCommand(
	call: CommandCall,
	context: ToolContext,
): Promise<{ result: ExecResult; outputBytes: number }> {
	const { item } = call;
	const command = context.environment.exec({
		argv: call.argv,
		cwd: call.cwd,
		env: context.env,
		sandbox: call.sandbox,
		networkAccess: call.networkAccess,
		workspaceRoot: call.workspace,
		writableRoots: [],
	});
	let outputBytes = 0;
	using _listening = command.onOutput((chunk) => {
		if (outputBytes < LIVE_OUTPUT_LIMIT) context.items.output(item.id, chunk);
		outputBytes += Buffer.byteLength(chunk);
	});
	const told =
		command.pid === null
			? Promise.resolve()
			: context.effects.started(item.id, { pid: command.pid, startTime: command.startTime });
	const [result] = await Promise.all([command.done, told]);
	await context.effects.done(item.id, {
		exitCode: result.exitCode,
		signal: result.signal,
		startError: result.startError,
	});
	const text = result.startError ?? result.output;
	await context.items.completed({
		...item,
		source: "unifiedExecStartup",
		status: result.exitCode === 0 ? "completed" : "failed",
		aggregatedOutput: text === "" ? null : text,
		exitCode: result.exitCode,
		durationMs: result.durationMs,
		completedAtMs: context.nowMs(),
	});
	return { result, outputBytes };
}
