import type { Bus } from "../../bus/port.ts";
import type { CallContext, Handlers } from "../../gateway/handler.ts";

type WeaveMethod =
	| "weave.session.list"
	| "weave.session.create"
	| "weave.session.close"
	| "weave.agent.list"
	| "weave.agent.rename"
	| "weave.agent.remove"
	| "weave.message.send"
	| "weave.message.read"
	| "weave.message.list";

/** What a person is called in a session until somebody renames them. */
const PERSON_NAME = "you";

/** All clients of one identity are one person. */
function personOf({ caller }: CallContext): { identity: string; name: string } {
	return { identity: caller.identity, name: PERSON_NAME };
}

/** Handlers of `weave.*`: parameters were checked, refusals are the bus's. */
export function createWeaveHandlers({ bus }: { bus: Bus }): Handlers<WeaveMethod> {
	return {
		"weave.session.list": ({ closed }) => ({ sessions: bus.listSessions({ closed }) }),
		"weave.session.create": async ({ name }, { idempotency }) => ({
			session: await bus.createSession({ name }, idempotency),
		}),
		"weave.session.close": async ({ session }, { idempotency }) => ({
			session: await bus.closeSession({ session }, idempotency),
		}),
		"weave.agent.list": ({ session }) => ({ agents: bus.listAgents({ session }) }),
		"weave.agent.rename": async (params, { idempotency }) => ({
			agent: await bus.renameAgent(params, idempotency),
		}),
		"weave.agent.remove": async (params, { idempotency }) => ({
			agent: await bus.removeAgent(params, idempotency),
		}),
		"weave.message.send": async ({ from, ...request }, context) => {
			const sender = from === undefined ? personOf(context) : { agent: from };
			return { message: await bus.send({ ...request, from: sender }, context.idempotency) };
		},
		"weave.message.read": ({ message_id }) => ({ message: bus.readMessage(message_id) }),
		"weave.message.list": async (query, context) => {
			const messages = bus.listMessages(query);
			// Who looks into their own mailbox has seen what is in it.
			if (
				query.agent !== undefined &&
				context.allows("weave.write", query.session === undefined ? "*" : `session:${query.session}`)
			) {
				const { identity } = personOf(context);
				await bus.markRead({ identity, message_ids: messages.map((message) => message.message_id) });
			}
			return { messages };
		},
	};
}
