import type { NewId } from "#base/id.ts";
import type { ModelEvent, ModelItem } from "#daemon/agent/model.ts";
import { keep } from "./calls.ts";
import { CHAT_MEMBER } from "./messages.ts";

type Kept = { [CHAT_MEMBER]?: Record<string, unknown> };

/** Thoughts and text of one response, and what else the server says of them. */
export interface Speech {
	think(delta: string): ModelEvent[];
	say(delta: string): ModelEvent[];
	/** A member that we have no shape for; it goes back with the item that is finished next. */
	keep(name: string, value: unknown): void;
	closeThoughts(): ModelEvent[];
	/** The message, and an empty thought where something is left to keep and `hasCalls`. */
	finish(hasCalls: boolean): ModelItem[];
	/** Whether anything was said or thought. */
	readonly begun: boolean;
}

export function createSpeech(newId: NewId): Speech {
	const extras: Record<string, unknown> = {};
	let thoughts: { id: string; pieces: string[]; done: boolean } | null = null;
	let message: { id: string; pieces: string[] } | null = null;

	function takeExtras(): Kept {
		if (Object.keys(extras).length === 0) return {};
		const taken = { ...extras };
		for (const name of Object.keys(extras)) delete extras[name];
		return { [CHAT_MEMBER]: taken };
	}
	function closeThoughts(): ModelEvent[] {
		if (thoughts === null || thoughts.done) return [];
		thoughts.done = true;
		const summary = [{ type: "summary_text", text: thoughts.pieces.join("") }];
		return [{ type: "item_done", item: { type: "reasoning", id: thoughts.id, summary, ...takeExtras() } }];
	}

	return {
		think(delta) {
			// Thoughts after their end are only kept: an item that is finished does not grow.
			if (delta === "" || thoughts?.done === true) return [];
			if (thoughts !== null) {
				thoughts.pieces.push(delta);
				return [{ type: "reasoning_delta", itemId: thoughts.id, summaryIndex: 0, delta }];
			}
			const id = `rs_${newId()}`;
			thoughts = { id, pieces: [delta], done: false };
			return [
				{ type: "item_started", item: { id, kind: "reasoning", phase: null } },
				{ type: "reasoning_part", itemId: id, summaryIndex: 0 },
				{ type: "reasoning_delta", itemId: id, summaryIndex: 0, delta },
			];
		},
		say(delta) {
			if (delta === "") return [];
			const before = closeThoughts();
			if (message !== null) {
				message.pieces.push(delta);
				return [...before, { type: "text_delta", itemId: message.id, delta }];
			}
			const id = `msg_${newId()}`;
			message = { id, pieces: [delta] };
			return [
				...before,
				{ type: "item_started", item: { id, kind: "message", phase: null } },
				{ type: "text_delta", itemId: id, delta },
			];
		},
		keep: (name, value) => keep(extras, name, value),
		closeThoughts,
		finish(hasCalls) {
			const items: ModelItem[] = [];
			if (message !== null) {
				const content = [{ type: "output_text", text: message.pieces.join(""), annotations: [] }];
				items.push({ type: "message", id: message.id, role: "assistant", content, ...takeExtras() });
			}
			const late = takeExtras();
			if (late[CHAT_MEMBER] !== undefined && hasCalls)
				items.push({ type: "reasoning", id: `rs_${newId()}`, summary: [], ...late });
			return items;
		},
		get begun() {
			return message !== null || thoughts !== null;
		},
	};
}
