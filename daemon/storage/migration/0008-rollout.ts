import type { Migration } from "../store.ts";

/**
 * Files that the Codex CLI keeps its threads in, as far as we looked into them. A row outlives its thread: what a person
 * deleted here must not come back with the next look. `boundary_*` is where the last whole turn ended, in the file and in
 * the thread; `last_turn_id` is the thread's newest turn then, so that turns of our own since are noticed.
 */
export const rollout: Migration = {
	version: 8,
	name: "rollout",
	sql: `
CREATE TABLE chat_rollout (
	path TEXT PRIMARY KEY,
	thread_id TEXT,
	state TEXT NOT NULL,
	size_bytes INTEGER NOT NULL,
	mtime_ms INTEGER NOT NULL,
	boundary_bytes INTEGER NOT NULL DEFAULT 0,
	boundary_position INTEGER NOT NULL DEFAULT 0,
	last_turn_id TEXT,
	skipped_lines INTEGER NOT NULL DEFAULT 0,
	detail TEXT,
	looked_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX chat_rollout_thread ON chat_rollout (thread_id) WHERE thread_id IS NOT NULL;
`,
};
