import type { Turn } from "#protocol/record.ts";
import type { LiveThread } from "../thread/live-thread.ts";
import { innerTurnId, viewTurn } from "../thread/turn-view.ts";
import type { NewsPorts, Teller } from "./news.ts";

export interface TurnNews {
	readonly started: Teller<"chat.turn.started">;
	readonly completed: Teller<"chat.turn.completed">;
	readonly error: Teller<"chat.error">;
	/** A review's turn is told after its first item. */
	tellHeld(live: LiveThread): void;
	/** The end of a turn takes its questions away; they are told as over after it. */
	tellLateResolved(live: LiveThread): void;
}

export function createTurnNews({ desk, turnEnded }: NewsPorts): TurnNews {
	function tellStarted(live: LiveThread, turn: Turn): void {
		desk.tellStatus(live);
		const view = viewTurn({ ...turn, status: "inProgress", completed_at_ms: null }, "notLoaded");
		// The reference runs a review as a turn within the one that it answered with.
		const inner = { ...view, id: innerTurnId(turn.turn_id), rootTurnId: turn.turn_id };
		desk.tell(live, "turn/started", {
			threadId: live.threadId,
			turn: turn.kind === "review" ? inner : view,
		});
	}

	function tellLateResolved(live: LiveThread): void {
		const late = live.lateResolved;
		live.lateResolved = [];
		for (const key of late) {
			desk.settle(live, key);
			live.waits.delete(key);
		}
	}

	function forgetTurn(live: LiveThread, turnId: string): void {
		live.activeTurnId = null;
		live.endedTurnId = turnId;
		live.heldTurn = null;
		live.heldItems.clear();
		live.flagUntilItem.clear();
		live.waits.clear();
		live.lastMessage = null;
	}

	return {
		tellLateResolved,
		tellHeld(live) {
			const turn = live.heldTurn;
			live.heldTurn = null;
			if (turn !== null) tellStarted(live, turn);
		},
		started(live, { turn }) {
			live.loaded = true;
			live.activeTurnId = turn.turn_id;
			live.failed = false;
			live.lastMessage = null;
			if (turn.kind === "review") live.heldTurn = turn;
			else tellStarted(live, turn);
		},
		completed(live, { turn }) {
			const last = live.lastMessage;
			forgetTurn(live, turn.turn_id);
			live.failed = turn.status === "failed";
			turnEnded(live, turn);
			desk.tellStatus(live);
			const view = last === null ? viewTurn(turn, "notLoaded") : viewTurn(turn, "summary", [last]);
			desk.tell(live, "turn/completed", { threadId: live.threadId, turn: view });
			tellLateResolved(live);
		},
		error(live, { error, will_retry, turn_id }) {
			if (!will_retry) {
				live.failed = true;
				desk.tellStatus(live);
			}
			desk.tell(live, "error", {
				error: { ...error, misalignment: error["misalignment"] ?? null },
				...{ willRetry: will_retry, threadId: live.threadId, turnId: turn_id },
			});
		},
	};
}
