import { toAppError } from "#base/app-error.ts";
import type { DaemonClient } from "#client/client.ts";
import type { WeaveMessage } from "#protocol/record.ts";
import type { Action, Effect } from "../store/action.ts";
import { threadRow } from "../store/panel.ts";
import type { PanelRow, State } from "../store/state.ts";
import { isWayLost, sayError } from "./error-text.ts";
import { readStatus } from "./read-status.ts";

type Env = Readonly<Record<string, string | undefined>>;
type EffectOf<Kind extends Effect["kind"]> = Extract<Effect, { kind: Kind }>;

export interface DaemonEffectParts {
	client: DaemonClient;
	env: Env;
	getState(): State;
	dispatch(action: Action): void;
	/** A message was stored: its session's messages are to be followed. */
	onMail(message: WeaveMessage): void;
}

/** Variables of this terminal that a thread's commands should see; the daemon has the last word. */
const PASSED_ENV = [
	"PATH",
	"SHELL",
	"LANG",
	"LC_ALL",
	"LC_CTYPE",
	"TZ",
	"TERM",
	"COLORTERM",
	"EDITOR",
	"VISUAL",
	"CODEX_HOME",
	"HOMIE_CODEX_DIR",
];

function passedEnv(env: Env): Record<string, string> {
	const out: Record<string, string> = {};
	for (const name of PASSED_ENV) {
		const value = env[name];
		if (value !== undefined) out[name] = value;
	}
	return out;
}

async function createThread(effect: EffectOf<"create_thread">, parts: DaemonEffectParts): Promise<void> {
	const { slotId, cwd, model, policy } = effect;
	try {
		const params = {
			cwd,
			env: passedEnv(parts.env),
			...(model === undefined ? {} : { model }),
			...(policy === undefined ? {} : { approval_policy: policy }),
		};
		const result = await parts.client.call("chat.create", params, { idempotencyKey: `create:${slotId}` });
		parts.dispatch({ type: "thread_created", slotId, thread: result.thread });
	} catch (thrown) {
		const error = toAppError(thrown);
		parts.dispatch({
			type: "thread_open_failed",
			slotId,
			message: sayError(error),
			isRetryable: isWayLost(error),
		});
	}
}

async function sendMessage(effect: EffectOf<"send_message">, parts: DaemonEffectParts): Promise<void> {
	const { clientMessageId, threadId, text, whenBusy } = effect;
	const params = { thread_id: threadId, text, client_message_id: clientMessageId, when_busy: whenBusy };
	try {
		const result = await parts.client.call("chat.message.send", params, { idempotencyKey: clientMessageId });
		parts.dispatch({ type: "message_acknowledged", clientMessageId, delivery: result.delivery });
	} catch (thrown) {
		const error = toAppError(thrown);
		const message = sayError(error);
		parts.dispatch({ type: "message_refused", clientMessageId, message, isRetryable: isWayLost(error) });
	}
}

async function runCommand(effect: EffectOf<"run_command">, parts: DaemonEffectParts): Promise<void> {
	const { clientMessageId, threadId, command } = effect;
	try {
		const params = { thread_id: threadId, command };
		await parts.client.call("chat.shell", params, { idempotencyKey: clientMessageId });
		parts.dispatch({ type: "command_started", clientMessageId });
	} catch (thrown) {
		const error = toAppError(thrown);
		const message = sayError(error);
		parts.dispatch({ type: "message_refused", clientMessageId, message, isRetryable: isWayLost(error) });
	}
}

async function runTask(effect: EffectOf<"thread_task">, parts: DaemonEffectParts): Promise<void> {
	const { threadId: thread_id, task, text, id } = effect;
	const { client, dispatch } = parts;
	const once = { idempotencyKey: id };
	switch (task) {
		case "compact":
			await client.call("chat.compact", { thread_id }, once);
			return;
		case "review": {
			const target = text === "" ? { type: "uncommittedChanges" } : { type: "custom", instructions: text };
			await client.call("chat.review", { thread_id, target }, once);
			return;
		}
		case "rollback": {
			await client.call("chat.rollback", { thread_id, turns: 1 }, once);
			const said = "the last turn is taken back from what the agent knows; files stay as they are";
			dispatch({ type: "remarked", text: said, token: "accent" });
			return;
		}
		case "plan": {
			const isPlanning = parts.getState().thread?.settings?.collaboration_mode?.mode === "plan";
			await client.call("chat.settings.update", { thread_id, mode: isPlanning ? "default" : "plan" }, once);
			const said = isPlanning
				? "plan mode is off: the agent works again"
				: "plan mode: the agent plans with you and changes nothing; /plan again ends it";
			dispatch({ type: "remarked", text: said, token: "accent" });
			return;
		}
		case "fork": {
			const { thread } = await client.call("chat.fork", { thread_id }, once);
			dispatch({ type: "thread_opening", threadId: thread.thread_id });
			const said = `a copy of the conversation, as ${thread.agent_name}; the other one is kept (/resume)`;
			dispatch({ type: "remarked", text: said, token: "accent" });
		}
	}
}

const GONE: ReadonlySet<string> = new Set([
	"APPROVAL_ALREADY_RESOLVED",
	"APPROVAL_EXPIRED",
	"APPROVAL_NOT_FOUND",
]);

async function answerApproval(effect: EffectOf<"answer_approval">, parts: DaemonEffectParts): Promise<void> {
	const { approvalId, decision, digest, confirm } = effect;
	const params = {
		approval_id: approvalId,
		decision,
		digest,
		...(confirm === undefined ? {} : { confirm }),
	};
	try {
		const idempotencyKey = `answer:${approvalId}:${decision}:${confirm ?? ""}`;
		const result = await parts.client.call("chat.approval.respond", params, { idempotencyKey });
		parts.dispatch({ type: "approval_resolved", approval: result.approval });
	} catch (thrown) {
		const error = toAppError(thrown);
		const isGone = GONE.has(error.code);
		parts.dispatch({ type: "approval_refused", approvalId, message: sayError(error), isGone });
	}
}

async function answerQuestion(
	effect: EffectOf<"answer_question">,
	{ client, dispatch }: DaemonEffectParts,
): Promise<void> {
	const { questionId, result } = effect;
	try {
		const params = { question_id: questionId, result };
		await client.call("chat.question.respond", params, { idempotencyKey: `question:${questionId}` });
	} catch (thrown) {
		const error = toAppError(thrown);
		// Somebody else's answer came first, or the turn is over: that is seen in the conversation.
		if (error.code !== "QUESTION_NOT_FOUND") dispatch({ type: "question_refused", message: sayError(error) });
	}
}

async function sendMail(effect: EffectOf<"send_mail">, parts: DaemonEffectParts): Promise<void> {
	const { clientMessageId, to, text } = effect;
	try {
		const params = { to, text, client_message_id: clientMessageId };
		const options = { idempotencyKey: clientMessageId };
		const { message } = await parts.client.call("weave.message.send", params, options);
		parts.dispatch({ type: "mail_changed", clientMessageId, message });
		parts.onMail(message);
	} catch (thrown) {
		const message = sayError(toAppError(thrown));
		parts.dispatch({ type: "mail_refused", clientMessageId, message });
	}
}

async function listThreads({ client, getState, dispatch }: DaemonEffectParts): Promise<void> {
	const result = await client.call("chat.list", { limit: 200 });
	const state = getState();
	const others = result.threads.filter((row) => row.thread_id !== state.slot.threadId);
	dispatch({ type: "panel_filled", kind: "threads", rows: others.map((row) => threadRow(row, state)) });
}

async function listModels({ client, dispatch }: DaemonEffectParts): Promise<void> {
	const result = await client.call("chat.model.list", {});
	const rows = result.models.map(
		(model): PanelRow => ({
			id: model.id,
			glyph: "none",
			name: model.id,
			text: model.provider,
			right: model.is_default ? "default" : "",
		}),
	);
	dispatch({ type: "panel_filled", kind: "models", rows });
}

async function interrupt(threadId: string, { client, dispatch }: DaemonEffectParts): Promise<void> {
	try {
		await client.call("chat.cancel", { thread_id: threadId });
	} catch (thrown) {
		const error = toAppError(thrown);
		// It ended by itself in the meantime: that is what was wanted.
		const message = error.code === "TURN_NOT_ACTIVE" ? undefined : sayError(error);
		dispatch({ type: "interrupt_refused", message });
	}
}

async function updateSettings(effect: EffectOf<"update_settings">, client: DaemonClient): Promise<void> {
	const { threadId, model, policy } = effect;
	await client.call("chat.settings.update", {
		thread_id: threadId,
		...(model === undefined ? {} : { model }),
		...(policy === undefined ? {} : { approval_policy: policy }),
	});
}

/** Requests to the daemon; undefined for effects that are none. What may fail without a place of its own rejects. */
export function runDaemonEffect(effect: Effect, parts: DaemonEffectParts): Promise<void> | undefined {
	switch (effect.kind) {
		case "create_thread":
			return createThread(effect, parts);
		case "send_message":
			return sendMessage(effect, parts);
		case "run_command":
			return runCommand(effect, parts);
		case "thread_task":
			return runTask(effect, parts);
		case "interrupt":
			return interrupt(effect.threadId, parts);
		case "update_settings":
			return updateSettings(effect, parts.client);
		case "answer_approval":
			return answerApproval(effect, parts);
		case "answer_question":
			return answerQuestion(effect, parts);
		case "send_mail":
			return sendMail(effect, parts);
		case "list_threads":
			return listThreads(parts);
		case "list_models":
			return listModels(parts);
		case "read_status":
			return readStatus(parts.client, parts.getState(), parts.dispatch);
		default:
			return undefined;
	}
}
