import type { Migration } from "../store.ts";

/**
 * Threads as the Codex protocol sees them: settings, side threads that are never listed, turns of other kinds, messages in
 * parts, histories that a compaction replaced. A fork keeps the ids of its turns and shares their items, so a turn is named
 * by its thread and its id. Kinds are checked where rows are parsed, not here: a later kind must not need a new table.
 */
export const codex: Migration = {
	version: 6,
	name: "codex",
	sql: `
ALTER TABLE chat_thread ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE chat_thread ADD COLUMN ephemeral INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chat_thread ADD COLUMN preview TEXT;
ALTER TABLE chat_thread ADD COLUMN named INTEGER NOT NULL DEFAULT 0;
CREATE INDEX chat_thread_ephemeral ON chat_thread (thread_id) WHERE ephemeral = 1;

ALTER TABLE chat_message ADD COLUMN content TEXT;
ALTER TABLE chat_message ADD COLUMN turn_options TEXT;

CREATE TABLE chat_item_6 (
	turn_id TEXT NOT NULL,
	ordinal INTEGER NOT NULL,
	item_id TEXT NOT NULL,
	open INTEGER NOT NULL,
	json TEXT NOT NULL,
	PRIMARY KEY (turn_id, ordinal)
) STRICT;
INSERT INTO chat_item_6 SELECT turn_id, ordinal, item_id, open, json FROM chat_item;
DROP TABLE chat_item;
ALTER TABLE chat_item_6 RENAME TO chat_item;
CREATE INDEX chat_item_open ON chat_item (turn_id) WHERE open = 1;

CREATE TABLE chat_turn_6 (
	thread_id TEXT NOT NULL REFERENCES chat_thread (thread_id),
	turn_id TEXT NOT NULL,
	position INTEGER NOT NULL,
	kind TEXT NOT NULL DEFAULT 'regular',
	options TEXT,
	status TEXT NOT NULL,
	reason TEXT,
	error TEXT,
	final_text TEXT,
	origin_message_id TEXT,
	git_head_before TEXT,
	git_head_after TEXT,
	usage TEXT,
	started_at_ms INTEGER NOT NULL,
	completed_at_ms INTEGER,
	PRIMARY KEY (turn_id, thread_id)
) STRICT;
INSERT INTO chat_turn_6 (thread_id, turn_id, position, status, reason, error, final_text, origin_message_id, git_head_before,
	git_head_after, started_at_ms, completed_at_ms)
	SELECT thread_id, turn_id, position, status, reason, error, final_text, origin_message_id, git_head_before, git_head_after,
	started_at_ms, completed_at_ms FROM chat_turn;
DROP TABLE chat_turn;
ALTER TABLE chat_turn_6 RENAME TO chat_turn;
CREATE UNIQUE INDEX chat_turn_position ON chat_turn (thread_id, position);
CREATE UNIQUE INDEX chat_turn_active ON chat_turn (thread_id) WHERE status = 'inProgress';

CREATE TABLE chat_epoch (
	thread_id TEXT NOT NULL REFERENCES chat_thread (thread_id),
	epoch INTEGER NOT NULL,
	turn_id TEXT NOT NULL,
	after_position INTEGER NOT NULL,
	PRIMARY KEY (thread_id, epoch)
) STRICT;

CREATE TABLE chat_pending_history (
	pending_no INTEGER PRIMARY KEY,
	thread_id TEXT NOT NULL REFERENCES chat_thread (thread_id),
	json TEXT NOT NULL
) STRICT;
CREATE INDEX chat_pending_history_thread ON chat_pending_history (thread_id);

CREATE TABLE chat_effect_6 (
	effect_no INTEGER PRIMARY KEY,
	thread_id TEXT NOT NULL REFERENCES chat_thread (thread_id),
	turn_id TEXT NOT NULL,
	item_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('intended', 'started', 'done', 'unknown')),
	pid INTEGER,
	start_time TEXT,
	detail TEXT NOT NULL,
	outcome TEXT,
	intended_at_ms INTEGER NOT NULL,
	done_at_ms INTEGER
) STRICT;
INSERT INTO chat_effect_6 SELECT effect_no, thread_id, turn_id, item_id, kind, state, pid, start_time, detail, outcome,
	intended_at_ms, done_at_ms FROM chat_effect;
DROP TABLE chat_effect;
ALTER TABLE chat_effect_6 RENAME TO chat_effect;
CREATE INDEX chat_effect_open ON chat_effect (turn_id) WHERE state IN ('intended', 'started');
`,
};
