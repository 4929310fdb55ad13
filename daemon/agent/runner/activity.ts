import type { Clock } from "#base/clock.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";

/** Deltas of one item are joined for this long before they go out: at most 125 messages a second per item. */
const DELTA_BATCH_MS = 8;

export type ChatDelta = Extract<
	ChatEvent,
	{ type: "chat.message.delta" | "chat.reasoning.delta" | "chat.command.output" }
>;

/** The event stream of one thread: what is said in it goes out in the order in which it was said. */
export interface Activity {
	event(event: ChatEvent): void;
	delta(delta: ChatDelta): void;
	/** Sends joined deltas now. A snapshot must do so first, for its text holds them already. */
	flush(): void;
}

function sameTarget(a: ChatDelta, b: ChatDelta): boolean {
	if (a.type !== b.type || a.turn_id !== b.turn_id || a.item_id !== b.item_id) return false;
	return (
		a.type !== "chat.reasoning.delta" ||
		b.type !== "chat.reasoning.delta" ||
		a.summary_index === b.summary_index
	);
}

export function createActivity(clock: Clock, send: (event: ChatEvent) => void): Activity {
	let waiting: { delta: ChatDelta; parts: string[] }[] = [];
	let timer: Disposable | undefined;

	function flush(): void {
		timer?.[Symbol.dispose]();
		timer = undefined;
		const ready = waiting;
		waiting = [];
		for (const { delta, parts } of ready) send({ ...delta, delta: parts.join("") });
	}

	return {
		flush,
		event(event) {
			flush();
			send(event);
		},
		delta(delta) {
			// Items that stream side by side (two commands) each keep their own batch; order between them carries no meaning.
			const open = waiting.find((entry) => sameTarget(entry.delta, delta));
			if (open) open.parts.push(delta.delta);
			else waiting.push({ delta, parts: [delta.delta] });
			timer ??= clock.after(DELTA_BATCH_MS, flush);
		},
	};
}
