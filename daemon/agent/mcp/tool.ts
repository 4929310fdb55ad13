import type { CallToolResult, Tool as McpTool } from "@modelcontextprotocol/sdk/types.js";
import type { ModelDescription, ModelItem } from "#daemon/agent/model.ts";
import { defineTool, type Tool, type ToolContext, type ToolResult } from "#daemon/agent/tool.ts";
import type { McpToolCallItem } from "#protocol/codex-item.ts";
import { permitCall } from "./approval.ts";
import { type Elicit, failureText } from "./connection.ts";
import { namespaceOf, toolNames } from "./names.ts";
import { callContent, callText } from "./result.ts";
import type { ManagedServer } from "./server.ts";

export interface McpToolOptions {
	readonly server: ManagedServer;
	readonly tool: McpTool;
	readonly model: ModelDescription;
	readonly grants: Set<string>;
	allowForGood(server: string, tool: string): Promise<void>;
}

/** The item of a call, as Codex has it. */
export function callItem(
	id: string,
	call: { server: string; tool: string; args: unknown; readOnly: boolean | null; startedAtMs: number },
): McpToolCallItem {
	return {
		type: "mcpToolCall",
		id,
		server: call.server,
		tool: call.tool,
		status: "inProgress",
		arguments: call.args,
		appContext: null,
		mcpAppUi: null,
		pluginId: null,
		readOnlyHint: call.readOnly,
		result: null,
		error: null,
		durationMs: null,
		startedAtMs: call.startedAtMs,
		completedAtMs: null,
	};
}

function functionSpec(tool: McpTool, name: string, model: ModelDescription): ModelItem {
	const output = model.toolMode === "code" ? tool.outputSchema : undefined;
	const { $schema: _, ...parameters } = tool.inputSchema as Record<string, unknown>;
	return {
		type: "function",
		name,
		description: tool.description ?? "",
		strict: false,
		...(model.toolSearch === true ? { defer_loading: true } : {}),
		parameters: { properties: {}, ...parameters },
		// For the declaration that scripts see; not a member that models take.
		...(output === undefined ? {} : { output_schema: output }),
	};
}

/** What the model is told: in the server's namespace where it takes those, alone otherwise. */
export function mcpSpec({ server, tool, model }: McpToolOptions): ModelItem {
	const { inner, flat } = toolNames(server.options.name, tool.name);
	if (model.toolNamespaces !== true) return functionSpec(tool, flat, model);
	return {
		type: "namespace",
		name: namespaceOf(server.options.name),
		description: server.catalogue?.instructions ?? "",
		tools: [functionSpec(tool, inner, model)],
	};
}

/** A server's own question must not look like one of ours, which clients show as "allow this tool?". */
function ownMeta(meta: unknown): unknown {
	if (meta === null || typeof meta !== "object") return meta ?? null;
	return Object.fromEntries(Object.entries(meta).filter(([name]) => !name.startsWith("codex_")));
}

/** Puts a server's question to the person of the turn; whoever cannot be asked has cancelled. */
function elicitOf(server: string, context: ToolContext): Elicit {
	return async ({ message, requestedSchema, mode, url, elicitationId, _meta: meta }) => {
		const params =
			mode === "url"
				? { serverName: server, mode, _meta: ownMeta(meta), message, url, elicitationId }
				: { serverName: server, mode: "form", _meta: ownMeta(meta), message, requestedSchema };
		const answer = await context.askClient?.({ itemId: context.callId, kind: "elicitation", params });
		if (answer?.type !== "result" || answer.result === null || typeof answer.result !== "object")
			return { action: "cancel" };
		const { action, content } = answer.result as { action?: unknown; content?: unknown };
		return { action, ...(content === null || content === undefined ? {} : { content }) };
	};
}

type Outcome = { result: CallToolResult } | { error: string };

async function perform(
	{ server, tool }: McpToolOptions,
	args: Record<string, unknown>,
	context: ToolContext,
): Promise<Outcome> {
	const { name, config } = server.options;
	try {
		const connection = await server.connect();
		const elicit = elicitOf(name, context);
		return {
			result: await connection.callTool(tool.name, args, {
				signal: context.signal,
				elicit,
				owner: context.threadId,
			}),
		};
	} catch (error) {
		const cause = failureText(error, config.tool_timeout_sec * 1000);
		return {
			error: `tool call error: tool call failed for \`${name}/${tool.name}\`\n\nCaused by:\n    ${cause}`,
		};
	}
}

function finishedItem(item: McpToolCallItem, outcome: Outcome, completedAtMs: number): McpToolCallItem {
	const ended = { ...item, durationMs: completedAtMs - (item.startedAtMs ?? completedAtMs), completedAtMs };
	if ("error" in outcome) return { ...ended, status: "failed", error: { message: outcome.error } };
	const { content, structuredContent = null, _meta = null, isError } = outcome.result;
	const result = { content, structuredContent, _meta };
	return { ...ended, status: isError === true ? "failed" : "completed", result };
}

const INTERRUPTED: ToolResult = { output: "aborted by user", success: false, stopTurn: true };

async function call(options: McpToolOptions, input: string, context: ToolContext): Promise<ToolResult> {
	const { server, tool, grants, allowForGood } = options;
	const { name, config } = server.options;
	const args: unknown = input.trim() === "" ? {} : JSON.parse(input);
	if (args === null || typeof args !== "object" || Array.isArray(args))
		return {
			output: "failed to parse function arguments: expected an object",
			success: false,
			stopTurn: false,
		};
	const given = args as Record<string, unknown>;
	const readOnly = tool.annotations?.readOnlyHint ?? null;
	const startedAtMs = context.nowMs();
	const call = { server: name, tool: tool.name, args, readOnly, startedAtMs };
	const item = callItem(context.callId, call);
	await context.items.started(item);
	const permission = await permitCall({
		server: name,
		config,
		tool,
		args: given,
		context,
		grants,
		allowForGood,
	});
	if (permission.type === "interrupted") return INTERRUPTED;
	let outcome: Outcome;
	if (permission.type === "refused") outcome = { error: permission.message };
	else {
		await context.effects.intend({
			itemId: item.id,
			kind: "call",
			detail: { server: name, tool: tool.name, readOnly: readOnly === true },
		});
		outcome = await perform(options, given, context);
		await context.effects.done(item.id, { ok: "result" in outcome });
		// As the real server: an interrupted call has no end of its own.
		if (context.signal.aborted) return INTERRUPTED;
	}
	const completedAtMs = context.nowMs();
	const durationMs = completedAtMs - startedAtMs;
	await context.items.completed(finishedItem(item, outcome, completedAtMs));
	if ("error" in outcome) {
		const content = callContent([{ type: "text", text: outcome.error }], durationMs);
		return { output: outcome.error, content, success: false, stopTurn: false };
	}
	return callText(outcome.result, durationMs);
}

/** A tool of a server as the agent has it. */
export function createMcpTool(options: McpToolOptions): Tool {
	return defineTool({
		name: toolNames(options.server.options.name, options.tool.name).flat,
		spec: mcpSpec(options),
		execute: (input, context) => call(options, input, context),
	});
}
