import type { Clock } from "#base/clock.ts";
import { createEmitter } from "#base/emitter.ts";
import type { SteerMessage } from "#daemon/agent/loop-port.ts";
import {
	type ChatMessageRow,
	contentOf,
	listTurnMessages,
	userItemOf,
} from "#daemon/storage/repository/chat-message-row.ts";
import { readItems } from "#daemon/storage/repository/chat-turn.ts";
import type { Reader } from "#daemon/storage/store.ts";
import type { Item } from "#protocol/codex-item.ts";

/** The messages of one turn: those that opened it, and those that steer it. */
export interface TurnSteers {
	readonly opening: readonly SteerMessage[];
	readonly openingItems: readonly Item[];
	/** Takes up messages of the store that are not known yet. */
	pull(): void;
	take(): readonly SteerMessage[];
	onArrival(listener: () => void): Disposable;
	/** The person's words as sent, with who sent them; the loop knows the text alone. */
	dress(item: Item): Item;
}

function toSteer(message: ChatMessageRow): SteerMessage {
	const what = message.origin_kind === "reply" ? "Reply" : "Message";
	const from =
		message.origin_message_id === null ? "" : `${what} from #${message.from_name ?? "unknown"}:\n\n`;
	const content = message.content === null ? {} : { content: contentOf(message) };
	return {
		clientId: message.client_message_id,
		text: `${from}${message.text}`,
		...content,
		itemId: message.item_id,
	};
}

export function createTurnSteers(store: Reader, clock: Pick<Clock, "nowMs">, turnId: string): TurnSteers {
	const rows = new Map<string, ChatMessageRow>();
	const arrivals = createEmitter<void>();
	const opening = listTurnMessages(store, turnId).filter((message) => message.state === "taken");
	for (const row of opening) rows.set(row.item_id, row);
	// As they were stored with the turn: what is told of them later is the same to the letter.
	const openingItems = readItems(store, turnId);
	const asStored = new Map(openingItems.map((item) => [item.id, item]));
	let waiting: SteerMessage[] = [];

	return {
		opening: opening.map(toSteer),
		openingItems,
		pull() {
			const fresh = listTurnMessages(store, turnId).filter(
				(message) => message.state === "waiting" && !rows.has(message.item_id),
			);
			for (const row of fresh) {
				rows.set(row.item_id, row);
				waiting.push(toSteer(row));
			}
			if (fresh.length > 0) arrivals.emit();
		},
		take() {
			const taken = waiting;
			waiting = [];
			return taken;
		},
		onArrival: (listener) => arrivals.on(listener),
		dress(item) {
			const stored = asStored.get(item.id);
			if (stored !== undefined) return stored;
			const row = item.type === "userMessage" ? rows.get(item.id) : undefined;
			if (row === undefined || row.origin_message_id === null) return item;
			const { startedAtMs = null, completedAtMs = null } = item;
			return { ...userItemOf(row, clock.nowMs()), startedAtMs, completedAtMs };
		},
	};
}
