import { toAppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { DaemonClient } from "#client/client.ts";
import type { Action, Effect } from "../store/action.ts";
import type { State } from "../store/state.ts";
import { runDaemonEffect } from "./daemon-effect.ts";
import { sayError } from "./error-text.ts";
import { linkView, watchDaemon, watchMail, watchThread } from "./feed.ts";

/** What the terminal side does for effects. */
export interface TerminalPort {
	attach(client: DaemonClient, terminal: string | undefined): Promise<void>;
	editDraft(text: string): Promise<void>;
	redraw(): Promise<void>;
	suspend(): Promise<void>;
	bell(): void;
	exit(code: number): void;
}

interface RunnerParts {
	client: DaemonClient;
	clock: Clock;
	env: Readonly<Record<string, string | undefined>>;
	terminal: TerminalPort;
	getState(): State;
	dispatch(action: Action): void;
}

export interface EffectRunner extends Disposable {
	run(effect: Effect): void;
}

/** A remark about a failure stays this long. */
const REMARK_MS = 8_000;

/** What is watched for the screen: the daemon's state always, one thread, and sessions that mail was sent in. */
function createWatches(client: DaemonClient, dispatch: (action: Action) => void) {
	const stack = new DisposableStack();
	const sessions = new Set<string>();
	let thread: Disposable | undefined;
	stack.use(watchDaemon(client, dispatch));
	stack.defer(() => thread?.[Symbol.dispose]());
	return {
		stack,
		unwatch(): void {
			thread?.[Symbol.dispose]();
			thread = undefined;
		},
		watch(slotId: string, threadId: string): void {
			thread?.[Symbol.dispose]();
			thread = watchThread(client, threadId, dispatch, (error) => {
				const message = sayError(error);
				dispatch({ type: "thread_open_failed", slotId, message, isRetryable: false });
			});
		},
		watchSession(sessionId: string): void {
			if (sessions.has(sessionId)) return;
			sessions.add(sessionId);
			stack.use(watchMail(client, sessionId, dispatch));
		},
	};
}

/** Does what the reducers ask for, over one client; every outcome comes back as an action, failures too. */
export function createEffectRunner(parts: RunnerParts): EffectRunner {
	const { client, dispatch, clock, terminal, env, getState } = parts;

	function remark(error: unknown): void {
		const text = sayError(toAppError(error));
		dispatch({ type: "noticed", notice: { text, token: "attention", untilMs: clock.nowMs() + REMARK_MS } });
	}
	async function readAccount(): Promise<void> {
		dispatch({ type: "account_read", account: await client.call("chat.account.read", {}) });
	}
	function onLink(): void {
		dispatch({ type: "link_changed", link: linkView(client.state) });
		if (client.state.kind === "connected") readAccount().catch(remark);
	}
	const watches = createWatches(client, dispatch);
	watches.stack.use(client.onState(onLink));
	onLink();
	const daemonParts = {
		client,
		env,
		getState,
		dispatch,
		onMail: (message: { session_id: string }) => watches.watchSession(message.session_id),
	};

	function run(effect: Effect): void {
		switch (effect.kind) {
			case "watch_thread":
				watches.watch(effect.slotId, effect.threadId);
				return;
			case "unwatch_thread":
				watches.unwatch();
				return;
			case "arm_approval":
				clock.after(effect.afterMs, () =>
					dispatch({ type: "approval_armed", approvalId: effect.approvalId }),
				);
				return;
			case "later":
				clock.after(effect.afterMs, () => dispatch(effect.action));
				return;
			case "attach":
				terminal.attach(client, effect.terminal).catch(remark);
				return;
			case "bell":
				terminal.bell();
				return;
			case "edit_draft":
				terminal.editDraft(effect.text).catch(remark);
				return;
			case "redraw":
				terminal.redraw().catch(remark);
				return;
			case "suspend":
				terminal.suspend().catch(remark);
				return;
			case "exit":
				terminal.exit(effect.code);
				return;
			default:
				runDaemonEffect(effect, daemonParts)?.catch(remark);
		}
	}
	return { run, [Symbol.dispose]: () => watches.stack.dispose() };
}
