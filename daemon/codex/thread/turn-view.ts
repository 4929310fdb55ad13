import { createHash } from "node:crypto";
import type { Item } from "#protocol/codex-item.ts";
import type { Turn } from "#protocol/record.ts";
import type { JsonObject } from "../wire/decode.ts";
import { viewItem } from "./item-view.ts";

export type ItemsView = "notLoaded" | "summary" | "full";

export const seconds = (ms: number): number => Math.floor(ms / 1000);

/** The turn as the answer to what started it shows it: nothing has happened in it yet. */
export function viewNewTurn(
	turnId: string,
	items: readonly JsonObject[] = [],
	root: string | null = turnId,
): JsonObject {
	return {
		id: turnId,
		rootTurnId: root,
		items,
		itemsView: "notLoaded",
		status: "inProgress",
		error: null,
		startedAt: null,
		completedAt: null,
		durationMs: null,
	};
}

function viewError(error: Turn["error"]): JsonObject | null {
	return error === null ? null : { ...error, misalignment: error["misalignment"] ?? null };
}

/** A summary keeps what the person said and the last answer. */
function chooseItems(items: readonly Item[], view: ItemsView): readonly Item[] {
	if (view === "full") return items;
	if (view === "notLoaded") return [];
	const last = items.findLast((item) => item.type === "agentMessage");
	return items.filter((item) => item === last || item.type === "userMessage");
}

/** Id of the turn that the reference runs a review as, within the one that it answered with; the same each time. */
export function innerTurnId(turnId: string): string {
	const hex = createHash("sha256").update(turnId).digest("hex");
	// The time stays that of the turn; the rest of a UUIDv7 is random anyway.
	return `${turnId.slice(0, 15)}${hex.slice(0, 3)}-8${hex.slice(3, 6)}-${hex.slice(6, 18)}`;
}

const FRAME: ReadonlySet<string> = new Set(["enteredReviewMode", "exitedReviewMode"]);

/** A review in its two turns: what it did, and what came of it. */
function viewReview(turn: Turn, itemsView: ItemsView): JsonObject[] {
	const result = turn.items.findLast((item) => item.type === "agentMessage");
	const done = turn.items.filter((item) => !FRAME.has(item.type) && item.type !== "agentMessage");
	const inner = viewTurn({ ...turn, status: "interrupted" }, itemsView, done);
	const frame = turn.items.filter((item) => FRAME.has(item.type) || item === result);
	return [
		{ ...inner, id: innerTurnId(turn.turn_id), rootTurnId: turn.turn_id },
		viewTurn(turn, itemsView, frame),
	];
}

/** Turns as a history shows them, oldest first. */
export function viewTurns(turns: readonly Turn[], itemsView: ItemsView): JsonObject[] {
	return turns.flatMap((turn) =>
		turn.kind === "review" ? viewReview(turn, itemsView) : [viewTurn(turn, itemsView)],
	);
}

/** `items` in place of the turn's own, where they came by events. */
export function viewTurn(turn: Turn, itemsView: ItemsView, items: readonly Item[] = turn.items): JsonObject {
	const { started_at_ms, completed_at_ms } = turn;
	return {
		id: turn.turn_id,
		rootTurnId: turn.turn_id,
		items: chooseItems(items, itemsView).map(viewItem),
		itemsView,
		status: turn.status,
		error: viewError(turn.error),
		startedAt: seconds(started_at_ms),
		completedAt: completed_at_ms === null ? null : seconds(completed_at_ms),
		durationMs: completed_at_ms === null ? null : Math.round(completed_at_ms - started_at_ms),
	};
}
