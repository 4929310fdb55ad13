import type { Migration } from "../store.ts";

/**
 * Sessions, their agents and the agents' mail. `name_key` is the name as compared (Unicode, case folded). `message_no`
 * is the order of acceptance and so of delivery. One reply per message is a rule of the database, not of a program.
 */
export const weave: Migration = {
	version: 3,
	name: "weave",
	sql: `
CREATE TABLE weave_session (
	session_id TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	name_key TEXT NOT NULL,
	machine_id TEXT NOT NULL DEFAULT 'local',
	created_at_ms INTEGER NOT NULL,
	closed_at_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX weave_session_name ON weave_session (name_key) WHERE closed_at_ms IS NULL;
INSERT INTO weave_session (session_id, name, name_key, created_at_ms) VALUES ('default', 'default', 'default', 0);

CREATE TABLE weave_agent (
	agent_id TEXT PRIMARY KEY,
	session_id TEXT NOT NULL REFERENCES weave_session (session_id),
	name TEXT NOT NULL,
	name_key TEXT NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('thread', 'external', 'person')),
	thread_id TEXT,
	identity TEXT,
	joined_at_ms INTEGER NOT NULL,
	left_at_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX weave_agent_name ON weave_agent (session_id, name_key) WHERE left_at_ms IS NULL;
CREATE UNIQUE INDEX weave_agent_identity ON weave_agent (session_id, identity) WHERE left_at_ms IS NULL AND identity IS NOT NULL;
CREATE INDEX weave_agent_thread ON weave_agent (thread_id) WHERE thread_id IS NOT NULL;

CREATE TABLE weave_message (
	message_no INTEGER PRIMARY KEY,
	message_id TEXT NOT NULL UNIQUE,
	session_id TEXT NOT NULL REFERENCES weave_session (session_id),
	from_agent_id TEXT NOT NULL REFERENCES weave_agent (agent_id),
	from_name TEXT NOT NULL,
	to_agent_id TEXT NOT NULL REFERENCES weave_agent (agent_id),
	to_name TEXT NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('user', 'reply', 'control', 'system')),
	text TEXT NOT NULL,
	in_reply_to TEXT,
	client_message_id TEXT,
	turn_id TEXT,
	state TEXT NOT NULL CHECK (state IN ('accepted', 'delivered', 'seen', 'answered', 'done', 'failed', 'dropped')),
	reason TEXT,
	answer TEXT,
	created_at_ms INTEGER NOT NULL,
	updated_at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX weave_message_client ON weave_message (from_agent_id, client_message_id) WHERE client_message_id IS NOT NULL;
CREATE UNIQUE INDEX weave_message_reply ON weave_message (in_reply_to) WHERE kind = 'reply';
CREATE INDEX weave_message_mailbox ON weave_message (to_agent_id, message_no) WHERE state IN ('accepted', 'delivered');
CREATE INDEX weave_message_open ON weave_message (message_no) WHERE state IN ('accepted', 'delivered', 'seen');
CREATE INDEX weave_message_session ON weave_message (session_id, message_no);
CREATE INDEX weave_message_agent ON weave_message (to_agent_id, message_no);
`,
};
