import type { Effect } from "./action.ts";
import type { Outgoing, Slot, State } from "./state.ts";
import { noteCell, only, settle, type Update } from "./update.ts";

/** Leaves the conversation on the screen: what is open there is closed in the transcript, its thread goes on. */
function leave(state: State, slot: Slot): State {
	const live = state.live
		.map((cell) => (cell.done ? cell : { ...cell, done: true }))
		.filter((cell) => cell.kind !== "reasoning");
	const settled = settle({ ...state, live });
	return {
		...settled,
		slot,
		thread: undefined,
		turn: undefined,
		turnNumber: 0,
		usage: undefined,
		notice: undefined,
		panel: undefined,
	};
}

/** An empty conversation; its thread is made at the first message. */
export function resetSlot(state: State, slotId: string): Update {
	const wasOpen = state.slot.threadId !== undefined;
	const left = leave(state, { id: slotId, status: "empty", threadId: undefined, epoch: undefined });
	const cell = noteCell(`new:${slotId}`, ["a new conversation; the one above is kept (/resume)"], {
		token: "muted",
		glyph: "none",
	});
	return only(wasOpen ? settle({ ...left, live: [...left.live, cell] }) : left, { kind: "unwatch_thread" });
}

/** Shows a thread of the daemon. */
export function openThread(state: State, threadId: string, slotId: string): Update {
	if (state.slot.threadId === threadId) return only(state);
	const left = leave(state, { id: slotId, status: "opening", threadId, epoch: undefined });
	return only({ ...left, hasConversation: true }, { kind: "watch_thread", slotId, threadId });
}

function sendEffect(entry: Outgoing, threadId: string): Effect {
	const { clientMessageId, text } = entry;
	if (entry.isCommand)
		return { kind: "run_command", threadId, clientMessageId, command: text.slice(1).trim() };
	return {
		kind: "send_message",
		threadId,
		clientMessageId,
		text,
		whenBusy: entry.whenBusy,
	};
}

/** Hands waiting messages of the present conversation to the daemon, making its thread first if there is none. */
export function flushOutbox(state: State): Update {
	const { slot } = state;
	const waiting = state.outbox.filter((entry) => entry.state === "waiting" && entry.slotId === slot.id);
	if (waiting.length === 0 || state.link.kind !== "connected") return only(state);
	if (slot.threadId === undefined) {
		if (slot.status === "creating") return only(state);
		const effect: Effect = {
			kind: "create_thread",
			slotId: slot.id,
			cwd: state.surroundings.cwd,
			...(state.wantedModel === undefined ? {} : { model: state.wantedModel }),
			...(state.wantedPolicy === undefined ? {} : { policy: state.wantedPolicy }),
		};
		return only({ ...state, slot: { ...slot, status: "creating" } }, effect);
	}
	const { threadId } = slot;
	const outbox = state.outbox.map((entry) =>
		waiting.includes(entry) ? { ...entry, state: "sending" as const } : entry,
	);
	return only({ ...state, outbox }, ...waiting.map((entry) => sendEffect(entry, threadId)));
}
