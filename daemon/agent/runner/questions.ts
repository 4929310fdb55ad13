import { AppError } from "#base/app-error.ts";
import { createDeferred, type Deferred } from "#base/deferred.ts";
import type { ClientAnswer, ClientQuestion } from "#daemon/agent/tool.ts";
import { requireThread } from "#daemon/storage/repository/chat-thread.ts";
import type { Question } from "#protocol/record.ts";
import type { RunnerDeps } from "./deps.ts";
import type { LiveTurn } from "./live-turn.ts";
import type { RunnerCall } from "./runner.ts";

/** What only a client can answer. In memory: a question dies with its turn, and a turn with the daemon. */
export interface Questions {
	/** Asks the clients and waits; rejects with the reason of the turn's signal. */
	ask(live: LiveTurn, question: ClientQuestion): Promise<ClientAnswer>;
	/** First asked first. */
	list(threadId?: string): Question[];
	/** First valid answer wins. @throws AppError QUESTION_NOT_FOUND, INVALID_PARAMS without result and error. */
	respond(
		params: { question_id: string; result?: unknown; error?: string | undefined },
		call: RunnerCall,
	): Question;
	isAsking(threadId: string): boolean;
	/** Nobody may answer what a turn asked once it has ended. */
	expire(turnId: string): void;
}

type AnnounceQuestion = (
	type: "chat.question.required" | "chat.question.resolved",
	question: Question,
) => void;

interface Waiting {
	readonly question: Question;
	readonly answer: Deferred<ClientAnswer>;
}

export function createQuestions(deps: RunnerDeps, announce: AnnounceQuestion): Questions {
	const { store, clock, newId } = deps;
	const waiting = new Map<string, Waiting>();

	/** Takes it off the list before anybody is told, so that a second answer finds nothing. */
	function close(entry: Waiting, end: { status: Question["status"]; by: string | null }): Question {
		waiting.delete(entry.question.question_id);
		const closed: Question = {
			...entry.question,
			status: end.status,
			resolved_by: end.by,
			resolved_at_ms: clock.nowMs(),
		};
		announce("chat.question.resolved", closed);
		return closed;
	}

	function toRecord(live: LiveTurn, { itemId, kind, params }: ClientQuestion): Question {
		return {
			question_id: newId(),
			thread_id: live.threadId,
			turn_id: live.turnId,
			item_id: itemId,
			agent_name: requireThread(store, live.threadId).agent_name,
			kind,
			params: { threadId: live.threadId, turnId: live.turnId, ...params },
			status: "pending",
			resolved_by: null,
			requested_at_ms: clock.nowMs(),
			resolved_at_ms: null,
		};
	}

	return {
		async ask(live, asked) {
			// What led to the question is told before it.
			await live.flush();
			live.signal.throwIfAborted();
			const entry: Waiting = {
				question: toRecord(live, asked),
				answer: createDeferred<ClientAnswer>(),
			};
			waiting.set(entry.question.question_id, entry);
			const onAbort = (): void => entry.answer.reject(live.signal.reason);
			live.signal.addEventListener("abort", onAbort, { once: true });
			try {
				announce("chat.question.required", entry.question);
				return await entry.answer.promise;
			} finally {
				live.signal.removeEventListener("abort", onAbort);
			}
		},
		list: (threadId) =>
			[...waiting.values()]
				.map(({ question }) => question)
				.filter((question) => threadId === undefined || question.thread_id === threadId),
		respond({ question_id, result, error }, call) {
			const entry = waiting.get(question_id);
			if (entry === undefined)
				throw new AppError("QUESTION_NOT_FOUND", `There is no open question ${question_id}.`);
			if (result === undefined && error === undefined)
				throw new AppError("INVALID_PARAMS", "An answer has a result or an error.");
			const closed = close(entry, { status: "answered", by: call.label });
			entry.answer.resolve(
				error === undefined ? { type: "result", result } : { type: "failed", message: error },
			);
			return closed;
		},
		isAsking(threadId) {
			for (const { question } of waiting.values()) if (question.thread_id === threadId) return true;
			return false;
		},
		expire(turnId) {
			for (const entry of [...waiting.values()]) {
				if (entry.question.turn_id !== turnId) continue;
				close(entry, { status: "expired", by: null });
				entry.answer.resolve({ type: "failed", message: "the turn ended" });
			}
		},
	};
}
