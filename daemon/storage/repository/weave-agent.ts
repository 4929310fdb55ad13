import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import { newId } from "#base/id.ts";
import type { Reader, Tx } from "../store.ts";
import { failUndelivered } from "./weave-message.ts";
import { freeVariant, nameKey, parseName, pleasantName } from "./weave-name.ts";
import { findSession, sessionStream } from "./weave-session.ts";

const COLUMNS = "agent_id, session_id, name, kind, thread_id, identity, joined_at_ms, left_at_ms";
const agentRowSchema = z.object({
	agent_id: z.string(),
	session_id: z.string(),
	name: z.string(),
	kind: z.enum(["thread", "external", "person"]),
	thread_id: z.string().nullable(),
	identity: z.string().nullable(),
	joined_at_ms: z.number(),
	left_at_ms: z.number().nullable(),
});
export type AgentRow = z.infer<typeof agentRowSchema>;

interface NewAgent {
	session_id: string;
	/** Null: a free pleasant name is made. */
	name: string | null;
	kind: AgentRow["kind"];
	thread_id: string | null;
	/** External agents bring their own. */
	agent_id?: string;
	/** Persons only: who this is, across connections. */
	identity?: string;
}

function takenIn(reader: Reader, sessionId: string, exceptAgentId = ""): (candidate: string) => boolean {
	return (candidate) =>
		reader.get(
			"SELECT 1 AS one FROM weave_agent WHERE session_id = ? AND name_key = ? AND left_at_ms IS NULL AND agent_id <> ?",
			sessionId,
			nameKey(candidate),
			exceptAgentId,
		) !== undefined;
}

function assertFree(name: string, isTaken: (candidate: string) => boolean): void {
	if (!isTaken(name)) return;
	const proposed = freeVariant(name, isTaken);
	throw new AppError("AGENT_NAME_TAKEN", `The name ${name} is taken in this session; ${proposed} is free.`, {
		data: { name, proposed },
	});
}

/** By id, whether or not it has left. */
export function findAgent(reader: Reader, agentId: string): AgentRow | undefined {
	const row = reader.get(`SELECT ${COLUMNS} FROM weave_agent WHERE agent_id = ?`, agentId);
	return row === undefined ? undefined : agentRowSchema.parse(row);
}

/** By id, else by name in any case. @throws AppError AGENT_NOT_FOUND, also when it has left. */
export function resolveAgent(reader: Reader, sessionId: string, ref: string): AgentRow {
	const row =
		reader.get(
			`SELECT ${COLUMNS} FROM weave_agent WHERE agent_id = ? AND session_id = ? AND left_at_ms IS NULL`,
			ref,
			sessionId,
		) ??
		reader.get(
			`SELECT ${COLUMNS} FROM weave_agent WHERE session_id = ? AND name_key = ? AND left_at_ms IS NULL`,
			sessionId,
			nameKey(ref.trim()),
		);
	if (row === undefined) throw new AppError("AGENT_NOT_FOUND", `There is no agent ${ref} in this session.`);
	return agentRowSchema.parse(row);
}

/** Members of a session in order of joining; of all sessions when `sessionId` is left out. */
export function listAgents(reader: Reader, sessionId?: string): AgentRow[] {
	const rows =
		sessionId === undefined
			? reader.all(
					`SELECT ${COLUMNS} FROM weave_agent WHERE left_at_ms IS NULL ORDER BY joined_at_ms, agent_id`,
				)
			: reader.all(
					`SELECT ${COLUMNS} FROM weave_agent WHERE session_id = ? AND left_at_ms IS NULL ORDER BY joined_at_ms, agent_id`,
					sessionId,
				);
	return rows.map((row) => agentRowSchema.parse(row));
}

/** Memberships of a thread. */
export function listThreadAgents(reader: Reader, threadId: string): AgentRow[] {
	return reader
		.all(`SELECT ${COLUMNS} FROM weave_agent WHERE thread_id = ? AND left_at_ms IS NULL`, threadId)
		.map((row) => agentRowSchema.parse(row));
}

/**
 * Adds a member to a session and logs `agent.joined`; an id that has left may come back, to this or another session.
 * @throws AppError AGENT_NAME_TAKEN with `data.proposed`, a free name; SESSION_NOT_FOUND; CONFLICT when the id is present; INVALID_PARAMS.
 */
export function addAgent(tx: Tx, input: NewAgent): AgentRow {
	const session = findSession(tx, input.session_id);
	if (session?.closed_at_ms !== null)
		throw new AppError("SESSION_NOT_FOUND", `There is no open session ${input.session_id}.`);
	const agentId = input.agent_id ?? newId(tx.nowMs);
	const before = findAgent(tx, agentId);
	if (before !== undefined && (before.left_at_ms === null || before.kind !== input.kind)) {
		throw new AppError("CONFLICT", `The agent id ${agentId} is in use.`);
	}
	const isTaken = takenIn(tx, session.session_id);
	const name = input.name === null ? pleasantName(agentId, isTaken) : parseName(input.name);
	assertFree(name, isTaken);
	const row: AgentRow = {
		agent_id: agentId,
		session_id: session.session_id,
		name,
		kind: input.kind,
		thread_id: input.thread_id,
		identity: input.identity ?? null,
		joined_at_ms: tx.nowMs,
		left_at_ms: null,
	};
	tx.run(
		`INSERT INTO weave_agent (agent_id, session_id, name, name_key, kind, thread_id, identity, joined_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (agent_id) DO UPDATE SET session_id = excluded.session_id, name = excluded.name, name_key = excluded.name_key,
			thread_id = excluded.thread_id, joined_at_ms = excluded.joined_at_ms, left_at_ms = NULL`,
		row.agent_id,
		row.session_id,
		name,
		nameKey(name),
		row.kind,
		row.thread_id,
		row.identity,
		row.joined_at_ms,
	);
	tx.append(sessionStream(row.session_id), "agent.joined", {
		agent_id: agentId,
		name,
		kind: row.kind,
		thread_id: row.thread_id,
	});
	return row;
}

/** The person behind `identity` in a session; joins on first use, under `name` or its next free variant. */
export function ensurePerson(
	tx: Tx,
	input: { session_id: string; identity: string; name: string },
): AgentRow {
	const present = tx.get(
		`SELECT ${COLUMNS} FROM weave_agent WHERE session_id = ? AND identity = ? AND left_at_ms IS NULL`,
		input.session_id,
		input.identity,
	);
	if (present !== undefined) return agentRowSchema.parse(present);
	const name = freeVariant(parseName(input.name), takenIn(tx, input.session_id));
	return addAgent(tx, {
		session_id: input.session_id,
		name,
		kind: "person",
		thread_id: null,
		identity: input.identity,
	});
}

/** Renames a member and logs `agent.updated`. @throws AppError AGENT_NOT_FOUND, AGENT_NAME_TAKEN with `data.proposed`, INVALID_PARAMS. */
export function renameAgent(tx: Tx, input: { agent_id: string; name: string }): AgentRow {
	const agent = findAgent(tx, input.agent_id);
	if (agent?.left_at_ms !== null)
		throw new AppError("AGENT_NOT_FOUND", `There is no agent ${input.agent_id}.`);
	const name = parseName(input.name);
	assertFree(name, takenIn(tx, agent.session_id, agent.agent_id));
	if (name === agent.name) return agent;
	tx.run(
		"UPDATE weave_agent SET name = ?, name_key = ? WHERE agent_id = ?",
		name,
		nameKey(name),
		agent.agent_id,
	);
	tx.append(sessionStream(agent.session_id), "agent.updated", {
		agent_id: agent.agent_id,
		name,
		thread_id: agent.thread_id,
	});
	return { ...agent, name };
}

/**
 * Takes a member out and logs `agent.left`; mail it was never shown fails with `reason`, mail in work is settled by the
 * turn that works on it. A no-op on one that has left. @throws AppError AGENT_NOT_FOUND.
 */
export function removeAgent(tx: Tx, input: { agent_id: string; reason?: string }): AgentRow {
	const agent = findAgent(tx, input.agent_id);
	if (agent === undefined) throw new AppError("AGENT_NOT_FOUND", `There is no agent ${input.agent_id}.`);
	if (agent.left_at_ms !== null) return agent;
	const reason = input.reason ?? "agent_left";
	tx.run("UPDATE weave_agent SET left_at_ms = ? WHERE agent_id = ?", tx.nowMs, agent.agent_id);
	tx.append(sessionStream(agent.session_id), "agent.left", {
		agent_id: agent.agent_id,
		thread_id: agent.thread_id,
		reason,
	});
	failUndelivered(tx, agent, reason);
	return { ...agent, left_at_ms: tx.nowMs };
}
