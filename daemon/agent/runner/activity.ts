import type { Clock } from "#base/clock.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";

/** Deltas of one item are joined for this long before they go out: at most 125 messages a second per item. */
const DELTA_BATCH_MS = 8;

export type ChatDelta = Extract<
	ChatEvent,
	{
		type:
			| "chat.message.delta"
			| "chat.reasoning.delta"
			| "chat.reasoning.raw"
			| "chat.plan.delta"
			| "chat.command.output";
	}
>;

/** The event stream of one thread: what is said in it goes out in the order in which it was said. */
export interface Activity {
	event(event: ChatEvent): void;
	delta(delta: ChatDelta): void;
	/** Sends joined deltas now. A snapshot must do so first, for its text holds them already. */
	flush(): void;
}

function partOf(delta: ChatDelta): number {
	if (delta.type === "chat.reasoning.delta") return delta.summary_index;
	return delta.type === "chat.reasoning.raw" ? delta.content_index : 0;
}

function sameTarget(a: ChatDelta, b: ChatDelta): boolean {
	return a.type === b.type && a.turn_id === b.turn_id && a.item_id === b.item_id && partOf(a) === partOf(b);
}

/** `send` gets joined deltas, `direct` each delta as it is said; both get every event, in order. */
export function createActivity(
	clock: Clock,
	send: (event: ChatEvent) => void,
	direct: (event: ChatEvent) => void = () => undefined,
): Activity {
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
			direct(event);
			flush();
			send(event);
		},
		delta(delta) {
			direct(delta);
			// Items that stream side by side (two commands) each keep their own batch; order between them carries no meaning.
			const open = waiting.find((entry) => sameTarget(entry.delta, delta));
			if (open) open.parts.push(delta.delta);
			else waiting.push({ delta, parts: [delta.delta] });
			timer ??= clock.after(DELTA_BATCH_MS, flush);
		},
	};
}
