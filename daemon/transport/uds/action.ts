import { z } from "zod";
import type { WeaveEnvelope } from "#protocol/weave/envelope.ts";
import type { Bus } from "../../bus/port.ts";
import { parsePayload } from "./payload.ts";
import { WireError } from "./wire.ts";

const messageAction = z.looseObject({
	type: z.string(),
	dst: z.string().min(1).max(100),
	action_id: z.string().optional(),
	action_index: z.number().optional(),
	text: z.string(),
	kind: z.string().optional(),
});
type MessageAction = z.infer<typeof messageAction>;

const submitPayload = z.looseObject({
	group_id: z.string().optional(),
	context: z.looseObject({ parent_message_id: z.string().optional() }).nullish(),
	actions: z
		.array(z.looseObject({ type: z.string() }))
		.min(1)
		.max(100),
});

interface Submission {
	readonly envelope: WeaveEnvelope;
	readonly session: string;
	/** The agent that submits. */
	readonly self: string;
}

/** The question that a reply answers: the one it names, else the newest from that asker that is open. */
function questionOf(
	{ session, self }: Submission,
	action: MessageAction,
	parentId: string | undefined,
	bus: Bus,
): string {
	const wanted = action.dst.toLowerCase();
	const asker = bus
		.listAgents({ session })
		.find((agent) => agent.agent_id === action.dst || agent.name.toLowerCase() === wanted);
	const found =
		asker === undefined ? undefined : bus.openQuestion({ asker_id: asker.agent_id, agent_id: self });
	const messageId = parentId ?? found?.message_id;
	if (messageId === undefined)
		throw new WireError("no_open_question", `Nothing from ${action.dst} waits for an answer.`);
	return messageId;
}

async function perform(
	submission: Submission,
	action: MessageAction,
	context: { key: string; parentId: string | undefined },
	bus: Bus,
): Promise<unknown> {
	const { session, self } = submission;
	if (action.kind === "reply") {
		const message_id = questionOf(submission, action, context.parentId, bus);
		if (!(await bus.answer({ agent_id: self, message_id, text: action.text }))) {
			throw new WireError(
				"no_open_question",
				`The message ${message_id} waits for no answer from this agent.`,
			);
		}
		return { action_id: action.action_id, message_id, state: bus.readMessage(message_id).state };
	}
	const message = await bus.send({
		session,
		to: action.dst,
		text: action.text,
		from: { agent: self },
		client_message_id: context.key,
	});
	return { action_id: action.action_id, message_id: message.message_id, state: message.state };
}

/**
 * Sends the message actions of a group, in order; a repeated submission with the same key sends nothing twice. Groups
 * with other actions are refused as a whole, before anything is sent.
 */
export async function submitActions(submission: Submission, bus: Bus): Promise<{ payload: unknown }> {
	const { envelope } = submission;
	const { group_id, context, actions } = parsePayload(submitPayload, envelope.payload);
	const other = actions.find((action) => action.type !== "message");
	if (other !== undefined)
		throw new WireError(
			"unsupported_operation",
			`Actions of type ${other.type.slice(0, 100)} are not supported.`,
		);
	const messages = actions.map((action) => parsePayload(messageAction, action));
	const blank = messages.find((action) => action.text.trim() === "" && action.kind !== "reply");
	if (blank !== undefined) throw new WireError("invalid_payload", "A message has no text.");
	const group = envelope.idempotency_key ?? group_id ?? envelope.id;
	const results: unknown[] = [];
	for (const [position, action] of messages.entries()) {
		const key = `${group}:${action.action_index ?? position}`.slice(-200);
		results.push(await perform(submission, action, { key, parentId: context?.parent_message_id }, bus));
	}
	return { payload: { group_id: group, actions: results } };
}
