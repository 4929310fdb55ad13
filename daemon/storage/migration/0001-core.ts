import type { Migration } from "../store.ts";

/**
 * The ground every aggregate stands on: event log, stream counters, idempotency, audit chain, key-value.
 * `log_id` is AUTOINCREMENT because SSE clients resume from it: a number is never given twice, even if rows are deleted.
 */
export const core: Migration = {
	version: 1,
	name: "core",
	sql: `
CREATE TABLE event_log (
	log_id INTEGER PRIMARY KEY AUTOINCREMENT,
	stream TEXT NOT NULL,
	seq INTEGER NOT NULL,
	type TEXT NOT NULL,
	payload TEXT NOT NULL,
	at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_log_stream_seq ON event_log (stream, seq);

CREATE TABLE stream_counter (
	stream TEXT PRIMARY KEY,
	seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
	identity TEXT NOT NULL,
	method TEXT NOT NULL,
	key TEXT NOT NULL,
	digest TEXT NOT NULL,
	result TEXT,
	at_ms INTEGER NOT NULL,
	PRIMARY KEY (identity, method, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency (at_ms);

CREATE TABLE audit (
	audit_id INTEGER PRIMARY KEY AUTOINCREMENT,
	at_ms INTEGER NOT NULL,
	actor TEXT NOT NULL,
	client TEXT NOT NULL,
	machine_id TEXT NOT NULL,
	action TEXT NOT NULL,
	detail TEXT NOT NULL,
	decision TEXT,
	decided_by TEXT,
	previous_hash TEXT NOT NULL,
	hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;

CREATE TABLE meta (
	key TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`,
};
