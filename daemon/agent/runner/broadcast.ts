import { createEmitter, type Emitter } from "#base/emitter.ts";
import { findThread } from "#daemon/storage/repository/chat-thread.ts";
import { findTurn } from "#daemon/storage/repository/chat-turn.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";
import type { Approval, Question, Thread } from "#protocol/record.ts";
import { type Activity, createActivity } from "./activity.ts";
import type { RunnerDeps } from "./deps.ts";
import type { ThreadPresenter } from "./thread-record.ts";

/** What the runner tells the world: the hub's topics and the listeners inside the daemon, after the commit. */
export interface Broadcast {
	activity(threadId: string): Activity;
	/** The thread's row as it is now; its removal once archived. */
	thread(threadId: string): void;
	turn(type: "chat.turn.started" | "chat.turn.completed", threadId: string, turnId: string): void;
	approval(type: "chat.approval.required" | "chat.approval.resolved", approval: Approval): void;
	question(type: "chat.question.required" | "chat.question.resolved", question: Question): void;
	/** The thread is gone for good. */
	gone(threadId: string): void;
	listen(threadId: string, listener: (event: ChatEvent) => void): Disposable;
	/** Every event of every thread; deltas one by one as they are said, ahead of the hub, which joins them. */
	onEvent(listener: (event: ChatEvent) => void): Disposable;
	onThread(listener: (thread: Thread) => void): Disposable;
	onGone(listener: (threadId: string) => void): Disposable;
	/** Sends the thread's joined deltas now. */
	flush(threadId: string): void;
	/** The thread is idle: what was kept for its next event may go. */
	forget(threadId: string): void;
}

export function createBroadcast({
	store,
	clock,
	publish,
	logger,
	presenter,
}: Pick<RunnerDeps, "store" | "clock" | "publish" | "logger"> & { presenter: ThreadPresenter }): Broadcast {
	const activities = new Map<string, Activity>();
	const failed = (error: unknown): void =>
		logger.error("a listener of a thread failed", { error: String(error) });
	const threads = createEmitter<Thread>(failed);
	const gone = createEmitter<string>(failed);
	const everything = createEmitter<ChatEvent>(failed);
	const listeners = new Map<string, Emitter<ChatEvent>>();

	function activity(threadId: string): Activity {
		let known = activities.get(threadId);
		if (!known) {
			known = createActivity(
				clock,
				(event) => {
					publish("chats.activity", event, { parameter: threadId });
					listeners.get(threadId)?.emit(event);
				},
				everything.emit,
			);
			activities.set(threadId, known);
		}
		return known;
	}

	function thread(threadId: string): void {
		const stored = findThread(store, threadId);
		if (stored === undefined) return;
		const row = presenter.one(stored);
		threads.emit(row);
		if (row.settings?.ephemeral === true) return;
		if (row.archived) publish("chats.state", { op: "remove", key: threadId }, { key: threadId });
		else publish("chats.state", { op: "put", key: threadId, value: row }, { key: threadId });
	}

	return {
		activity,
		thread,
		turn(type, threadId, turnId) {
			const turn = findTurn(store, turnId);
			if (turn !== undefined) activity(threadId).event({ type, thread_id: threadId, turn_id: turnId, turn });
			thread(threadId);
		},
		approval(type, approval) {
			const { approval_id, thread_id, turn_id, item_id } = approval;
			const op = approval.status === "pending" ? "put" : "remove";
			activity(thread_id).event({ type, thread_id, turn_id, item_id, approval });
			publish("approvals.state", { op, key: approval_id, value: approval }, { key: approval_id });
			thread(thread_id);
		},
		question(type, question) {
			const { thread_id, turn_id, item_id } = question;
			activity(thread_id).event({ type, thread_id, turn_id, item_id, question });
			thread(thread_id);
		},
		gone(threadId) {
			activities.get(threadId)?.flush();
			activities.delete(threadId);
			publish("chats.state", { op: "remove", key: threadId }, { key: threadId });
			gone.emit(threadId);
		},
		listen(threadId, listener) {
			const emitter = listeners.get(threadId) ?? createEmitter<ChatEvent>();
			listeners.set(threadId, emitter);
			const subscription = emitter.on(listener);
			return {
				[Symbol.dispose]() {
					subscription[Symbol.dispose]();
					if (emitter.listenerCount === 0) listeners.delete(threadId);
				},
			};
		},
		onEvent: (listener) => everything.on(listener),
		onGone: (listener) => gone.on(listener),
		onThread: (listener) => threads.on(listener),
		flush: (threadId) => activities.get(threadId)?.flush(),
		forget(threadId) {
			activities.get(threadId)?.flush();
			activities.delete(threadId);
		},
	};
}
