import { AppError } from "#base/app-error.ts";
import type { Thread, WeaveAgent, WeaveSession } from "#protocol/record.ts";
import { deriveSessionState } from "../runtime/session-state.ts";
import { type AgentRow, listAgents } from "../storage/repository/weave-agent.ts";
import { mailboxLength } from "../storage/repository/weave-message.ts";
import { findSession, listSessions, type SessionRow } from "../storage/repository/weave-session.ts";
import type { Reader } from "../storage/store.ts";
import type { MemberPort } from "./port.ts";

/** Closed sessions that the state topic still shows, newest first. */
const CLOSED_SHOWN = 20;

/** What only this process knows of agents - lines and statuses - and the records made of it and the store. */
export interface Roster {
	readonly members: Map<string, MemberPort>;
	/** True when the status is news. */
	setStatus(thread: Pick<Thread, "thread_id" | "status">): boolean;
	readonly agent: (row: AgentRow) => WeaveAgent;
	session(row: SessionRow): WeaveSession;
	/** All agents of open sessions. */
	agents(): WeaveAgent[];
	sessions(options: { closed: boolean }): WeaveSession[];
	/** Open ones and those that closed last. */
	recentSessions(): WeaveSession[];
	/** @throws AppError SESSION_NOT_FOUND; closed ones are found. */
	requireSession(sessionId: string): SessionRow;
}

export function createRoster(store: Reader): Roster {
	const members = new Map<string, MemberPort>();
	const statuses = new Map<string, Thread["status"]>();

	function statusOf(row: AgentRow): Thread["status"] {
		return row.thread_id === null ? "idle" : (statuses.get(row.thread_id) ?? "idle");
	}

	function agent(row: AgentRow): WeaveAgent {
		return {
			agent_id: row.agent_id,
			session_id: row.session_id,
			name: row.name,
			kind: row.kind,
			thread_id: row.thread_id,
			connected: row.left_at_ms === null && (row.kind !== "external" || members.has(row.agent_id)),
			status: statusOf(row),
			mailbox_length: mailboxLength(store, row.agent_id),
			joined_at_ms: row.joined_at_ms,
		};
	}

	function session(row: SessionRow): WeaveSession {
		const closed = row.closed_at_ms !== null;
		const present = closed ? [] : listAgents(store, row.session_id);
		return {
			session_id: row.session_id,
			name: row.name,
			state: deriveSessionState({ closed, statuses: present.map(statusOf) }),
			created_at_ms: row.created_at_ms,
			agent_count: present.length,
		};
	}

	return {
		members,
		setStatus({ thread_id, status }) {
			if ((statuses.get(thread_id) ?? "idle") === status) return false;
			if (status === "idle") statuses.delete(thread_id);
			else statuses.set(thread_id, status);
			return true;
		},
		agent,
		session,
		agents: () => listAgents(store).map(agent),
		sessions: (options) => listSessions(store, options).map(session),
		recentSessions() {
			const all = listSessions(store, { closed: true });
			const closed = all
				.filter((row) => row.closed_at_ms !== null)
				.sort((a, b) => (b.closed_at_ms ?? 0) - (a.closed_at_ms ?? 0))
				.slice(0, CLOSED_SHOWN);
			return [...all.filter((row) => row.closed_at_ms === null), ...closed].map(session);
		},
		requireSession(sessionId) {
			const row = findSession(store, sessionId);
			if (row === undefined) throw new AppError("SESSION_NOT_FOUND", `There is no session ${sessionId}.`);
			return row;
		},
	};
}
