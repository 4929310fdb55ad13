import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import { createEmitter } from "#base/emitter.ts";
import type { NewId } from "#base/id.ts";
import type { WeaveMessage } from "#protocol/record.ts";
import type { Publish } from "../gateway/hub.ts";
import { isFinalState } from "../runtime/message-state.ts";
import { outcomeOfTurn } from "../runtime/reply-target.ts";
import { findAgent, listAgents, listThreadAgents, resolveAgent } from "../storage/repository/weave-agent.ts";
import {
	closeSession,
	createSession,
	joinExternal,
	markSeenBy,
	recoverWeave,
	removeMember,
	renameMember,
	sendMessage,
	settleMessages,
} from "../storage/repository/weave-command.ts";
import {
	findMessage,
	findOpenQuestion,
	listMessages,
	type MessageRow,
	toMessage,
} from "../storage/repository/weave-message.ts";
import { resolveSession } from "../storage/repository/weave-session.ts";
import type { Store } from "../storage/store.ts";
import type { FaultPoint, Logger, Telemetry } from "../telemetry/port.ts";
import { createDelivery } from "./delivery.ts";
import type { Bus, ThreadPort, TurnEnd } from "./port.ts";
import { createPublisher } from "./publisher.ts";
import { createRoster, type Roster } from "./roster.ts";

/** A late subscriber of a session's activity gets the newest messages within these bounds. */
const ACTIVITY_MESSAGES = 50;
const ACTIVITY_CHARACTERS = 1024 * 1024;

export interface BusOptions {
	store: Store;
	clock: Clock;
	/** Makes client_message_id values for senders that bring none, so that the store's own retry cannot send twice. */
	newId: NewId;
	publish: Publish;
	threads: ThreadPort;
	telemetry: Telemetry;
	logger: Logger;
	fault: FaultPoint;
}

function newestWithin(rows: readonly MessageRow[]): WeaveMessage[] {
	const messages: WeaveMessage[] = [];
	let characters = 0;
	for (const row of rows) {
		characters += row.text.length + (row.answer?.length ?? 0);
		if (messages.length > 0 && characters > ACTIVITY_CHARACTERS) break;
		messages.push(toMessage(row));
	}
	return messages.reverse();
}

type Mail = Pick<
	Bus,
	"send" | "readMessage" | "listMessages" | "markRead" | "acknowledge" | "answer" | "openQuestion"
>;

function createMail({ store, newId, telemetry, fault }: BusOptions): Mail {
	function find(messageId: string): MessageRow {
		const row = findMessage(store, messageId);
		if (row === undefined) throw new AppError("NOT_FOUND", `There is no message ${messageId}.`);
		return row;
	}

	return {
		async send({ session, to, text, from, client_message_id = newId() }, idempotency) {
			const { message } = await store.write(
				sendMessage,
				{ session, to, text, from, client_message_id },
				{ idempotency },
			);
			fault("bus.after-accept");
			telemetry.count("weave_messages_accepted_total");
			return message;
		},
		readMessage: (messageId) => toMessage(find(messageId)),
		listMessages({ session, agent, limit, before }) {
			const { session_id } = resolveSession(store, session);
			const agent_id = agent === undefined ? undefined : resolveAgent(store, session_id, agent).agent_id;
			const before_no = before === undefined ? undefined : find(before).message_no;
			return listMessages(store, { session_id, agent_id, before_no, limit }).map(toMessage);
		},
		async markRead({ identity, message_ids }) {
			const mine = message_ids.filter((id) => {
				const row = findMessage(store, id);
				return (
					row !== undefined &&
					findAgent(store, row.to_agent_id)?.identity === identity &&
					(row.state === "accepted" || row.state === "delivered")
				);
			});
			await Promise.all(
				mine.map((message_id) =>
					store.write(markSeenBy, { message_id, agent_id: find(message_id).to_agent_id }),
				),
			);
		},
		async acknowledge(input) {
			await store.write(markSeenBy, input);
		},
		async answer({ agent_id, message_id, text }) {
			if (findMessage(store, message_id)?.to_agent_id !== agent_id) return false;
			const state = text.trim() === "" ? ("done" as const) : ("answered" as const);
			const outcome = { state, answer: state === "done" ? null : text, reason: null };
			return (await store.write(settleMessages, { message_ids: [message_id], outcome })) > 0;
		},
		openQuestion({ asker_id, agent_id }) {
			const row = findOpenQuestion(store, asker_id, agent_id);
			return row === undefined ? undefined : toMessage(row);
		},
	};
}

type Membership = Omit<
	Bus,
	keyof Mail | "start" | "threadChanged" | "onThreadAgentChanged" | typeof Symbol.asyncDispose
>;

function createMembership(
	{ store }: BusOptions,
	roster: Roster,
	wake: (agentId: string) => void,
): Membership {
	return {
		listSessions: (options) => roster.sessions(options),
		async createSession(input, idempotency) {
			return roster.session((await store.write(createSession, input, { idempotency })).session);
		},
		async closeSession(input, idempotency) {
			return roster.session((await store.write(closeSession, input, { idempotency })).session);
		},
		listAgents({ session }) {
			const { session_id } = resolveSession(store, session);
			return listAgents(store, session_id).map(roster.agent);
		},
		async renameAgent(input, idempotency) {
			return roster.agent((await store.write(renameMember, input, { idempotency })).agent);
		},
		async removeAgent(input, idempotency) {
			return roster.agent((await store.write(removeMember, input, { idempotency })).agent);
		},
		async joinExternal({ session, agent_id, name }, port) {
			if (roster.members.has(agent_id)) throw new AppError("CONFLICT", `The agent id ${agent_id} is in use.`);
			roster.members.set(agent_id, port);
			try {
				const { agent } = await store.write(joinExternal, { session, agent_id, name });
				wake(agent_id);
				return roster.agent(agent);
			} catch (error) {
				roster.members.delete(agent_id);
				throw error;
			}
		},
		async leaveExternal(agentId) {
			roster.members.delete(agentId);
			const agent = findAgent(store, agentId);
			if (agent?.kind !== "external" || agent.left_at_ms !== null) return;
			await store.write(removeMember, { session: agent.session_id, agent: agentId });
		},
		snapshots: {
			sessions: () => ({ sessions: roster.recentSessions() }),
			agents: () => ({ agents: roster.agents() }),
			activity(sessionId) {
				const { session_id } = roster.requireSession(sessionId);
				return { messages: newestWithin(listMessages(store, { session_id, limit: ACTIVITY_MESSAGES })) };
			},
		},
	};
}

/**
 * The embedded bus. It tells what the store's log says, so changes that others commit (a turn that settles its messages)
 * are told and delivered like its own. Dispose before the store; mail in hand is left for the next start.
 */
export function createBus(options: BusOptions): Bus {
	const { store, publish, threads, telemetry, logger } = options;
	const roster = createRoster(store);
	const threadAgents = createEmitter<string>((error) =>
		logger.error("a listener of the bus failed", { error }),
	);
	const delivery = createDelivery({ ...options, roster });
	const publisher = createPublisher({
		store,
		roster,
		publish,
		onMail: delivery.wake,
		onLeft(agentId, reason) {
			delivery.forget(agentId);
			const member = roster.members.get(agentId);
			roster.members.delete(agentId);
			member?.removed(reason);
		},
		onThreadAgent: (threadId) => threadAgents.emit(threadId),
	});

	async function turnEnded(end: TurnEnd): Promise<void> {
		const open = end.message_ids.filter((id) => {
			const row = findMessage(store, id);
			return row !== undefined && !isFinalState(row.state);
		});
		if (open.length > 0)
			await store.write(settleMessages, { message_ids: open, outcome: outcomeOfTurn(end) });
	}

	const owned = new AsyncDisposableStack();
	owned.use(delivery);
	owned.use(store.onCommitted(publisher.committed));
	owned.use(
		threads.onTurnEnded((end) => {
			turnEnded(end).catch((error: unknown) =>
				logger.error("a turn's messages could not be settled", { turn_id: end.turn_id, error }),
			);
		}),
	);
	owned.use(telemetry.gauge("weave_external_agents", () => roster.members.size));

	return {
		...createMembership(options, roster, delivery.wake),
		...createMail(options),
		async start() {
			const swept = await store.write(recoverWeave, null);
			if (swept.left > 0 || swept.failed > 0) logger.info("weave recovered", swept);
			delivery.start();
		},
		threadChanged(thread) {
			if (!roster.setStatus(thread)) return;
			for (const agent of listThreadAgents(store, thread.thread_id)) publisher.agentChanged(agent.agent_id);
		},
		onThreadAgentChanged: (listener) => threadAgents.on(listener),
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
}
