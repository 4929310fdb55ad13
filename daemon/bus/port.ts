import type { Thread, TurnStatus, WeaveAgent, WeaveMessage, WeaveSession } from "#protocol/record.ts";
import type { TopicSnapshot } from "#protocol/topic/index.ts";
import type { IdempotencyClaim } from "../storage/store.ts";

/** A message on its way into a thread. */
export interface ThreadDelivery {
	readonly thread_id: string;
	/** The runner's key for doing this once: a second delivery of the same id returns the first turn. */
	readonly message_id: string;
	readonly from_name: string;
	readonly text: string;
	/** A `reply` informs the thread and is never answered. */
	readonly kind: WeaveMessage["kind"];
}

export interface TurnEnd {
	readonly thread_id: string;
	readonly turn_id: string;
	readonly status: TurnStatus;
	/** The final agent message; null when there was none. */
	readonly final_text: string | null;
	/** Bus messages that this turn took up. */
	readonly message_ids: readonly string[];
}

/** Threads as the bus sees them; the chat runner is the one implementation. */
export interface ThreadPort {
	/** Resolves once the message is stored with the thread. Retryable errors are tried again; others fail the message. */
	deliver(delivery: ThreadDelivery): Promise<{ turn_id: string }>;
	onTurnEnded(listener: (end: TurnEnd) => void): Disposable;
}

/** The line to a program outside the daemon. */
export interface MemberPort {
	/** Resolves when the message was handed to the line, which takes its time when it is full; rejects when it is gone. */
	deliver(message: WeaveMessage): Promise<void>;
	/** The agent was taken out by somebody else, or its session closed. */
	removed(reason: string): void;
}

/** Who sends: an agent of the session, or a person, who becomes an agent by sending. */
export type Sender = { readonly agent: string } | { readonly identity: string; readonly name: string };

export interface SendRequest {
	readonly session?: string | undefined;
	readonly to: string;
	readonly text: string;
	readonly from: Sender;
	readonly client_message_id?: string | undefined;
}

interface AgentRef {
	readonly session?: string | undefined;
	readonly agent: string;
}

/**
 * Sessions, agents and mail. Every change is on disk before its promise resolves. Sessions and agents are named by id or
 * name, a session left out is the default one. Delivery is in order per target; targets do not wait for each other.
 * @throws AppError SESSION_NOT_FOUND, AGENT_NOT_FOUND, AGENT_NAME_TAKEN (`data.proposed`), CONFLICT, MAILBOX_FULL, INVALID_PARAMS.
 */
export interface Bus extends AsyncDisposable {
	/** Sweeps what the last process left and begins to deliver; call once, when threads can take mail. */
	start(): Promise<void>;
	listSessions(options: { closed: boolean }): WeaveSession[];
	/** A null name makes one. */
	createSession(input: { name: string | null }, idempotency?: IdempotencyClaim): Promise<WeaveSession>;
	closeSession(input: { session: string }, idempotency?: IdempotencyClaim): Promise<WeaveSession>;
	listAgents(input: { session?: string | undefined }): WeaveAgent[];
	renameAgent(
		input: AgentRef & { readonly name: string },
		idempotency?: IdempotencyClaim,
	): Promise<WeaveAgent>;
	removeAgent(input: AgentRef, idempotency?: IdempotencyClaim): Promise<WeaveAgent>;
	/** Resolves when the message is in the mailbox, on disk. */
	send(request: SendRequest, idempotency?: IdempotencyClaim): Promise<WeaveMessage>;
	/** @throws AppError NOT_FOUND. */
	readMessage(messageId: string): WeaveMessage;
	/** Newest first. @throws AppError NOT_FOUND for an unknown `before`. */
	listMessages(query: {
		session?: string | undefined;
		agent?: string | undefined;
		limit: number;
		before?: string | undefined;
	}): WeaveMessage[];
	/** Marks a person's mail as seen by that person. */
	markRead(input: {
		session?: string | undefined;
		identity: string;
		message_ids: readonly string[];
	}): Promise<void>;
	/** Adds a program outside the daemon; it is a member until it leaves or its line ends. */
	joinExternal(
		input: { session?: string | undefined; agent_id: string; name: string | null },
		port: MemberPort,
	): Promise<WeaveAgent>;
	/** An external agent leaves by itself; a no-op when it has left. */
	leaveExternal(agentId: string): Promise<void>;
	/** An external agent has taken a message up; ignored unless it was sent to that agent. */
	acknowledge(input: { agent_id: string; message_id: string }): Promise<void>;
	/** An external agent answers a message that was sent to it; false when it was settled before or is not its own. */
	answer(input: { agent_id: string; message_id: string; text: string }): Promise<boolean>;
	/** The newest message from one agent to another that waits for an answer. */
	openQuestion(input: { asker_id: string; agent_id: string }): WeaveMessage | undefined;
	/** Tells the bus a thread's status, as often as it likes. */
	threadChanged(thread: Pick<Thread, "thread_id" | "status">): void;
	/** A thread's agent joined, left or was renamed: its record reads differently now. */
	onThreadAgentChanged(listener: (threadId: string) => void): Disposable;
	/** Snapshots for the hub. @throws AppError SESSION_NOT_FOUND. */
	readonly snapshots: {
		sessions(): TopicSnapshot<"sessions.state">;
		agents(): TopicSnapshot<"agents.state">;
		activity(sessionId: string): TopicSnapshot<"sessions.activity">;
	};
}
