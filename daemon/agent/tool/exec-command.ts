import { resolve } from "node:path";
import type { CommandExecutionItem } from "#protocol/codex-item.ts";
import { decide, type Verdict } from "../../policy/decide.ts";
import { listCommandPaths } from "../../policy/shell/command-paths.ts";
import { approvalDigest } from "../approval/digest.ts";
import { type ApprovalRequest, defineTool, type Tool, type ToolContext, type ToolResult } from "../tool.ts";
import {
	COMMAND_SPEC,
	type CommandArguments,
	DEFAULT_OUTPUT_TOKENS,
	parseCommandArguments,
} from "./command/arguments.ts";
import { displayCommand } from "./command/display.ts";
import { extractPatchCommand } from "./command/patch-heredoc.ts";
import { type CommandCall, runCommand } from "./command/run-command.ts";
import { findGitRoot } from "./git-root.ts";
import { applyPatchText } from "./patch/apply-patch-text.ts";
import { awaitApproval, failure, interrupted } from "./result.ts";
import { realHome, type ToolServices } from "./services.ts";

/** What the reference server tells its model about a command that a person refused. */
const REJECTED_TEXT = 'exec_command failed: CreateProcess { message: "Rejected(\\"rejected by user\\")" }';
/** Process numbers shown in items; they name a command within this daemon and are no pids. */
const FIRST_PROCESS_NUMBER = 1000;

type Asked = Extract<Verdict, { kind: "ask" }>;

/** Runs shell commands, each decided by the policy, sandboxed unless a person said otherwise. */
export function createExecCommand(services: ToolServices): Tool {
	let processNumber = FIRST_PROCESS_NUMBER;

	async function execute(input: string, context: ToolContext): Promise<ToolResult> {
		const args = parseCommandArguments(input);
		if (typeof args === "string") return failure(`failed to parse function arguments: ${args}`);
		if (context.signal.aborted) return interrupted();
		const workspace = await context.environment.realPath(context.cwd);
		const cwd = args.workdir
			? await context.environment.realPath(resolve(workspace, args.workdir))
			: workspace;
		const patch = extractPatchCommand(args.cmd, cwd);
		if (patch !== undefined) return applyPatchText(patch.patch, patch.cwd, context, services);
		processNumber += 1;
		return executeCommand({ args, cwd, workspace, processId: String(processNumber) }, context, services);
	}

	return defineTool({ name: "exec_command", spec: COMMAND_SPEC, execute });
}

interface Requested {
	readonly args: CommandArguments;
	readonly cwd: string;
	readonly workspace: string;
	readonly processId: string;
}

async function executeCommand(
	requested: Requested,
	context: ToolContext,
	services: ToolServices,
): Promise<ToolResult> {
	const { args, cwd, workspace } = requested;
	const argv = [args.shell || services.shell, args.login === false ? "-c" : "-lc", args.cmd];
	const grant = grantDigest(argv, cwd);
	const granted = context.sessionGrants.has(grant);
	const verdict = await judge({ args, argv, cwd, workspace, granted }, context, services);
	if (verdict.kind === "refuse") return failure(verdict.text);
	const item = startedItem(context, argv, cwd, args.cmd);
	const call: CommandCall = {
		argv,
		cwd,
		workspace,
		sandbox: verdict.sandbox,
		networkAccess: services.networkAccess,
		maxOutputTokens: args.max_output_tokens ?? DEFAULT_OUTPUT_TOKENS,
		item: { ...item, processId: requested.processId, source: "unifiedExecStartup" },
	};
	if (verdict.kind === "run") {
		await context.items.started(call.item);
		return runCommand(call, context, services);
	}
	const agreed = await askPerson(call, item, verdict, context);
	if (typeof agreed !== "string") return agreed;
	if ((await context.environment.realPath(cwd)) !== cwd) {
		await context.items.completed({ ...item, status: "failed", completedAtMs: context.nowMs() });
		return failure(`exec_command failed: ${cwd} leads elsewhere since it was asked for`);
	}
	if (agreed === "session") context.sessionGrants.add(grant);
	return runCommand(call, context, services);
}

/** Asks with the item open; a result when it must not run, else for how long the person agreed. */
async function askPerson(
	call: CommandCall,
	item: CommandExecutionItem,
	verdict: Asked,
	context: ToolContext,
): Promise<ToolResult | "once" | "session"> {
	await context.items.started(item);
	const outcome = await awaitApproval(context, approvalRequest(call, item, verdict, context));
	if (outcome === undefined) return interrupted();
	// A destructive command needs its word each time.
	if (outcome.decision === "accept_for_session") return verdict.destructive === null ? "session" : "once";
	if (outcome.decision === "accept") return "once";
	await context.items.completed({ ...item, status: "declined", completedAtMs: context.nowMs() });
	return { output: REJECTED_TEXT, success: false, stopTurn: outcome.decision !== "decline" };
}

interface Judged {
	args: CommandArguments;
	argv: readonly string[];
	cwd: string;
	workspace: string;
	granted: boolean;
}

async function judge(judged: Judged, context: ToolContext, services: ToolServices): Promise<Verdict> {
	const { environment } = context;
	const named = listCommandPaths(judged.args.cmd, judged.cwd, services.userHome);
	const paths = await Promise.all([...new Set(named.paths)].map((path) => environment.realPath(path)));
	return decide({
		tool: "exec_command",
		argv: judged.argv,
		command: judged.args.cmd,
		cwd: judged.cwd,
		paths,
		pathsComplete: named.complete,
		approvalPolicy: context.approvalPolicy,
		sandbox: context.sandbox,
		sandboxAvailable: environment.sandbox.available,
		escalated: judged.args.sandbox_permissions === "require_escalated",
		justification: judged.args.justification ?? null,
		workspaceRoots: [judged.workspace],
		userHome: await realHome(environment, services),
		gitRoot: await findGitRoot(environment, judged.cwd),
		protectedPaths: services.protectedPaths,
		granted: judged.granted,
	});
}

/** A session grant covers the same argv in the same folder, whatever its environment. */
function grantDigest(argv: readonly string[], cwd: string): string {
	return approvalDigest({ argv, cwd, envNames: [], sandbox: "session", patch: null });
}

function startedItem(
	context: ToolContext,
	argv: readonly string[],
	cwd: string,
	command: string,
): CommandExecutionItem {
	return {
		type: "commandExecution",
		id: context.callId,
		pluginId: null,
		scriptPath: null,
		command: displayCommand(argv),
		cwd,
		processId: null,
		source: "agent",
		status: "inProgress",
		commandActions: [{ type: "unknown", command }],
		aggregatedOutput: null,
		exitCode: null,
		durationMs: null,
		startedAtMs: context.nowMs(),
		completedAtMs: null,
	};
}

function approvalRequest(
	call: CommandCall,
	item: CommandExecutionItem,
	verdict: Asked,
	context: ToolContext,
): ApprovalRequest {
	const { argv, cwd } = call;
	return {
		itemId: item.id,
		kind: "command",
		command: item.command,
		argv,
		cwd,
		changes: null,
		reason: verdict.reason,
		sandbox: verdict.sandbox,
		destructive: verdict.destructive,
		confirmWord: verdict.confirmWord,
		digest: approvalDigest({
			argv,
			cwd,
			envNames: Object.keys(context.env),
			sandbox: verdict.sandbox,
			patch: null,
		}),
	};
}
