import { REPLACED_REASON } from "#daemon/agent/loop-port.ts";
import { cancelTurnWrite } from "#daemon/storage/repository/chat-end.ts";
import { findTurn, readItems } from "#daemon/storage/repository/chat-turn.ts";
import { findCallResult } from "#daemon/storage/repository/idempotency.ts";
import type { Broadcast } from "./broadcast.ts";
import type { RunnerDeps } from "./deps.ts";
import type { Endings } from "./endings.ts";
import type { LiveTurn } from "./live-turn.ts";
import type { RunnerCall } from "./runner.ts";
import { type TurnBoard, within } from "./turn-board.ts";

/** A loop that was told to stop tells what its stream had cost within this time; the end is written without it then. */
const CLOSING_WORDS_MS = 50;

interface CancelParams {
	thread_id: string;
	turn_id?: string | undefined;
}

interface CancelHow {
	readonly label: string;
	readonly idempotency: RunnerCall["idempotency"];
	/** The commands that the turn started end with it. */
	readonly endCommands: boolean;
	/** Another task takes the turn's place. */
	readonly replaced: boolean;
}

interface CancelPorts {
	deps: RunnerDeps;
	board: TurnBoard;
	broadcast: Broadcast;
	endings: Endings;
}

/** Whoever follows the turn that never began learns what it holds and how it ended. */
function tellWithdrawn(
	{ deps, broadcast, endings }: CancelPorts,
	about: { thread_id: string; turn_id: string },
): void {
	const { thread_id, turn_id } = about;
	for (const item of readItems(deps.store, turn_id)) {
		const event = { type: "chat.item.completed" as const, thread_id, turn_id, item_id: item.id, item };
		broadcast.activity(thread_id).event(event);
	}
	broadcast.turn("chat.turn.completed", thread_id, turn_id);
	endings.tell(about);
}

/** The running turn that is meant; undefined where the request only repeats an earlier one. */
function meantTurn({ deps, board }: CancelPorts, params: CancelParams, by: CancelHow): LiveTurn | undefined {
	const { store, clock } = deps;
	if (by.idempotency && findCallResult(store, by.idempotency, clock.nowMs())) return undefined;
	const live = board.current(params.thread_id);
	if (live === undefined || live.ended) return undefined;
	if (params.turn_id !== undefined && params.turn_id !== live.turnId) return undefined;
	return findTurn(store, live.turnId)?.status === "inProgress" ? live : undefined;
}

/**
 * Interrupts a turn. Its loop is stopped first and has a moment for its closing words, so that they are told before the end;
 * the end is durable when this resolves, whether the loop came to write it or not.
 */
export async function cancelTurn(ports: CancelPorts, params: CancelParams, by: CancelHow) {
	const { deps, board } = ports;
	// Saved first, so that the words said so far are in the turn when its end commits.
	await board.current(params.thread_id)?.flush();
	const reason = by.replaced ? REPLACED_REASON : `interrupted by ${by.label}`;
	const stopped = meantTurn(ports, params, by);
	deps.fault("turn.before-end");
	if (stopped !== undefined) {
		stopped.abort(reason);
		await within(deps.clock, board.over(stopped), CLOSING_WORDS_MS);
	}
	const { thread_id, turn_id = null } = params;
	const input = { thread_id, turn_id, reason, stopped: stopped?.turnId ?? null };
	const ref = await deps.store.write(cancelTurnWrite, input, { idempotency: by.idempotency });
	deps.fault("turn.after-end");
	if (ref.withdrawn) tellWithdrawn(ports, ref);
	if (by.endCommands) deps.commands?.killTurn(ref.turn_id);
	const live = board.find(ref.turn_id);
	if (live === undefined) return { ...ref };
	live.end();
	live.abort(reason);
	board.ended(live);
	return { ...ref };
}
