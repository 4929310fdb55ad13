import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import { newId } from "#base/id.ts";
import type { Reader, Tx } from "../store.ts";
import { freeVariant, nameKey, parseName } from "./weave-name.ts";

/** The session that always exists and that a call without a session means. */
export const DEFAULT_SESSION_ID = "default";

const COLUMNS = "session_id, name, created_at_ms, closed_at_ms";
const sessionRowSchema = z.object({
	session_id: z.string(),
	name: z.string(),
	created_at_ms: z.number(),
	closed_at_ms: z.number().nullable(),
});
export type SessionRow = z.infer<typeof sessionRowSchema>;

/** Event-log stream of a session. */
export function sessionStream(sessionId: string): string {
	return `session:${sessionId}`;
}

/** By id. */
export function findSession(reader: Reader, sessionId: string): SessionRow | undefined {
	const row = reader.get(`SELECT ${COLUMNS} FROM weave_session WHERE session_id = ?`, sessionId);
	return row === undefined ? undefined : sessionRowSchema.parse(row);
}

/** By id, else by name among the open ones; left out, the default. @throws AppError SESSION_NOT_FOUND, also when closed. */
export function resolveSession(reader: Reader, ref: string = DEFAULT_SESSION_ID): SessionRow {
	const byId = findSession(reader, ref);
	if (byId?.closed_at_ms === null) return byId;
	const row = reader.get(
		`SELECT ${COLUMNS} FROM weave_session WHERE name_key = ? AND closed_at_ms IS NULL`,
		nameKey(ref),
	);
	if (row === undefined) throw new AppError("SESSION_NOT_FOUND", `There is no open session ${ref}.`);
	return sessionRowSchema.parse(row);
}

/** In order of creation, the default first. */
export function listSessions(reader: Reader, options: { closed: boolean }): SessionRow[] {
	const filter = options.closed ? "" : "WHERE closed_at_ms IS NULL";
	return reader
		.all(`SELECT ${COLUMNS} FROM weave_session ${filter} ORDER BY created_at_ms, session_id`)
		.map((row) => sessionRowSchema.parse(row));
}

/** A null name makes one. @throws AppError CONFLICT when an open session has that name; INVALID_PARAMS. */
export function addSession(tx: Tx, input: { name: string | null }): SessionRow {
	function isTaken(candidate: string): boolean {
		return (
			tx.get(
				"SELECT 1 AS one FROM weave_session WHERE name_key = ? AND closed_at_ms IS NULL",
				nameKey(candidate),
			) !== undefined
		);
	}
	const name = input.name === null ? freeVariant("session", isTaken) : parseName(input.name);
	if (isTaken(name)) throw new AppError("CONFLICT", `There is an open session named ${name} already.`);
	const row: SessionRow = { session_id: newId(tx.nowMs), name, created_at_ms: tx.nowMs, closed_at_ms: null };
	tx.run(
		"INSERT INTO weave_session (session_id, name, name_key, created_at_ms) VALUES (?, ?, ?, ?)",
		row.session_id,
		name,
		nameKey(name),
		row.created_at_ms,
	);
	tx.append(sessionStream(row.session_id), "session.created", { session_id: row.session_id, name });
	return row;
}

/** @throws AppError CONFLICT for the default session. */
export function assertClosable(session: SessionRow): void {
	if (session.session_id === DEFAULT_SESSION_ID)
		throw new AppError("CONFLICT", "The default session cannot be closed.");
}

/** Marks it closed; the caller takes its agents out first. */
export function markSessionClosed(tx: Tx, session: SessionRow): SessionRow {
	tx.run("UPDATE weave_session SET closed_at_ms = ? WHERE session_id = ?", tx.nowMs, session.session_id);
	tx.append(sessionStream(session.session_id), "session.closed", { session_id: session.session_id });
	return { ...session, closed_at_ms: tx.nowMs };
}
