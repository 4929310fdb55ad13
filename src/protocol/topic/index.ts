import { z } from "zod";
import { chatEventSchema, chatSnapshotSchema } from "../chat-event.ts";
import { defineTopic } from "../define.ts";
import {
	approvalSchema,
	daemonStatusSchema,
	terminalSchema,
	threadSchema,
	weaveAgentSchema,
	weaveMessageSchema,
	weaveSessionSchema,
} from "../record.ts";

/** A state topic's event: the row as it is now, or its removal. */
function stateEvent<Row extends z.ZodType>(row: Row) {
	return z.discriminatedUnion("op", [
		z.looseObject({ op: z.literal("put"), key: z.string(), value: row }),
		z.looseObject({ op: z.literal("remove"), key: z.string() }),
	]);
}

export const daemonState = defineTopic({
	name: "daemon.state",
	summary: "The daemon itself; an event when it starts to stop.",
	scope: "daemon.read",
	coalesce: true,
	snapshot: daemonStatusSchema,
	event: z.looseObject({ state: z.enum(["running", "stopping"]), reason: z.string().nullable() }),
});

export const chatsState = defineTopic({
	name: "chats.state",
	summary: "All threads in use.",
	scope: "chat.read",
	coalesce: true,
	snapshot: z.looseObject({ threads: z.array(threadSchema) }),
	event: stateEvent(threadSchema),
});

export const chatsActivity = defineTopic({
	name: "chats.activity",
	summary: "Everything that happens in one thread.",
	scope: "chat.read",
	parameter: "thread_id",
	coalesce: false,
	snapshot: chatSnapshotSchema,
	event: chatEventSchema,
});

export const approvalsState = defineTopic({
	name: "approvals.state",
	summary: "Approvals that wait, across all threads; an answered one is removed, with the answer in `value`.",
	scope: "chat.read",
	coalesce: true,
	snapshot: z.looseObject({ approvals: z.array(approvalSchema) }),
	event: z.discriminatedUnion("op", [
		z.looseObject({ op: z.literal("put"), key: z.string(), value: approvalSchema }),
		z.looseObject({ op: z.literal("remove"), key: z.string(), value: approvalSchema }),
	]),
});

export const terminalsState = defineTopic({
	name: "terminals.state",
	summary: "Living terminals: size, driver, watchers, exit.",
	scope: "terminal.read",
	coalesce: true,
	snapshot: z.looseObject({ terminals: z.array(terminalSchema) }),
	event: stateEvent(terminalSchema),
});

export const sessionsState = defineTopic({
	name: "sessions.state",
	summary: "Weave sessions with their derived state.",
	scope: "weave.read",
	coalesce: true,
	snapshot: z.looseObject({ sessions: z.array(weaveSessionSchema) }),
	event: stateEvent(weaveSessionSchema),
});

export const agentsState = defineTopic({
	name: "agents.state",
	summary: "Agents of all open sessions.",
	scope: "weave.read",
	coalesce: true,
	snapshot: z.looseObject({ agents: z.array(weaveAgentSchema) }),
	event: stateEvent(weaveAgentSchema),
});

export const sessionsActivity = defineTopic({
	name: "sessions.activity",
	summary: "Messages of one weave session, at each change of their state.",
	scope: "weave.read",
	parameter: "session_id",
	coalesce: false,
	snapshot: z.looseObject({ messages: z.array(weaveMessageSchema) }),
	event: z.looseObject({ message: weaveMessageSchema }),
});

/** Every topic of the hub. */
export const TOPICS = [
	daemonState,
	chatsState,
	chatsActivity,
	approvalsState,
	terminalsState,
	sessionsState,
	agentsState,
	sessionsActivity,
] as const;

export type TopicName = (typeof TOPICS)[number]["name"];
export type TopicByName<Name extends TopicName> = Extract<(typeof TOPICS)[number], { name: Name }>;
export type TopicEvent<Name extends TopicName> = z.output<TopicByName<Name>["event"]>;
export type TopicSnapshot<Name extends TopicName> = z.output<TopicByName<Name>["snapshot"]>;
