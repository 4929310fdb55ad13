import { z } from "zod";
import { messageStateSchema, type WeaveMessage, weaveMessageSchema } from "#protocol/record.ts";
import type { Publish } from "../gateway/hub.ts";
import { findAgent } from "../storage/repository/weave-agent.ts";
import { findMessage, toMessage } from "../storage/repository/weave-message.ts";
import { findSession, sessionStream } from "../storage/repository/weave-session.ts";
import type { LogEvent, Reader } from "../storage/store.ts";
import type { Roster } from "./roster.ts";

const STREAM_PREFIX = sessionStream("");

const acceptedSchema = z.object({ message: weaveMessageSchema });
const changeSchema = z.object({
	message_id: z.string(),
	to_agent_id: z.string(),
	state: messageStateSchema,
	reason: z.string().nullable(),
	answer: z.string().nullable(),
});
const agentEventSchema = z.object({
	agent_id: z.string(),
	thread_id: z.string().nullable().optional(),
	reason: z.string().optional(),
});

interface PublisherOptions {
	store: Reader;
	roster: Roster;
	publish: Publish;
	/** Mail arrived for this agent. */
	onMail: (agentId: string) => void;
	onLeft: (agentId: string, reason: string) => void;
	onThreadAgent: (threadId: string) => void;
}

/**
 * Turns what was committed on session streams into topic events and wake-ups, whoever committed it: the log is the one
 * source, so nothing is told that is not on disk. State topics are told once per commit.
 */
export function createPublisher({
	store,
	roster,
	publish,
	onMail,
	onLeft,
	onThreadAgent,
}: PublisherOptions): {
	committed: (events: readonly LogEvent[]) => void;
	agentChanged(agentId: string): void;
} {
	function publishAgent(agentId: string): void {
		const row = findAgent(store, agentId);
		if (row === undefined) return;
		if (row.left_at_ms === null)
			publish("agents.state", { op: "put", key: agentId, value: roster.agent(row) }, { key: agentId });
		else publish("agents.state", { op: "remove", key: agentId }, { key: agentId });
	}

	function publishSession(sessionId: string): void {
		const row = findSession(store, sessionId);
		if (row !== undefined)
			publish(
				"sessions.state",
				{ op: "put", key: sessionId, value: roster.session(row) },
				{ key: sessionId },
			);
	}

	function publishMessage(message: WeaveMessage): void {
		publish("sessions.activity", { message }, { parameter: message.session_id });
	}

	/** A commit may hold several changes of one message: each is told with the state it made, not with the last one. */
	function messageAt(event: LogEvent): WeaveMessage | undefined {
		const change = changeSchema.parse(event.payload);
		const row = findMessage(store, change.message_id);
		if (row === undefined) return undefined;
		const { state, reason, answer } = change;
		return { ...toMessage(row), state, reason, answer, updated_at_ms: event.at_ms };
	}

	function onMessage(event: LogEvent, dirty: Set<string>): void {
		const accepted = event.type === "message.accepted";
		const message = accepted ? acceptedSchema.parse(event.payload).message : messageAt(event);
		if (message === undefined) return;
		publishMessage(message);
		dirty.add(message.to_agent_id);
		if (accepted) onMail(message.to_agent_id);
	}

	function onAgent(event: LogEvent, dirty: Set<string>): void {
		const { agent_id, thread_id, reason } = agentEventSchema.parse(event.payload);
		dirty.add(agent_id);
		if (event.type === "agent.left") onLeft(agent_id, reason ?? "agent_left");
		if (thread_id) onThreadAgent(thread_id);
	}

	return {
		committed(events) {
			const agents = new Set<string>();
			const sessions = new Set<string>();
			for (const event of events) {
				if (!event.stream.startsWith(STREAM_PREFIX)) continue;
				if (event.type.startsWith("message.")) {
					onMessage(event, agents);
					continue;
				}
				sessions.add(event.stream.slice(STREAM_PREFIX.length));
				if (event.type.startsWith("agent.")) onAgent(event, agents);
			}
			for (const agentId of agents) publishAgent(agentId);
			for (const sessionId of sessions) publishSession(sessionId);
		},
		agentChanged(agentId) {
			const row = findAgent(store, agentId);
			if (row === undefined) return;
			publishAgent(agentId);
			publishSession(row.session_id);
		},
	};
}
