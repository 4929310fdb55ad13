import { createEmitter } from "#base/emitter.ts";
import { listTurnMessages } from "#daemon/storage/repository/chat-message-row.ts";
import { findTurn, readFinalText } from "#daemon/storage/repository/chat-turn.ts";
import type { Approvals } from "./approvals.ts";
import type { Broadcast } from "./broadcast.ts";
import type { RunnerDeps } from "./deps.ts";
import type { LiveTurn } from "./live-turn.ts";
import type { Questions } from "./questions.ts";
import type { TurnEnded } from "./runner.ts";

/** Tells that turns have ended, after the commit of the end and once, whoever wrote it. */
export interface Endings {
	/** False when it was told before, or the turn still runs. */
	announce(live: LiveTurn): boolean;
	/** Only the listeners inside the daemon: clients were told by other means. */
	tell(turn: { thread_id: string; turn_id: string }): void;
	on(listener: (ended: TurnEnded) => void): Disposable;
}

interface EndingsPorts {
	deps: Pick<RunnerDeps, "store" | "logger">;
	approvals: Pick<Approvals, "announceExpired">;
	questions: Pick<Questions, "expire">;
	broadcast: Broadcast;
}

export function createEndings({ deps, approvals, questions, broadcast }: EndingsPorts): Endings {
	const { store, logger } = deps;
	const announced = new WeakSet<LiveTurn>();
	const emitter = createEmitter<TurnEnded>((error) =>
		logger.error("a listener of ended turns failed", { error: String(error) }),
	);

	function tell({ thread_id, turn_id }: { thread_id: string; turn_id: string }): void {
		const turn = findTurn(store, turn_id);
		if (turn === undefined || turn.status === "inProgress") return;
		const message_ids = listTurnMessages(store, turn_id).flatMap((row) => row.origin_message_id ?? []);
		const final_text = readFinalText(store, turn_id);
		emitter.emit({ thread_id, turn_id, status: turn.status, final_text, message_ids });
	}

	return {
		tell,
		announce(live) {
			const { threadId, turnId } = live;
			if (announced.has(live) || findTurn(store, turnId)?.status === "inProgress") return false;
			announced.add(live);
			approvals.announceExpired(turnId);
			questions.expire(turnId);
			broadcast.turn("chat.turn.completed", threadId, turnId);
			tell({ thread_id: threadId, turn_id: turnId });
			return true;
		},
		on: (listener) => emitter.on(listener),
	};
}
