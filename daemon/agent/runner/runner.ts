import type { ModelItem } from "#daemon/agent/model.ts";
import type { SettingsChange } from "#daemon/storage/repository/chat-thread.ts";
import type { IdempotencyClaim } from "#daemon/storage/store.ts";
import type { ChatEvent, ChatSnapshot } from "#protocol/chat-event.ts";
import type { UserInput } from "#protocol/codex-item.ts";
import type { Approval, Question, Thread } from "#protocol/record.ts";
import type { MethodParams, MethodResult } from "#protocol/service/index.ts";
import type { TopicSnapshot } from "#protocol/topic/index.ts";

/** Who asks, and the claim that makes the retry of a change safe; both come from the gateway's CallContext. */
export interface RunnerCall {
	/** For people: shown as "answered by" and in reasons. */
	readonly label: string;
	readonly clientId: string;
	readonly idempotency: IdempotencyClaim | undefined;
}

/** `failed`, with decline: nobody decided, the client that was asked could not answer. */
export type ApprovalAnswer = MethodParams<"chat.approval.respond"> & { failed?: boolean };

/** What the Codex protocol's requests say beyond `chat.*`; absent members keep what the thread has. */
export type ThreadPatch = SettingsChange;

/** A message with everything a Codex `turn/start` can say. */
export interface TurnRequest {
	thread_id: string;
	input: readonly UserInput[];
	client_message_id?: string | undefined;
	/** For this and later turns, in the unit that stores the message. */
	patch?: ThreadPatch | undefined;
	/** For this turn only. */
	output_schema?: Readonly<Record<string, unknown>> | undefined;
	when_busy?: "steer" | "queue" | undefined;
	/** With steer: refused with TURN_NOT_ACTIVE unless this turn runs. */
	expected_turn_id?: string | undefined;
}

export interface ThreadRef {
	thread_id: string;
}

/** Threads as the Codex protocol sees them; the same threads that `chat.*` works on. */
export interface CodexThreads {
	/** `settings.ephemeral` threads are never listed. */
	startThread(
		params: { cwd: string; env?: Readonly<Record<string, string>>; title?: string | undefined } & ThreadPatch,
		call: RunnerCall,
	): Promise<{ thread: Thread }>;
	/** @throws AppError THREAD_NOT_FOUND. */
	patchThread(params: ThreadRef & { patch: ThreadPatch }, call: RunnerCall): Promise<{ thread: Thread }>;
	/** @throws AppError THREAD_NOT_FOUND, TURN_NOT_ACTIVE, CONFLICT. */
	startTurn(params: TurnRequest, call: RunnerCall): Promise<MethodResult<"chat.message.send">>;
	/** A new thread with the turns up to and including `last_turn_id` (all when absent). @throws AppError THREAD_NOT_FOUND, TURN_NOT_FOUND. */
	fork(
		params: ThreadRef & { last_turn_id?: string | undefined; patch?: ThreadPatch | undefined },
		call: RunnerCall,
	): Promise<{ thread: Thread }>;
	/** Takes the last turns out of the thread and its history; files stay as they are. @throws AppError THREAD_NOT_FOUND, BUSY. */
	rollback(params: ThreadRef & { turns: number }, call: RunnerCall): Promise<{ thread: Thread }>;
	/** For good. @throws AppError THREAD_NOT_FOUND, BUSY. */
	deleteThread(params: ThreadRef, call: RunnerCall): Promise<void>;
	/** Starts a turn that compacts the history. @throws AppError THREAD_NOT_FOUND, BUSY. */
	compact(params: ThreadRef, call: RunnerCall): Promise<{ thread_id: string; turn_id: string }>;
	/** Starts a review turn; `target` is a Codex ReviewTarget. @throws AppError THREAD_NOT_FOUND, BUSY, INVALID_PARAMS. */
	review(
		params: ThreadRef & { target: Readonly<Record<string, unknown>> },
		call: RunnerCall,
	): Promise<{ thread_id: string; turn_id: string; prompt: string; hint: string }>;
	/** Runs a person's own command in the thread, as its own turn or beside the running one; the model reads it later. */
	shellCommand(
		params: ThreadRef & { command: string },
		call: RunnerCall,
	): Promise<{ thread_id: string; turn_id: string }>;
	/** Adds items to the model's history without a turn. */
	injectItems(params: ThreadRef & { items: readonly ModelItem[] }, call: RunnerCall): Promise<void>;
	listQuestions(params: { thread_id?: string | undefined }): Question[];
	/** `result` or `error` as the Codex client answered. First valid answer wins. @throws AppError QUESTION_NOT_FOUND. */
	respondQuestion(
		params: { question_id: string; result?: unknown; error?: string | undefined },
		call: RunnerCall,
	): Promise<{ question: Question }>;
	/** Ends a background command of the thread by its process id. */
	terminateProcess(params: ThreadRef & { process_id: string }): Promise<boolean>;
	/** Every event of every thread, in order; text deltas one by one as they are said, ahead of the hub, which joins them. */
	onEvent(listener: (event: ChatEvent) => void): Disposable;
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
export interface CodexRunner extends AsyncDisposable, CodexThreads {
	createThread(params: MethodParams<"chat.create">, call: RunnerCall): Promise<{ thread: Thread }>;
	listThreads(params: MethodParams<"chat.list">): MethodResult<"chat.list">;
	readThread(params: MethodParams<"chat.thread.read">): MethodResult<"chat.thread.read">;
	sendMessage(
		params: MethodParams<"chat.message.send">,
		call: RunnerCall,
	): Promise<MethodResult<"chat.message.send">>;
	steer(params: MethodParams<"chat.steer">, call: RunnerCall): Promise<MethodResult<"chat.steer">>;
	/** Commands that the turn started run on, as in the real Codex, unless `endCommands`. `replaced`: a task takes its place. */
	cancel(
		params: { thread_id: string; turn_id?: string | undefined },
		call: RunnerCall,
		how?: { endCommands?: boolean; replaced?: boolean },
	): Promise<MethodResult<"chat.cancel">>;
	listApprovals(params: MethodParams<"chat.approval.list">): Approval[];
	respondApproval(params: ApprovalAnswer, call: RunnerCall): Promise<{ approval: Approval }>;
	updateSettings(params: MethodParams<"chat.settings.update">, call: RunnerCall): Promise<{ thread: Thread }>;
	archiveThread(threadId: string, call: RunnerCall): Promise<{ thread: Thread }>;
	renameThread(params: MethodParams<"chat.rename">, call: RunnerCall): Promise<{ thread: Thread }>;
	/** A title made for it; one that somebody gave stays. @throws AppError THREAD_NOT_FOUND. */
	suggestTitle(params: { thread_id: string; title: string }, call: RunnerCall): Promise<{ thread: Thread }>;
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
	/** Ids of threads that are gone for good, after the commit. */
	onThreadDeleted(listener: (threadId: string) => void): Disposable;
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
