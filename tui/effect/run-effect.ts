import { type AppError, toAppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { ErrorCode } from "#base/error-table.ts";
import type { DaemonClient } from "#client/client.ts";
import type { Action, Effect } from "../store/action.ts";
import { threadRow } from "../store/panel.ts";
import type { PanelRow, State } from "../store/state.ts";
import { watchDaemon, watchMail, watchThread, linkView } from "./feed.ts";
import { readStatus } from "./read-status.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What the terminal side does for effects. */
export interface TerminalPort {
	attach(client: DaemonClient, terminal: string | undefined): Promise<void>;
	redraw(): Promise<void>;
	suspend(): Promise<void>;
	bell(): void;
	exit(code: number): void;
}

interface RunnerParts {
	client: DaemonClient;
	clock: Clock;
	env: Env;
	terminal: TerminalPort;
	getState(): State;
	dispatch(action: Action): void;
}

export interface EffectRunner extends Disposable {
	run(effect: Effect): void;
}

/** Failures of the way, not of the request: the same request goes again later, under the same id. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set(["DAEMON_UNAVAILABLE", "DAEMON_STOPPING", "BUSY", "TIMEOUT"]);
/** Variables of this terminal that a thread's commands should see; the daemon has the last word. */
const PASSED_ENV = ["PATH", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TERM", "COLORTERM", "EDITOR", "VISUAL", "CODEX_HOME", "HOMIE_CODEX_DIR"];

function passedEnv(env: Env): Record<string, string> {
	const out: Record<string, string> = {};
	for (const name of PASSED_ENV) {
		const value = env[name];
		if (value !== undefined) out[name] = value;
	}
	return out;
}

/** What happened and what to do, in one line. */
export function sayError(error: AppError): string {
	return error.message.includes(error.remedy) ? error.message : `${error.message} ${error.remedy}`;
}

/** Does what the reducers ask for, over one client; every outcome comes back as an action, failures too. */
export function createEffectRunner(parts: RunnerParts): EffectRunner {
	const { client, dispatch, clock } = parts;
	const stack = new DisposableStack();
	const mailSessions = new Map<string, Disposable>();
	let thread: Disposable | undefined;

	function remark(error: unknown): void {
		const text = sayError(toAppError(error));
		dispatch({ type: "noticed", notice: { text, token: "attention", untilMs: clock.nowMs() + 8_000 } });
	}

	async function readAccount(): Promise<void> {
		const account = await client.call("chat.account.read", {});
		dispatch({ type: "account_read", account });
	}

	async function createThread(effect: Extract<Effect, { kind: "create_thread" }>): Promise<void> {
		try {
			const params = {
				cwd: effect.cwd,
				env: passedEnv(parts.env),
				...(effect.model === undefined ? {} : { model: effect.model }),
				...(effect.policy === undefined ? {} : { approval_policy: effect.policy }),
			};
			const result = await client.call("chat.create", params, { idempotencyKey: `create:${effect.slotId}` });
			dispatch({ type: "thread_created", slotId: effect.slotId, thread: result.thread });
		} catch (thrown) {
			const error = toAppError(thrown);
			const isRetryable = RETRYABLE.has(error.code);
			dispatch({ type: "thread_open_failed", slotId: effect.slotId, message: sayError(error), isRetryable });
		}
	}

	async function sendMessage(effect: Extract<Effect, { kind: "send_message" }>): Promise<void> {
		const { clientMessageId, threadId, text, whenBusy } = effect;
		const params = { thread_id: threadId, text, client_message_id: clientMessageId, when_busy: whenBusy };
		try {
			const result = await client.call("chat.message.send", params, { idempotencyKey: clientMessageId });
			dispatch({ type: "message_acknowledged", clientMessageId, delivery: result.delivery });
		} catch (thrown) {
			const error = toAppError(thrown);
			dispatch({ type: "message_refused", clientMessageId, message: sayError(error), isRetryable: RETRYABLE.has(error.code) });
		}
	}

	async function answer(effect: Extract<Effect, { kind: "answer_approval" }>): Promise<void> {
		const { approvalId, decision, digest, confirm } = effect;
		const params = { approval_id: approvalId, decision, digest, ...(confirm === undefined ? {} : { confirm }) };
		try {
			const result = await client.call("chat.approval.respond", params, { idempotencyKey: `${approvalId}:${decision}` });
			dispatch({ type: "approval_resolved", approval: result.approval });
		} catch (thrown) {
			const error = toAppError(thrown);
			const isGone = ["APPROVAL_ALREADY_RESOLVED", "APPROVAL_EXPIRED", "APPROVAL_NOT_FOUND"].includes(error.code);
			dispatch({ type: "approval_refused", approvalId, message: sayError(error), isGone });
		}
	}

	async function sendMail(effect: Extract<Effect, { kind: "send_mail" }>): Promise<void> {
		const { clientMessageId, to, text } = effect;
		try {
			const { message } = await client.call("weave.message.send", { to, text, client_message_id: clientMessageId }, { idempotencyKey: clientMessageId });
			dispatch({ type: "mail_changed", clientMessageId, message });
			if (!mailSessions.has(message.session_id)) {
				mailSessions.set(message.session_id, stack.use(watchMail(client, message.session_id, dispatch)));
			}
		} catch (thrown) {
			dispatch({ type: "mail_refused", clientMessageId, message: sayError(toAppError(thrown)) });
		}
	}

	async function listThreads(): Promise<void> {
		const result = await client.call("chat.list", { limit: 200 });
		const state = parts.getState();
		const rows = result.threads.filter((row) => row.thread_id !== state.slot.threadId).map((row) => threadRow(row, state));
		dispatch({ type: "panel_filled", kind: "threads", rows });
	}

	async function listModels(): Promise<void> {
		const result = await client.call("chat.model.list", {});
		const rows = result.models.map(
			(model): PanelRow => ({ id: model.id, glyph: "none", name: model.id, text: model.provider, right: model.is_default ? "default" : "" }),
		);
		dispatch({ type: "panel_filled", kind: "models", rows });
	}

	async function interrupt(threadId: string): Promise<void> {
		try {
			await client.call("chat.cancel", { thread_id: threadId });
		} catch (thrown) {
			const error = toAppError(thrown);
			// It ended by itself in the meantime: that is what was wanted.
			const message = error.code === "TURN_NOT_ACTIVE" ? undefined : sayError(error);
			dispatch({ type: "interrupt_refused", message });
		}
	}

	async function updateSettings({ threadId, model, policy }: Extract<Effect, { kind: "update_settings" }>): Promise<void> {
		await client.call("chat.settings.update", {
			thread_id: threadId,
			...(model === undefined ? {} : { model }),
			...(policy === undefined ? {} : { approval_policy: policy }),
		});
	}

	function watch(slotId: string, threadId: string): void {
		thread?.[Symbol.dispose]();
		thread = watchThread(client, threadId, dispatch, (error) => {
			dispatch({ type: "thread_open_failed", slotId, message: sayError(error), isRetryable: false });
		});
	}

	function runDaemonEffect(effect: Effect): Promise<void> | undefined {
		switch (effect.kind) {
			case "create_thread":
				return createThread(effect);
			case "send_message":
				return sendMessage(effect);
			case "interrupt":
				return interrupt(effect.threadId);
			case "update_settings":
				return updateSettings(effect);
			case "answer_approval":
				return answer(effect);
			case "send_mail":
				return sendMail(effect);
			case "list_threads":
				return listThreads();
			case "list_models":
				return listModels();
			case "read_status":
				return readStatus(client, parts.getState(), dispatch);
			case "attach":
				return parts.terminal.attach(client, effect.terminal);
			default:
				return undefined;
		}
	}

	function run(effect: Effect): void {
		switch (effect.kind) {
			case "watch_thread":
				watch(effect.slotId, effect.threadId);
				return;
			case "unwatch_thread":
				thread?.[Symbol.dispose]();
				thread = undefined;
				return;
			case "arm_approval":
				clock.after(effect.afterMs, () => dispatch({ type: "approval_armed", approvalId: effect.approvalId }));
				return;
			case "bell":
				parts.terminal.bell();
				return;
			case "redraw":
				parts.terminal.redraw().catch(remark);
				return;
			case "suspend":
				parts.terminal.suspend().catch(remark);
				return;
			case "exit":
				parts.terminal.exit(effect.code);
				return;
			default:
				runDaemonEffect(effect)?.catch(remark);
		}
	}

	function onLink(): void {
		dispatch({ type: "link_changed", link: linkView(client.state) });
		if (client.state.kind === "connected") readAccount().catch(remark);
	}
	stack.use(client.onState(onLink));
	onLink();
	stack.use(watchDaemon(client, dispatch));
	return {
		run,
		[Symbol.dispose]() {
			thread?.[Symbol.dispose]();
			stack.dispose();
		},
	};
}
