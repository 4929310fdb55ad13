import type { Migration } from "../store.ts";

/**
 * Threads with all that must outlive the process: turns, items, the model's history, approvals, effects and messages
 * that wait. Items keep their place by `ordinal`, because a provider may use one id twice. One pending turn per thread
 * is a rule of the database, and so is one message per client id.
 */
export const chat: Migration = {
	version: 2,
	name: "chat",
	sql: `
CREATE TABLE chat_thread (
	thread_id TEXT PRIMARY KEY,
	agent_name TEXT NOT NULL,
	title TEXT,
	provider TEXT NOT NULL,
	model TEXT,
	cwd TEXT NOT NULL,
	machine_id TEXT NOT NULL,
	approval_policy TEXT NOT NULL,
	sandbox TEXT NOT NULL,
	env TEXT NOT NULL,
	codex_home TEXT,
	archived INTEGER NOT NULL DEFAULT 0,
	controller TEXT,
	active_turn_id TEXT,
	turn_count INTEGER NOT NULL DEFAULT 0,
	usage TEXT,
	created_at_ms INTEGER NOT NULL,
	updated_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX chat_thread_activity ON chat_thread (archived, updated_at_ms, thread_id);

CREATE TABLE chat_turn (
	turn_id TEXT PRIMARY KEY,
	thread_id TEXT NOT NULL REFERENCES chat_thread (thread_id),
	position INTEGER NOT NULL,
	status TEXT NOT NULL CHECK (status IN ('inProgress', 'completed', 'interrupted', 'failed')),
	reason TEXT,
	error TEXT,
	final_text TEXT,
	origin_message_id TEXT,
	git_head_before TEXT,
	git_head_after TEXT,
	started_at_ms INTEGER NOT NULL,
	completed_at_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX chat_turn_position ON chat_turn (thread_id, position);
CREATE UNIQUE INDEX chat_turn_active ON chat_turn (thread_id) WHERE status = 'inProgress';

CREATE TABLE chat_item (
	turn_id TEXT NOT NULL REFERENCES chat_turn (turn_id),
	ordinal INTEGER NOT NULL,
	item_id TEXT NOT NULL,
	open INTEGER NOT NULL,
	json TEXT NOT NULL,
	PRIMARY KEY (turn_id, ordinal)
) STRICT;
CREATE INDEX chat_item_open ON chat_item (turn_id) WHERE open = 1;

CREATE TABLE chat_history (
	thread_id TEXT NOT NULL REFERENCES chat_thread (thread_id),
	position INTEGER NOT NULL,
	turn_id TEXT NOT NULL,
	json TEXT NOT NULL,
	PRIMARY KEY (thread_id, position)
) STRICT;
CREATE INDEX chat_history_turn ON chat_history (turn_id);

CREATE TABLE chat_message (
	message_no INTEGER PRIMARY KEY,
	item_id TEXT NOT NULL UNIQUE,
	thread_id TEXT NOT NULL REFERENCES chat_thread (thread_id),
	turn_id TEXT NOT NULL,
	client_message_id TEXT,
	origin_message_id TEXT,
	from_name TEXT,
	origin_kind TEXT,
	text TEXT NOT NULL,
	delivery TEXT NOT NULL CHECK (delivery IN ('started', 'steered', 'queued')),
	state TEXT NOT NULL CHECK (state IN ('waiting', 'taken')),
	created_at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX chat_message_client ON chat_message (thread_id, client_message_id) WHERE client_message_id IS NOT NULL;
CREATE UNIQUE INDEX chat_message_origin ON chat_message (origin_message_id) WHERE origin_message_id IS NOT NULL;
CREATE INDEX chat_message_waiting ON chat_message (thread_id, message_no) WHERE state = 'waiting';
CREATE INDEX chat_message_turn ON chat_message (turn_id);

CREATE TABLE chat_approval (
	approval_no INTEGER PRIMARY KEY,
	approval_id TEXT NOT NULL UNIQUE,
	thread_id TEXT NOT NULL REFERENCES chat_thread (thread_id),
	turn_id TEXT NOT NULL,
	machine_id TEXT NOT NULL,
	digest TEXT NOT NULL,
	request TEXT NOT NULL,
	status TEXT NOT NULL CHECK (status IN ('pending', 'accepted', 'declined', 'cancelled', 'expired')),
	decision TEXT,
	resolved_by TEXT,
	resolved_reason TEXT,
	requested_at_ms INTEGER NOT NULL,
	resolved_at_ms INTEGER
) STRICT;
CREATE INDEX chat_approval_pending ON chat_approval (thread_id, approval_no) WHERE status = 'pending';
CREATE INDEX chat_approval_turn ON chat_approval (turn_id);

CREATE TABLE chat_effect (
	effect_no INTEGER PRIMARY KEY,
	thread_id TEXT NOT NULL REFERENCES chat_thread (thread_id),
	turn_id TEXT NOT NULL,
	item_id TEXT NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('command', 'patch')),
	state TEXT NOT NULL CHECK (state IN ('intended', 'started', 'done', 'unknown')),
	pid INTEGER,
	start_time TEXT,
	detail TEXT NOT NULL,
	outcome TEXT,
	intended_at_ms INTEGER NOT NULL,
	done_at_ms INTEGER
) STRICT;
CREATE INDEX chat_effect_open ON chat_effect (turn_id) WHERE state IN ('intended', 'started');
`,
};
