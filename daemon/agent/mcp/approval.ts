import type { Tool as McpTool, ToolAnnotations } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import type { ToolContext } from "#daemon/agent/tool.ts";
import type { McpServerConfig } from "./config.ts";

export type CallPermission =
	| { type: "allowed" }
	/** `message`: what the model and the item are told. */
	| { type: "refused"; message: string }
	| { type: "interrupted" };

/** What a server says of a tool: without a word it may change things. */
function changesThings(annotations: ToolAnnotations | undefined): boolean {
	if (annotations?.destructiveHint === true) return true;
	if (annotations?.readOnlyHint === true) return false;
	return (annotations?.destructiveHint ?? true) || (annotations?.openWorldHint ?? true);
}

/** Whether a person has to allow the call, by config.toml's mode for the tool, then by what the server says of it. */
export function needsApproval(config: McpServerConfig, tool: McpTool): boolean {
	const mode = config.tools[tool.name]?.approval_mode ?? config.default_tools_approval_mode ?? "auto";
	if (mode !== "auto") return mode === "prompt";
	return changesThings(tool.annotations);
}

const answerSchema = z.looseObject({
	action: z.enum(["accept", "decline", "cancel"]),
	_meta: z.looseObject({ persist: z.string().optional() }).nullable().optional(),
});

export interface ApprovalAsk {
	readonly server: string;
	readonly config: McpServerConfig;
	readonly tool: McpTool;
	readonly args: Readonly<Record<string, unknown>>;
	readonly context: ToolContext;
	/** Calls that were allowed for the rest of the thread. */
	readonly grants: Set<string>;
	allowForGood(server: string, tool: string): Promise<void>;
}

function question({ server, tool, args }: ApprovalAsk): Readonly<Record<string, unknown>> {
	const { annotations, title = annotations?.title, description } = tool;
	return {
		serverName: server,
		mode: "form",
		_meta: {
			codex_approval_kind: "mcp_tool_call",
			persist: ["session", "always"],
			tool_name: tool.name,
			...(annotations === undefined ? {} : { tool_annotations: annotations }),
			...(title === undefined ? {} : { tool_title: title }),
			...(description === undefined ? {} : { tool_description: description }),
			tool_params: args,
			tool_params_display: Object.entries(args).map(([name, value]) => ({ name, value, display_name: name })),
		},
		message: `Allow the ${server} MCP server to run tool "${tool.name}"?`,
		requestedSchema: { type: "object", properties: {} },
	};
}

/** Asks the person where the call needs it; the answer counts for the thread when they said so. */
export async function permitCall(ask: ApprovalAsk): Promise<CallPermission> {
	const { context, grants, server, tool } = ask;
	const grant = JSON.stringify([server, tool.name]);
	if (!needsApproval(ask.config, tool) || grants.has(grant)) return { type: "allowed" };
	if (context.approvalPolicy === "never") {
		if (context.sandbox === "danger-full-access") return { type: "allowed" };
		return { type: "refused", message: "MCP tool call requires approval, but approval policy is never" };
	}
	if (context.askClient === undefined) return { type: "refused", message: "user cancelled MCP tool call" };
	try {
		const answer = await context.askClient({
			itemId: context.callId,
			kind: "elicitation",
			params: question(ask),
		});
		const parsed = answer.type === "result" ? answerSchema.safeParse(answer.result) : null;
		if (!parsed?.success || parsed.data.action === "cancel")
			return { type: "refused", message: "user cancelled MCP tool call" };
		if (parsed.data.action === "decline") return { type: "refused", message: "user rejected MCP tool call" };
		const persist = parsed.data._meta?.persist;
		if (persist !== undefined) grants.add(grant);
		if (persist === "always") await ask.allowForGood(server, tool.name);
		return { type: "allowed" };
	} catch (error) {
		if (context.signal.aborted) return { type: "interrupted" };
		throw error;
	}
}
