import type { Migration } from "../store.ts";

/**
 * Terminals as remembered; the pty-host holds the truth about the living. `starting` is the intent, written before the
 * host is asked. A name is unique among the living of a machine.
 */
export const terminal: Migration = {
	version: 4,
	name: "terminal",
	sql: `
CREATE TABLE terminal (
	terminal_id TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	argv TEXT NOT NULL,
	cwd TEXT NOT NULL,
	env TEXT NOT NULL,
	cols INTEGER NOT NULL,
	rows INTEGER NOT NULL,
	machine_id TEXT NOT NULL,
	created_by TEXT NOT NULL,
	created_at_ms INTEGER NOT NULL,
	status TEXT NOT NULL CHECK (status IN ('starting', 'running', 'exited', 'lost')),
	exit_code INTEGER,
	signal INTEGER,
	title TEXT,
	reason TEXT,
	ended_at_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX terminal_name ON terminal (machine_id, name) WHERE status IN ('starting', 'running');
CREATE INDEX terminal_created ON terminal (created_at_ms);
`,
};
