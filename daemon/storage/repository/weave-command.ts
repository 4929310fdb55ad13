import { AppError } from "#base/app-error.ts";
import type { WeaveMessage } from "#protocol/record.ts";
import type { Outcome } from "../../runtime/reply-target.ts";
import { defineWrite, type Tx, type WriteCommand } from "../store.ts";
import { findTurn } from "./chat-turn.ts";
import {
	type AgentRow,
	addAgent,
	ensurePerson,
	findAgent,
	listAgents,
	removeAgent,
	renameAgent,
	resolveAgent,
} from "./weave-agent.ts";
import {
	assertRoom,
	findClientMessage,
	insertMessage,
	listOpenMessages,
	type MessageRow,
	markMessageDelivered,
	markMessageSeen,
	settleMessage,
	toMessage,
} from "./weave-message.ts";
import {
	addSession,
	assertClosable,
	markSessionClosed,
	resolveSession,
	type SessionRow,
} from "./weave-session.ts";

/** References are ids or names; a session left out is the default one. */
interface AgentRef {
	session?: string | undefined;
	agent: string;
}

export const createSession = defineWrite(
	"weave.session.create",
	(tx, args: { name: string | null }): { session: SessionRow } => ({
		session: addSession(tx, args),
	}),
);

export const closeSession = defineWrite(
	"weave.session.close",
	(tx, args: { session: string }): { session: SessionRow } => {
		const session = resolveSession(tx, args.session);
		assertClosable(session);
		for (const agent of listAgents(tx, session.session_id))
			removeAgent(tx, { agent_id: agent.agent_id, reason: "session_closed" });
		return { session: markSessionClosed(tx, session) };
	},
);

export const joinExternal = defineWrite(
	"weave.agent.join",
	(tx, args: { session: string | undefined; agent_id: string; name: string | null }): { agent: AgentRow } => {
		const session = resolveSession(tx, args.session);
		const { agent_id, name } = args;
		return {
			agent: addAgent(tx, {
				session_id: session.session_id,
				name,
				kind: "external",
				thread_id: null,
				agent_id,
			}),
		};
	},
);

function refOf(tx: Tx, ref: AgentRef): AgentRow {
	return resolveAgent(tx, resolveSession(tx, ref.session).session_id, ref.agent);
}

export const renameMember = defineWrite(
	"weave.agent.rename",
	(tx, args: AgentRef & { name: string }): { agent: AgentRow } => ({
		agent: renameAgent(tx, { agent_id: refOf(tx, args).agent_id, name: args.name }),
	}),
);

export const removeMember = defineWrite("weave.agent.remove", (tx, args: AgentRef): { agent: AgentRow } => ({
	agent: removeAgent(tx, { agent_id: refOf(tx, args).agent_id }),
}));

export interface SendArgs {
	session?: string | undefined;
	to: string;
	text: string;
	/** An agent of the session, or the person behind an identity, who joins by sending. */
	from: { agent: string } | { identity: string; name: string };
	client_message_id?: string | undefined;
}

function sameRequest(first: WeaveMessage, args: SendArgs, target: string | undefined): boolean {
	return first.text === args.text && (target === undefined || first.to_agent_id === target);
}

function repeated(tx: Tx, sender: AgentRow, args: SendArgs): WeaveMessage | undefined {
	if (args.client_message_id === undefined) return undefined;
	const first = findClientMessage(tx, sender.agent_id, args.client_message_id);
	if (first === undefined) return undefined;
	const target = listAgents(tx, sender.session_id).find((agent) => agent.agent_id === args.to)?.agent_id;
	if (sameRequest(first, args, target)) return toMessage(first);
	throw new AppError("CONFLICT", "That client_message_id was used for another message.");
}

/** A retry with the same client_message_id gives the message of the first time. */
export const sendMessage = defineWrite(
	"weave.message.send",
	(tx, args: SendArgs): { message: WeaveMessage } => {
		const { session_id } = resolveSession(tx, args.session);
		const sender =
			"agent" in args.from
				? resolveAgent(tx, session_id, args.from.agent)
				: ensurePerson(tx, { session_id, ...args.from });
		const first = repeated(tx, sender, args);
		if (first !== undefined) return { message: first };
		const target = resolveAgent(tx, session_id, args.to);
		if (target.agent_id === sender.agent_id)
			throw new AppError("CONFLICT", "An agent cannot send to itself.");
		assertRoom(tx, target);
		const { text, client_message_id } = args;
		return {
			message: insertMessage(tx, {
				session_id,
				from: sender,
				to: target,
				kind: "user",
				text,
				client_message_id,
			}),
		};
	},
);

export const markDelivered = defineWrite(
	"weave.message.delivered",
	(tx, args: { message_id: string }): boolean => markMessageDelivered(tx, args.message_id),
);

/** `agent_id` must be the one it was sent to. */
export const markSeenBy = defineWrite(
	"weave.message.seen",
	(tx, args: { message_id: string; agent_id: string }): boolean => {
		const addressed = tx.get(
			"SELECT 1 AS one FROM weave_message WHERE message_id = ? AND to_agent_id = ?",
			args.message_id,
			args.agent_id,
		);
		return addressed !== undefined && markMessageSeen(tx, args.message_id, null);
	},
);

export const settleMessages = defineWrite(
	"weave.message.settle",
	(tx, args: { message_ids: readonly string[]; outcome: Outcome }): number => {
		let settled = 0;
		for (const message_id of args.message_ids)
			if (settleMessage(tx, { message_id, ...args.outcome })) settled += 1;
		return settled;
	},
);

/** True for mail that a thread took up and no running turn will settle. */
function isStranded(tx: Tx, row: MessageRow): boolean {
	if (row.state !== "seen" || findAgent(tx, row.to_agent_id)?.kind !== "thread") return false;
	return row.turn_id === null || findTurn(tx, row.turn_id)?.status !== "inProgress";
}

/**
 * The sweep after a start, behind the threads' own: programs outside the daemon have lost their connection and so have
 * left; mail that a turn had taken up and that no turn works on failed with it. What was accepted or handed over unseen
 * stays and is delivered.
 */
export const recoverWeave = defineWrite("weave.recover", (tx): { left: number; failed: number } => {
	let left = 0;
	for (const agent of listAgents(tx)) {
		if (agent.kind !== "external") continue;
		removeAgent(tx, { agent_id: agent.agent_id, reason: "daemon_restarted" });
		left += 1;
	}
	let failed = 0;
	for (const row of listOpenMessages(tx)) {
		if (!isStranded(tx, row)) continue;
		if (
			settleMessage(tx, { message_id: row.message_id, state: "failed", answer: null, reason: "interrupted" })
		)
			failed += 1;
	}
	return { left, failed };
});

/** Every write of the weave aggregate, for the writer thread's table. */
export const WEAVE_COMMANDS = [
	createSession,
	closeSession,
	joinExternal,
	renameMember,
	removeMember,
	sendMessage,
	markDelivered,
	markSeenBy,
	settleMessages,
	recoverWeave,
] as const satisfies readonly WriteCommand<never, unknown>[];
