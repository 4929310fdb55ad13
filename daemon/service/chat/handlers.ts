import type { ProviderSelector } from "#daemon/agent/provider/select.ts";
import type { CodexRunner, RunnerCall } from "#daemon/agent/runner/runner.ts";
import type { CallContext, Handlers } from "#daemon/gateway/handler.ts";
import type { chatMethods } from "#protocol/service/chat.ts";

export type ChatMethodName = (typeof chatMethods)[number]["name"];

/** What the methods about accounts and models need of the provider selector; each throws CONFIG_INVALID. */
export type AccountSource = Pick<ProviderSelector, "account" | "models" | "provider">;

function callOf(context: CallContext): RunnerCall {
	return { label: context.caller.label, clientId: context.caller.clientId, idempotency: context.idempotency };
}

/** Handlers of every `chat.*` method; rules live in the runner and the store, none here. */
export function createChatHandlers({
	runner,
	selector,
}: {
	runner: CodexRunner;
	selector: AccountSource;
}): Handlers<ChatMethodName> {
	return {
		"chat.create": (params, context) => runner.createThread(params, callOf(context)),
		"chat.list": (params) => runner.listThreads(params),
		"chat.thread.read": (params) => runner.readThread(params),
		"chat.message.send": (params, context) => runner.sendMessage(params, callOf(context)),
		"chat.steer": (params, context) => runner.steer(params, callOf(context)),
		"chat.cancel": (params, context) =>
			runner.cancel(params, callOf(context), { endCommands: !params.keep_commands }),
		"chat.approval.list": (params) => ({ approvals: runner.listApprovals(params) }),
		"chat.approval.respond": (params, context) => runner.respondApproval(params, callOf(context)),
		"chat.settings.read": ({ thread_id }) => {
			const { thread } = runner.readThread({ thread_id, limit: 1 });
			const { provider, model, approval_policy, sandbox, agent_name, settings } = thread;
			const provider_info = { ...selector.provider(provider) };
			return { provider, model, approval_policy, sandbox, agent_name, settings, provider_info };
		},
		"chat.settings.update": (params, context) => runner.updateSettings(params, callOf(context)),
		"chat.archive": ({ thread_id }, context) => runner.archiveThread(thread_id, callOf(context)),
		"chat.rename": (params, context) => runner.renameThread(params, callOf(context)),
		"chat.resume": ({ thread_id }, context) => runner.resumeThread(thread_id, callOf(context)),
		"chat.fork": (params, context) => runner.fork(params, callOf(context)),
		"chat.compact": (params, context) => runner.compact(params, callOf(context)),
		"chat.review": (params, context) => runner.review(params, callOf(context)),
		"chat.rollback": (params, context) => runner.rollback(params, callOf(context)),
		"chat.shell": (params, context) => runner.shellCommand(params, callOf(context)),
		"chat.delete": async (params, context) => {
			await runner.deleteThread(params, callOf(context));
			return { thread_id: params.thread_id };
		},
		"chat.question.list": (params) => ({ questions: runner.listQuestions(params) }),
		"chat.question.respond": (params, context) => runner.respondQuestion(params, callOf(context)),
		"chat.account.read": () => ({ ...selector.account() }),
		"chat.model.list": () => ({ ...selector.models() }),
	};
}
