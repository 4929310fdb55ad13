import { resolve } from "node:path";
import type { CommandExecutionItem } from "#protocol/codex-item.ts";
import { decide, type Verdict } from "../../policy/decide.ts";
import { listCommandPaths } from "../../policy/shell/command-paths.ts";
import { approvalDigest } from "../approval/digest.ts";
import { type ApprovalRequest, defineTool, type Tool, type ToolContext, type ToolResult } from "../tool.ts";
import { isProblem, parseArguments } from "./arguments.ts";
import { commandActions } from "./command/action/actions.ts";
import {
	COMMAND_SPEC,
	type CommandArguments,
	commandArgumentsSchema,
	commandWaitMs,
	DEFAULT_OUTPUT_TOKENS,
} from "./command/arguments.ts";
import { displayCommand } from "./command/display.ts";
import { extractPatchCommand } from "./command/patch-heredoc.ts";
import { type CommandCall, failTooLong, isTooLong, runCommand } from "./command/run-command.ts";
import { findGitRoot } from "./git-root.ts";
import { applyPatchText } from "./patch/apply-patch-text.ts";
import { APPROVAL_FAILED, awaitApproval, failure, interrupted, rejectedCommand } from "./result.ts";
import { sandboxPolicyOf } from "./sandbox-policy.ts";
import { realHome, type ToolServices } from "./services.ts";

/** The reference server's words for a command that a person refused. */
const REJECTED_BY_USER = "rejected by user";

type Asked = Extract<Verdict, { kind: "ask" }>;

/** Runs shell commands, each decided by the policy, sandboxed unless a person said otherwise. */
export function createExecCommand(services: ToolServices): Tool {
	async function execute(input: string, context: ToolContext): Promise<ToolResult> {
		const args = parseArguments(commandArgumentsSchema, input);
		if (isProblem(args)) return failure(args.problem);
		if (context.signal.aborted) return interrupted();
		const workspace = await context.environment.realPath(context.cwd);
		const cwd = args.workdir
			? await context.environment.realPath(resolve(workspace, args.workdir))
			: workspace;
		const patch = extractPatchCommand(args.cmd, cwd);
		if (patch !== undefined) {
			const result = await applyPatchText(patch.patch, patch.cwd, context, services);
			// The reference server frames the patch's own report once more.
			return result.success
				? { ...result, output: `Wall time: 0.0000 seconds\nOutput:\n${result.output}` }
				: result;
		}
		return executeCommand(
			{ args, cwd, workspace, processId: services.sessions.nextProcessId() },
			context,
			services,
		);
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
	const argv = [shellProgram(args.shell, services), args.login === false ? "-c" : "-lc", args.cmd];
	const place = { processId: requested.processId, source: "unifiedExecStartup" } as const;
	if (isTooLong(args.cmd)) {
		const commandActions = [{ type: "unknown" as const, command: args.cmd }];
		return failTooLong({ ...startedItem(context, argv, cwd, commandActions), ...place }, context);
	}
	const grant = grantDigest(argv, cwd);
	const granted = context.sessionGrants.has(grant);
	const verdict = await judge({ args, argv, cwd, workspace, granted }, context, services);
	if (verdict.kind === "refuse")
		return failure(verdict.rejected ? rejectedCommand(verdict.text) : verdict.text);
	warnWithoutSandbox(context, services);
	const item = startedItem(context, argv, cwd);
	const policy = sandboxPolicyOf(context.settings);
	const call: CommandCall = {
		argv,
		cwd,
		workspace,
		sandbox: verdict.sandbox,
		networkAccess: policy.networkAccess ?? services.networkAccess,
		policy,
		tty: args.tty === true,
		waitMs: commandWaitMs(args.yield_time_ms),
		maxOutputTokens: args.max_output_tokens ?? DEFAULT_OUTPUT_TOKENS,
		item: { ...item, ...place },
	};
	if (verdict.kind === "run") {
		await context.items.started(call.item);
		return runCommand(call, context, services);
	}
	const agreed = await askPerson({ call, item, verdict }, context, services);
	if ("output" in agreed) return agreed;
	if ((await context.environment.realPath(cwd)) !== cwd) {
		await context.items.completed({ ...item, status: "failed", completedAtMs: context.nowMs() });
		return failure(`exec_command failed: ${cwd} leads elsewhere since it was asked for`);
	}
	if (agreed.forSession) context.sessionGrants.add(grant);
	const result = await runCommand(call, context, services);
	return agreed.savedPrefix === null
		? result
		: { ...result, developerNote: `Approved command prefix saved:\n- ${agreed.savedPrefix}` };
}

interface Agreed {
	readonly forSession: boolean;
	/** The prefix that needs no question from now on, as JSON. */
	readonly savedPrefix: string | null;
}

/** The person's wish to allow the prefix for good; a rule that cannot be written must not keep their yes from counting. */
async function savePrefix(
	prefix: readonly string[] | null | undefined,
	services: ToolServices,
): Promise<string | null> {
	if (!prefix) return null;
	return services.rules.allow(prefix).then(
		() => JSON.stringify(prefix),
		() => null,
	);
}

/** Asks with the item open; a result when it must not run, else how the person agreed. */
async function askPerson(
	{ call, item, verdict }: { call: CommandCall; item: CommandExecutionItem; verdict: Asked },
	context: ToolContext,
	services: ToolServices,
): Promise<ToolResult | Agreed> {
	await context.items.started(item);
	const outcome = await awaitApproval(context, approvalRequest(call, item, verdict, context));
	if (outcome === undefined) return interrupted();
	if (outcome.decision === "accept")
		return { forSession: false, savedPrefix: await savePrefix(outcome.allowPrefix, services) };
	// A destructive command needs its word each time.
	if (outcome.decision === "accept_for_session")
		return { forSession: verdict.destructive === null, savedPrefix: null };
	const failed = outcome.failed === true;
	const status = failed ? "failed" : "declined";
	await context.items.completed({ ...item, status, completedAtMs: context.nowMs() });
	return {
		output: rejectedCommand(failed ? APPROVAL_FAILED : REJECTED_BY_USER),
		success: false,
		stopTurn: outcome.decision !== "decline",
	};
}

/** Says once in each thread that nothing fences its commands in, and why. */
function warnWithoutSandbox(context: ToolContext, services: ToolServices): void {
	const { sandbox } = context.environment;
	if (sandbox.available || context.sandbox === "danger-full-access") return;
	if (services.warned.has(context.threadId)) return;
	services.warned.add(context.threadId);
	const why = sandbox.detail === null ? "" : `: ${sandbox.detail}`;
	context.items.note?.("warning", {
		message: `There is no sandbox on this machine${why}. Every command is asked for.`,
	});
}

/** A shell by its path or name; what is no shell of this machine becomes the plain one. */
function shellProgram(asked: string | null | undefined, services: ToolServices): string {
	if (!asked) return services.shell;
	const name = asked.slice(asked.lastIndexOf("/") + 1);
	if (name === services.shell.slice(services.shell.lastIndexOf("/") + 1)) return services.shell;
	return name === "sh" ? "/usr/bin/sh" : asked;
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
		workspaceRoots: [judged.workspace, ...sandboxPolicyOf(context.settings).writableRoots],
		userHome: await realHome(environment, services),
		gitRoot: await findGitRoot(environment, judged.cwd),
		protectedPaths: services.protectedPaths,
		granted: judged.granted,
		shown: displayCommand(judged.argv),
		rules: services.rules.current(),
		wantedPrefix: judged.args.prefix_rule ?? null,
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
	actions = commandActions(argv, cwd),
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
		commandActions: actions,
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
		proposedPrefix: verdict.proposedPrefix,
		actions: item.commandActions,
	};
}
