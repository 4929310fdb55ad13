import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { rolloutPathFor } from "#daemon/agent/rollout/find-files.ts";
import type { RolloutLibrary } from "#daemon/agent/rollout/port.ts";
import { readTurns } from "#daemon/storage/repository/chat-turn.ts";
import type { Store } from "#daemon/storage/store.ts";
import { openTestLibrary } from "#test/support/rollout.ts";
import { openTestStore } from "#test/support/store.ts";

export const ID = "0197aaaa-0000-7000-8000-00000000000a";
export const AT = Date.parse("2025-06-25T10:00:00.000Z");

export type Line = string | { type: string; payload: unknown; timestamp?: string };

export const meta = (more: object = {}): Line => ({
	type: "session_meta",
	payload: {
		id: ID,
		timestamp: new Date(AT).toISOString(),
		cwd: "/work",
		cli_version: "0.50.0",
		source: "cli",
		...more,
	},
});
export const event = (payload: object): Line => ({ type: "event_msg", payload });
export const item = (payload: object): Line => ({ type: "response_item", payload });
export const said = (text: string): Line =>
	item({ type: "message", role: "user", content: [{ type: "input_text", text }] });
export const answered = (text: string): Line =>
	item({ type: "message", role: "assistant", content: [{ type: "output_text", text }] });
/** A whole turn as newer files have it. */
export const turn = (turnId: string, words: string, answer: string): Line[] => [
	event({ type: "task_started", turn_id: turnId, started_at: AT / 1000 }),
	said(words),
	event({
		...{ type: "item_completed", turn_id: turnId, started_at_ms: AT, completed_at_ms: AT },
		item: {
			type: "UserMessage",
			id: `${turnId}-u`,
			content: [{ type: "text", text: words, text_elements: [] }],
		},
	}),
	answered(answer),
	event({
		...{ type: "item_completed", turn_id: turnId, started_at_ms: AT, completed_at_ms: AT + 5 },
		item: { type: "AgentMessage", id: `${turnId}-a`, content: [{ type: "Text", text: answer }] },
	}),
	event({
		type: "task_complete",
		turn_id: turnId,
		started_at: AT / 1000,
		completed_at: AT / 1000,
		duration_ms: 9,
	}),
];

export const write = (lines: readonly Line[]): string =>
	lines
		.map((line) =>
			typeof line === "string" ? line : JSON.stringify({ timestamp: new Date(AT).toISOString(), ...line }),
		)
		.map((line) => `${line}\n`)
		.join("");

export interface RolloutHome extends AsyncDisposable {
	readonly codexHome: string;
	readonly store: Store;
	readonly library: RolloutLibrary;
	/** Writes a rollout; returns its path. */
	put(lines: readonly Line[], id?: string): Promise<string>;
	add(path: string, lines: readonly Line[]): Promise<void>;
	/** Types and texts of the thread's items, turn by turn. */
	shown(id?: string): string[][];
	status(id?: string): string[];
	history(id?: string): string[];
}

/** A store, an empty Codex home and the library between them. */
export async function openRolloutHome(): Promise<RolloutHome> {
	const codexHome = await mkdtemp(join(tmpdir(), "codex-home-"));
	const store = await openTestStore();
	const library = openTestLibrary(store, codexHome);
	const turnsOf = (id: string) => readTurns(store, { thread_id: id, limit: 1000 }).turns;
	return {
		codexHome,
		store,
		library,
		async put(lines, id = ID) {
			const path = rolloutPathFor(codexHome, { thread_id: id, created_at_ms: AT });
			await mkdir(dirname(path), { recursive: true });
			await writeFile(path, write(lines));
			return path;
		},
		add: (path, lines) => appendFile(path, write(lines)),
		shown: (id = ID) =>
			turnsOf(id).map(({ items }) =>
				items.map((entry) => {
					const text = "text" in entry ? entry.text : "content" in entry ? JSON.stringify(entry.content) : "";
					return `${entry.type}: ${String(text)}`;
				}),
			),
		status: (id = ID) => turnsOf(id).map(({ status }) => status),
		history: (id = ID) =>
			store
				.all<{ json: string }>("SELECT json FROM chat_history WHERE thread_id = ? ORDER BY position", id)
				.map(({ json }) => String(JSON.parse(json).content?.[0]?.text ?? JSON.parse(json).type)),
		async [Symbol.asyncDispose]() {
			await library[Symbol.asyncDispose]();
			await store[Symbol.asyncDispose]();
			await rm(codexHome, { recursive: true, force: true });
		},
	};
}
