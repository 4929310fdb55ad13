import type { z } from "zod";
import type { AppError } from "#base/app-error.ts";
import type { DaemonClient, LinkState } from "#client/client.ts";
import { TOPICS, type TopicEvent, type TopicName, type TopicSnapshot } from "#protocol/topic/index.ts";
import type { Action } from "../store/action.ts";
import type { LinkView } from "../store/state.ts";

type Dispatch = (action: Action) => void;

/** How the state of the link is shown. */
export function linkView(state: LinkState): LinkView {
	switch (state.kind) {
		case "connected":
			return { kind: "connected", epoch: state.hello.server.epoch };
		case "reconnecting":
			return { kind: "reconnecting", attempt: state.attempt, retryAtMs: state.retryAtMs };
		case "refused":
			return { kind: "refused", message: state.error.message, remedy: state.error.remedy };
		default:
			return { kind: state.kind };
	}
}

interface TopicHandlers<Name extends TopicName> {
	onSnapshot(payload: TopicSnapshot<Name>): void;
	onEvent(payload: TopicEvent<Name>): void;
	onError?(error: AppError): void;
}

/** Subscribes with the payloads parsed; what a newer daemon says in a form unknown here is passed over. */
function subscribe<Name extends TopicName>(
	client: DaemonClient,
	name: Name,
	parameter: string,
	handlers: TopicHandlers<Name>,
): Disposable {
	const topic = TOPICS.find((entry) => entry.name === name);
	if (!topic) throw new Error(`no topic ${name}`);
	const { onError } = handlers;
	return client.subscribe(parameter === "" ? name : `${name}:${parameter}`, {
		onSnapshot(payload) {
			const parsed = (topic.snapshot as z.ZodType).safeParse(payload);
			if (parsed.success) handlers.onSnapshot(parsed.data as TopicSnapshot<Name>);
		},
		onEvent(payload) {
			const parsed = (topic.event as z.ZodType).safeParse(payload);
			if (parsed.success) handlers.onEvent(parsed.data as TopicEvent<Name>);
		},
		...(onError ? { onError } : {}),
	});
}

/** Everything of the daemon that the screen shows whatever conversation is open. */
export function watchDaemon(client: DaemonClient, dispatch: Dispatch): Disposable {
	const stack = new DisposableStack();
	stack.use(
		subscribe(client, "chats.state", "", {
			onSnapshot: ({ threads }) => dispatch({ type: "threads_snapshot", threads }),
			onEvent: (event) =>
				dispatch(
					event.op === "put"
						? { type: "thread_put", thread: event.value }
						: { type: "thread_removed", threadId: event.key },
				),
		}),
	);
	stack.use(
		subscribe(client, "approvals.state", "", {
			onSnapshot: ({ approvals }) => dispatch({ type: "approvals_snapshot", approvals }),
			onEvent: (event) =>
				dispatch({ type: event.op === "put" ? "approval_put" : "approval_resolved", approval: event.value }),
		}),
	);
	stack.use(
		subscribe(client, "agents.state", "", {
			onSnapshot: ({ agents }) => dispatch({ type: "agents_snapshot", agents }),
			onEvent: (event) =>
				dispatch(
					event.op === "put"
						? { type: "agent_put", agent: event.value }
						: { type: "agent_removed", agentId: event.key },
				),
		}),
	);
	stack.use(
		subscribe(client, "terminals.state", "", {
			onSnapshot: ({ terminals }) => dispatch({ type: "terminals_snapshot", terminals }),
			onEvent: (event) =>
				dispatch(
					event.op === "put"
						? { type: "terminal_put", terminal: event.value }
						: { type: "terminal_removed", terminalId: event.key },
				),
		}),
	);
	return stack;
}

/** One conversation, from its snapshot on. */
export function watchThread(
	client: DaemonClient,
	threadId: string,
	dispatch: Dispatch,
	onError: (error: AppError) => void,
): Disposable {
	return subscribe(client, "chats.activity", threadId, {
		onSnapshot: (snapshot) => dispatch({ type: "chat_snapshot", snapshot }),
		onEvent: (event) => dispatch({ type: "chat_event", event }),
		onError,
	});
}

/** Messages of a weave session, for the states of what was sent from here. */
export function watchMail(client: DaemonClient, sessionId: string, dispatch: Dispatch): Disposable {
	return subscribe(client, "sessions.activity", sessionId, {
		onSnapshot({ messages }) {
			for (const message of messages) dispatch({ type: "mail_changed", message });
		},
		onEvent: ({ message }) => dispatch({ type: "mail_changed", message }),
	});
}
