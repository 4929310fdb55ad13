import type { IdempotencyClaim } from "#daemon/storage/store.ts";
import type { ChatEvent, ChatSnapshot } from "#protocol/chat-event.ts";
import type { Approval, Thread } from "#protocol/record.ts";
import type { MethodParams, MethodResult } from "#protocol/service/index.ts";
import type { TopicSnapshot } from "#protocol/topic/index.ts";

/** Who asks, and the claim that makes the retry of a change safe; both come from the gateway's CallContext. */
export interface RunnerCall {
	/** For people: shown as "answered by" and in reasons. */
	readonly label: string;
	readonly clientId: string;
	readonly idempotency: IdempotencyClaim | undefined;
}

/** A weave message for a thread. */
export interface Delivery {
	thread_id: string;
	message_id: string;
	from_name: string;
	text: string;
	/** Kind of the weave message; a `reply` is shown to the model as one. */
	kind?: "user" | "reply" | "control" | "system";
}

export interface TurnEnded {
	thread_id: string;
	turn_id: string;
	status: "completed" | "interrupted" | "failed";
	final_text: string | null;
	/** Weave messages that this turn worked on; they were settled in the unit that ended it. */
	message_ids: string[];
}

/**
 * Threads and their turns, whoever runs them (product.md E1). The store is the truth: a method that changes something
 * resolves after the commit, and refuses with the AppErrors of its descriptor.
 */
export interface CodexRunner extends AsyncDisposable {
	createThread(params: MethodParams<"chat.create">, call: RunnerCall): Promise<{ thread: Thread }>;
	listThreads(params: MethodParams<"chat.list">): MethodResult<"chat.list">;
	readThread(params: MethodParams<"chat.thread.read">): MethodResult<"chat.thread.read">;
	sendMessage(
		params: MethodParams<"chat.message.send">,
		call: RunnerCall,
	): Promise<MethodResult<"chat.message.send">>;
	steer(params: MethodParams<"chat.steer">, call: RunnerCall): Promise<MethodResult<"chat.steer">>;
	cancel(params: MethodParams<"chat.cancel">, call: RunnerCall): Promise<MethodResult<"chat.cancel">>;
	listApprovals(params: MethodParams<"chat.approval.list">): Approval[];
	respondApproval(
		params: MethodParams<"chat.approval.respond">,
		call: RunnerCall,
	): Promise<{ approval: Approval }>;
	updateSettings(params: MethodParams<"chat.settings.update">, call: RunnerCall): Promise<{ thread: Thread }>;
	archiveThread(threadId: string, call: RunnerCall): Promise<{ thread: Thread }>;
	renameThread(params: MethodParams<"chat.rename">, call: RunnerCall): Promise<{ thread: Thread }>;
	resumeThread(threadId: string, call: RunnerCall): Promise<{ thread: Thread }>;
	/** Events of one thread as they are published; not replayed. */
	subscribeEvents(threadId: string, listener: (event: ChatEvent) => void): Disposable;
	/** Puts right what a dead daemon left; once, before anything else is called. */
	recover(): Promise<void>;
	/** Hands a weave message to a thread; the same message never becomes two turns. @throws AppError THREAD_NOT_FOUND, CONFLICT. */
	deliver(delivery: Delivery): Promise<{ turn_id: string }>;
	onTurnEnded(listener: (ended: TurnEnded) => void): Disposable;
	/** A thread's row whenever it may read differently, after the commit. */
	onThreadChanged(listener: (thread: Thread) => void): Disposable;
	/** Somebody else changed what the thread's row shows (its agent's name): tell it anew. */
	threadTouched(threadId: string): void;
	/** For the hub's topics, in step with what is published. */
	chatsSnapshot(): TopicSnapshot<"chats.state">;
	/** @throws AppError THREAD_NOT_FOUND. */
	activitySnapshot(threadId: string): ChatSnapshot;
	approvalsSnapshot(): TopicSnapshot<"approvals.state">;
	/** For the daemon's status. */
	readonly counts: { running_turns: number; waiting_turns: number };
}
