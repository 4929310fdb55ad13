import { listApprovals } from "#daemon/storage/repository/chat-approval.ts";
import { listThreads, requireThread } from "#daemon/storage/repository/chat-thread.ts";
import { readTurns } from "#daemon/storage/repository/chat-turn.ts";
import type { Reader } from "#daemon/storage/store.ts";
import type { Broadcast } from "./broadcast.ts";
import type { Questions } from "./questions.ts";
import type { CodexRunner } from "./runner.ts";
import type { ThreadPresenter } from "./thread-record.ts";
import type { TurnBoard } from "./turn-board.ts";

/** Turns a client gets on subscribing; older ones are paged by `chat.thread.read`. */
const SNAPSHOT_TURNS = 50;
/** Threads in use that a subscriber is told of; more than anyone can look at. */
const SNAPSHOT_THREADS = 1_000;

interface SnapshotPorts {
	store: Reader;
	presenter: ThreadPresenter;
	questions: Pick<Questions, "list">;
	board: Pick<TurnBoard, "find">;
	broadcast: Broadcast;
}

type Snapshots = Pick<
	CodexRunner,
	"chatsSnapshot" | "activitySnapshot" | "approvalsSnapshot" | "readThread" | "listThreads" | "listApprovals"
>;

/** Reads of what is committed, with the items of running turns as they are in memory. */
export function createSnapshots({ store, presenter, questions, board, broadcast }: SnapshotPorts): Snapshots {
	const liveItems = (turnId: string) => board.find(turnId)?.listItems();

	function readThread(page: { thread_id: string; limit: number; before_turn_id?: string | undefined }) {
		const thread = presenter.one(requireThread(store, page.thread_id));
		// Texts in memory are ahead of joined deltas that did not go out yet; a subscriber must not get those twice.
		broadcast.flush(page.thread_id);
		return {
			thread,
			...readTurns(store, page, liveItems),
			approvals: listApprovals(store, { thread_id: page.thread_id, all: false }),
			questions: questions.list(page.thread_id),
		};
	}

	function list(params: Parameters<typeof listThreads>[1]) {
		const { threads, next_cursor } = listThreads(store, params);
		return { threads: presenter.many(threads), next_cursor };
	}

	return {
		readThread,
		listThreads: list,
		listApprovals: (params) => listApprovals(store, params),
		chatsSnapshot: () => ({
			threads: list({ archived: false, limit: SNAPSHOT_THREADS }).threads,
		}),
		activitySnapshot: (threadId) => readThread({ thread_id: threadId, limit: SNAPSHOT_TURNS }),
		approvalsSnapshot: () => ({ approvals: listApprovals(store, { all: false }) }),
	};
}
