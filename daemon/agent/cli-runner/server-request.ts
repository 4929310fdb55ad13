import { approvalDigest } from "#daemon/agent/approval/digest.ts";
import type { ApprovalOutcome, ApprovalRequest, ToolContext } from "#daemon/agent/tool.ts";
import type { Item } from "#protocol/codex-item.ts";
import type { CodexNotification } from "./codex-process.ts";
import { intendEffect, type Running } from "./running-turn.ts";

type Params = CodexNotification["params"];

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

function words(value: unknown): readonly string[] | null {
	return Array.isArray(value) && value.every((word) => typeof word === "string") ? value : null;
}

/** What a person is shown of a request of the program, and what their answer is bound to. */
function commandRequest(params: Params, context: ToolContext): ApprovalRequest {
	const command = text(params["command"]) ?? "";
	const cwd = text(params["cwd"]) ?? context.cwd;
	const actions = params["commandActions"];
	return {
		itemId: text(params["itemId"]) ?? "",
		kind: "command",
		command,
		argv: null,
		cwd,
		changes: null,
		reason: text(params["reason"]),
		sandbox: context.sandbox,
		destructive: null,
		confirmWord: null,
		digest: approvalDigest({ argv: [command], cwd, envNames: [], sandbox: context.sandbox, patch: null }),
		proposedPrefix: words(params["proposedExecpolicyAmendment"]),
		...(Array.isArray(actions) ? { actions } : {}),
	};
}

function patchRequest(params: Params, item: Item | undefined, context: ToolContext): ApprovalRequest {
	const changes = item?.type === "fileChange" ? item.changes : [];
	const patch = JSON.stringify(changes.map(({ path, kind, diff }) => ({ path, kind, diff })));
	const { cwd, sandbox } = context;
	return {
		itemId: text(params["itemId"]) ?? "",
		kind: "patch",
		command: null,
		argv: null,
		cwd,
		changes: changes.map(({ path, diff }) => ({ path, diff })),
		reason: text(params["reason"]),
		sandbox,
		destructive: null,
		confirmWord: null,
		digest: approvalDigest({ argv: null, cwd, envNames: [], sandbox, patch }),
	};
}

function decisionOf({ decision, allowPrefix }: ApprovalOutcome): unknown {
	switch (decision) {
		case "accept":
			return allowPrefix
				? { acceptWithExecpolicyAmendment: { execpolicy_amendment: [...allowPrefix] } }
				: "accept";
		case "accept_for_session":
			return "acceptForSession";
		case "decline":
			return "decline";
		default:
			return "cancel";
	}
}

const QUESTIONS: Readonly<Record<string, "user_input" | "tool_call" | "elicitation">> = {
	"item/tool/requestUserInput": "user_input",
	"item/tool/call": "tool_call",
	"mcpServer/elicitation/request": "elicitation",
};

async function approve({ method, params }: CodexNotification, running: Running): Promise<unknown> {
	const { context, asking, items } = running;
	const item = items.get(text(params["itemId"]) ?? "");
	const request =
		method === "item/fileChange/requestApproval"
			? patchRequest(params, item, context)
			: commandRequest(params, context);
	asking.add(request.itemId);
	const outcome = await context.requestApproval(request);
	if (outcome.decision === "accept" || outcome.decision === "accept_for_session") {
		const detail = { command: request.command, cwd: request.cwd };
		await intendEffect(running, { itemId: request.itemId, kind: request.kind, detail });
	}
	asking.delete(request.itemId);
	return { decision: decisionOf(outcome) };
}

/** Answers one request of the program by asking our clients. @throws Error when nobody can answer it. */
export async function answerServerRequest(request: CodexNotification, running: Running): Promise<unknown> {
	const { method, params } = request;
	if (method === "item/commandExecution/requestApproval" || method === "item/fileChange/requestApproval")
		return await approve(request, running);
	const kind = QUESTIONS[method];
	const itemId = text(params["itemId"]) ?? text(params["callId"]) ?? "";
	const { askClient } = running.ports.toolContext(itemId);
	if (kind === undefined || askClient === undefined) throw new Error(`weave-codex does not answer ${method}`);
	const { threadId: _thread, turnId: _turn, ...rest } = params;
	const answer = await askClient({ itemId, kind, params: rest });
	if (answer.type === "failed") throw new Error(answer.message);
	return answer.result;
}
