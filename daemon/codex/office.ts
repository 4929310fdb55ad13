import { AppError } from "#base/app-error.ts";
import type { Thread, Turn } from "#protocol/record.ts";
import type { Peer } from "./connection.ts";
import type { CodexFacadePorts } from "./facade.ts";
import { CodexError } from "./method.ts";
import type { Desk } from "./thread/desk.ts";
import { asFinished } from "./thread/finished-items.ts";
import type { LiveThread } from "./thread/live-thread.ts";
import { CODEX_PROVIDER, type ThreadViewPorts, viewThread } from "./thread/thread-view.ts";
import { callOf } from "./turn/server-requests.ts";
import type { JsonObject } from "./wire/decode.ts";
import { assertThreadId } from "./wire/thread-id.ts";

/** One request being served. */
export interface Request {
	readonly peer: Peer;
	/** Runs right after the answer has gone out. */
	after(action: () => void): void;
}

/** Serves one method about threads and turns. */
export type Method = (params: unknown, request: Request) => unknown;
export type Methods = Readonly<Record<string, Method>>;

/** What the methods share: the runner, the desk, and the few questions that many of them ask. */
export interface Office {
	readonly ports: CodexFacadePorts;
	readonly desk: Desk;
	readonly view: ThreadViewPorts;
	/** Threads of clients of the protocol that are being made; the news of those are told by their makers. */
	readonly making: { count: number };
	show(thread: Thread, options?: Parameters<typeof viewThread>[2]): JsonObject;
	/** Undefined where there is no such thread. */
	findThread(threadId: string): Thread | undefined;
	/** @throws CodexError in the words that the reference has for threads on disk; an ephemeral one is none. */
	requireStored(threadId: string): Thread;
	/** @throws CodexError `words: ID` for an ephemeral thread. */
	refuseEphemeral(threadId: string, words: string): void;
	/** @throws CodexError unless the thread is in use. */
	requireLoaded(threadId: string): { live: LiveThread; thread: Thread };
	/** All turns, oldest first. */
	readTurns(threadId: string): Turn[];
	/** What concerns the thread waits for the answer to this request. */
	answerFirst(request: Request, threadId: string): void;
}

const TURNS_PAGE = 1000;

export function createOffice(ports: CodexFacadePorts, desk: Desk): Office {
	const { runner, paths, identity } = ports;
	const view: ThreadViewPorts = {
		codexHome: paths.codexHome,
		protocol: identity.protocol,
		status: desk.status,
		providerId: ports.providerId ?? (() => CODEX_PROVIDER),
	};

	function findThread(threadId: string): Thread | undefined {
		try {
			return runner.readThread({ thread_id: threadId, limit: 1 }).thread;
		} catch (error) {
			if (error instanceof AppError && error.code === "THREAD_NOT_FOUND") return undefined;
			throw error;
		}
	}

	return {
		ports,
		desk,
		view,
		making: { count: 0 },
		show: (thread, options) => viewThread(view, thread, options),
		findThread,
		requireStored(threadId) {
			const thread = findThread(threadId);
			if (thread === undefined || thread.settings?.ephemeral)
				throw new CodexError(`no rollout found for thread id ${threadId}`);
			return thread;
		},
		refuseEphemeral(threadId, words) {
			if (findThread(threadId)?.settings?.ephemeral) throw new CodexError(`${words}: ${threadId}`);
		},
		requireLoaded(threadId) {
			assertThreadId(threadId);
			const live = desk.find(threadId);
			const thread = live?.loaded ? findThread(threadId) : undefined;
			if (live === undefined || thread === undefined) throw new CodexError(`thread not found: ${threadId}`);
			return { live, thread };
		},
		readTurns(threadId) {
			const turns: Turn[] = [];
			for (let more = true; more; ) {
				const before = turns[0]?.turn_id;
				const page = { thread_id: threadId, limit: TURNS_PAGE };
				const read = runner.readThread(before === undefined ? page : { ...page, before_turn_id: before });
				turns.unshift(...read.turns.map(asFinished));
				more = read.has_more;
			}
			return turns;
		},
		answerFirst(request, threadId) {
			const hold = request.peer.holdThread(threadId);
			request.after(() => hold[Symbol.dispose]());
		},
	};
}

export { callOf };
