import type { Item } from "#protocol/codex-item.ts";
import { viewItem } from "../thread/item-view.ts";
import type { LiveThread } from "../thread/live-thread.ts";
import type { EventOf, NewsPorts, Teller } from "./news.ts";

/** The reference tells what a command says from this long after its start on; what came before is in its item's end. */
const SILENT_START_MS = 150;

export interface ItemNews {
	readonly started: Teller<"chat.item.started">;
	readonly completed: Teller<"chat.item.completed">;
	readonly output: Teller<"chat.command.output">;
	/** The start of a command that was held back until it was known whether somebody is asked about it. */
	release(live: LiveThread, itemId: string): void;
}

const isModelCommand = (item: Item): boolean =>
	item.type === "commandExecution" && item.source !== "userShell";

/** A command that nobody decided about yet: the reference says that it waits before it says what waits. */
const maybeAsked = (item: Item): boolean =>
	item.type === "commandExecution" && item.source === "agent" && item.processId === null;

const isDropped = (item: Item): boolean =>
	item.type === "mcpToolCall" || ("status" in item && item.status === "declined");

/** News of items; `beforeTurn` is told when a review's first item is over. */
export function createItemNews(
	{ desk, clock }: NewsPorts,
	reviewEntered: (live: LiveThread) => void,
): ItemNews {
	function tellStarted(live: LiveThread, { item, turn_id }: EventOf<"chat.item.started">): void {
		const startedAtMs = item.startedAtMs ?? clock.nowMs();
		const view = viewItem({ ...item, completedAtMs: null });
		desk.tell(live, "item/started", { item: view, threadId: live.threadId, turnId: turn_id, startedAtMs });
	}

	function release(live: LiveThread, itemId: string): void {
		const held = live.heldItems.get(itemId);
		if (held === undefined) return;
		live.heldItems.delete(itemId);
		tellStarted(live, held);
	}

	function lowerFlag(live: LiveThread, itemId: string): void {
		const approvalId = live.flagUntilItem.get(itemId);
		if (approvalId === undefined) return;
		live.flagUntilItem.delete(itemId);
		live.waits.delete(approvalId);
		desk.tellStatus(live);
	}

	return {
		release,
		started(live, event) {
			const { item } = event;
			if (maybeAsked(item)) {
				live.heldItems.set(item.id, event);
				return;
			}
			if (isModelCommand(item)) live.commandsSince.set(item.id, clock.nowMs());
			tellStarted(live, event);
		},
		completed(live, { item, turn_id }) {
			// A call that waited for somebody's answer when its turn was cut: the reference never speaks of it again.
			if (turn_id === live.endedTurnId && isDropped(item)) return;
			release(live, item.id);
			live.commandsSince.delete(item.id);
			if (item.type === "agentMessage" && turn_id === live.activeTurnId) live.lastMessage = item;
			const completedAtMs = item.completedAtMs ?? clock.nowMs();
			desk.tell(live, "item/completed", {
				...{ item: viewItem(item), threadId: live.threadId, turnId: turn_id },
				...{ contentTokenCount: null, completedAtMs },
			});
			lowerFlag(live, item.id);
			if (item.type === "enteredReviewMode") reviewEntered(live);
		},
		output(live, { item_id, turn_id, delta }) {
			release(live, item_id);
			const since = live.commandsSince.get(item_id);
			if (since !== undefined && clock.nowMs() - since < SILENT_START_MS) return;
			desk.tell(live, "item/commandExecution/outputDelta", {
				...{ threadId: live.threadId, turnId: turn_id, itemId: item_id, delta },
			});
		},
	};
}
