import { z } from "zod";
import { defineMethod } from "../define.ts";
import { weaveAgentSchema, weaveMessageSchema, weaveSessionSchema } from "../record.ts";

/** An id or a name; a session left out is the default one. */
const session = z.string().min(1).max(100).optional();
const agent = z.string().min(1).max(100);

export const weaveSessionList = defineMethod({
	name: "weave.session.list",
	summary: "Lists weave sessions.",
	scope: "weave.read",
	params: z.strictObject({ closed: z.boolean().default(false) }),
	result: z.looseObject({ sessions: z.array(weaveSessionSchema) }),
	errors: [],
	mutates: false,
});

export const weaveSessionCreate = defineMethod({
	name: "weave.session.create",
	summary: "Creates a weave session.",
	scope: "weave.write",
	params: z.strictObject({ name: z.string().min(1).max(100) }),
	result: z.looseObject({ session: weaveSessionSchema }),
	errors: ["CONFLICT"],
	mutates: true,
});

export const weaveSessionClose = defineMethod({
	name: "weave.session.close",
	summary:
		"Closes a weave session: its agents leave, undelivered mail becomes dead letters. The default session cannot be closed.",
	scope: "weave.write",
	params: z.strictObject({ session: z.string().min(1).max(100) }),
	result: z.looseObject({ session: weaveSessionSchema }),
	errors: ["SESSION_NOT_FOUND", "CONFLICT"],
	mutates: true,
});

export const weaveAgentList = defineMethod({
	name: "weave.agent.list",
	summary: "Lists the agents of a session.",
	scope: "weave.read",
	params: z.strictObject({ session }),
	result: z.looseObject({ agents: z.array(weaveAgentSchema) }),
	errors: ["SESSION_NOT_FOUND"],
	mutates: false,
});

export const weaveAgentRename = defineMethod({
	name: "weave.agent.rename",
	summary: "Renames an agent; names are unique in a session, ignoring case.",
	scope: "weave.write",
	params: z.strictObject({ session, agent, name: z.string().min(1).max(64) }),
	result: z.looseObject({ agent: weaveAgentSchema }),
	errors: ["SESSION_NOT_FOUND", "AGENT_NOT_FOUND", "AGENT_NAME_TAKEN"],
	mutates: true,
});

export const weaveAgentRemove = defineMethod({
	name: "weave.agent.remove",
	summary: "Takes an agent out of a session; its undelivered mail becomes dead letters.",
	scope: "weave.write",
	params: z.strictObject({ session, agent }),
	result: z.looseObject({ agent: weaveAgentSchema }),
	errors: ["SESSION_NOT_FOUND", "AGENT_NOT_FOUND"],
	mutates: true,
});

export const weaveMessageSend = defineMethod({
	name: "weave.message.send",
	summary: "Sends a message to an agent; the ack means it is stored in its mailbox.",
	scope: "weave.write",
	params: z.strictObject({
		session,
		to: agent,
		text: z
			.string()
			.min(1)
			.max(1024 * 1024),
		/** Who sends: an agent of the session; left out, the person at this client. */
		from: agent.optional(),
		client_message_id: z.string().min(1).max(200).optional(),
	}),
	result: z.looseObject({ message: weaveMessageSchema }),
	errors: ["SESSION_NOT_FOUND", "AGENT_NOT_FOUND", "MAILBOX_FULL", "CONFLICT"],
	mutates: true,
});

export const weaveMessageRead = defineMethod({
	name: "weave.message.read",
	summary: "Reads a message with its state and answer.",
	scope: "weave.read",
	params: z.strictObject({ message_id: z.string().min(1).max(100) }),
	result: z.looseObject({ message: weaveMessageSchema }),
	errors: ["NOT_FOUND"],
	mutates: false,
});

export const weaveMessageList = defineMethod({
	name: "weave.message.list",
	summary: "Lists messages of a session, or of one agent's mailbox, newest first.",
	scope: "weave.read",
	params: z.strictObject({
		session,
		agent: agent.optional(),
		limit: z.int().min(1).max(1000).default(100),
		/** Message id to page back from. */
		before: z.string().max(100).optional(),
	}),
	result: z.looseObject({ messages: z.array(weaveMessageSchema) }),
	errors: ["SESSION_NOT_FOUND", "AGENT_NOT_FOUND"],
	mutates: false,
});

export const weaveMethods = [
	weaveSessionList,
	weaveSessionCreate,
	weaveSessionClose,
	weaveAgentList,
	weaveAgentRename,
	weaveAgentRemove,
	weaveMessageSend,
	weaveMessageRead,
	weaveMessageList,
] as const;
