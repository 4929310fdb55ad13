import { TURN_ABORTED_TEXT, userItem } from "#daemon/agent/loop/history.ts";
import { listTurnApprovals } from "#daemon/storage/repository/chat-approval.ts";
import { listOpenEffects } from "#daemon/storage/repository/chat-effect.ts";
import { type Orphan, recoverWrite } from "#daemon/storage/repository/chat-end.ts";
import type { Broadcast } from "./broadcast.ts";
import type { RunnerDeps } from "./deps.ts";

interface TurnRef {
	thread_id: string;
	turn_id: string;
}

const REASON = "the daemon stopped while this turn ran";

/**
 * Puts right what a dead daemon left and tells it; nothing is repeated. Living processes of the dead one are found by
 * pid and start time and named in the turn's reason. `started` are turns of messages that had waited; they run next.
 */
export async function recoverTurns(
	deps: RunnerDeps,
	broadcast: Broadcast,
): Promise<{ ended: TurnRef[]; started: TurnRef[] }> {
	const { store, logger } = deps;
	const orphans: Orphan[] = [];
	for (const effect of listOpenEffects(store)) {
		if (effect.pid === null || !deps.isProcessAlive(effect.pid, effect.start_time)) continue;
		orphans.push({ effect_no: effect.effect_no, pid: effect.pid });
		logger.warn("a command of the former daemon still runs", {
			pid: effect.pid,
			thread_id: effect.thread_id,
			turn_id: effect.turn_id,
		});
	}
	const result = await store.write(recoverWrite, {
		reason: REASON,
		orphans,
		history_tail: [userItem(TURN_ABORTED_TEXT)],
	});
	for (const { thread_id, turn_id } of result.turns) {
		for (const approval of listTurnApprovals(store, turn_id)) {
			if (approval.status === "expired") broadcast.approval("chat.approval.resolved", approval);
		}
		broadcast.turn("chat.turn.completed", thread_id, turn_id);
		broadcast.forget(thread_id);
	}
	if (result.turns.length > 0)
		logger.warn("turns were interrupted by the former daemon's end", { count: result.turns.length });
	return { ended: result.turns, started: result.started };
}
