import { z } from "zod";
import type { WeaveEnvelope } from "#protocol/weave/envelope.ts";
import type { Bus, MemberPort } from "../../bus/port.ts";
import { submitActions } from "./action.ts";
import { parsePayload } from "./payload.ts";
import { COORDINATOR, WireError } from "./wire.ts";

/** What a connection is to its operations. */
export interface Seat {
	/** The agent that joined on this connection, or asks to. */
	agentId: string | undefined;
	/** A join under way; never rejects. */
	joining: Promise<void> | undefined;
	readonly port: MemberPort;
}

export interface Answer {
	readonly session?: string;
	readonly payload?: unknown;
}

/** Undefined: nothing is answered. */
type Operation = (
	envelope: WeaveEnvelope,
	seat: Seat,
	bus: Bus,
) => Promise<Answer | undefined> | Answer | undefined;

const createPayload = z.looseObject({ name: z.string().nullish() }).nullish();
/** Ids are printed by tools; `coordinator` is the bus's own. */
const memberId = z
	.string()
	.max(100)
	.regex(/^[^\p{C}\p{Z}]+$/u, "an id has no blanks and no control characters")
	.refine((id) => id !== COORDINATOR, "that id is the bus's own");
const memberPayload = z.looseObject({ id: memberId, name: z.string().nullish() });
const renamePayload = z.looseObject({ id: z.string(), name: z.string() });
const removePayload = z.looseObject({ id: z.string() }).nullish();

function sessionOf(envelope: WeaveEnvelope): string {
	if (envelope.session === undefined || envelope.session === "")
		throw new WireError("session_required", "The envelope names no session.");
	return envelope.session;
}

function blankToNull(name: string | null | undefined): string | null {
	return name === undefined || name === null || name.trim() === "" ? null : name;
}

/** The connection's own agent. */
function selfOf(seat: Seat): string {
	if (seat.agentId === undefined)
		throw new WireError("not_joined", "Join with agent.add on this connection first.");
	return seat.agentId;
}

async function addAgent(envelope: WeaveEnvelope, seat: Seat, bus: Bus): Promise<Answer> {
	const session = sessionOf(envelope);
	const { id, name } = parsePayload(memberPayload, envelope.payload);
	if (seat.agentId !== undefined)
		throw new WireError("already_joined", `This connection joined as ${seat.agentId}.`);
	if (id !== envelope.src)
		throw new WireError("src_mismatch", "An agent joins for itself: payload.id and src must be equal.");
	seat.agentId = id;
	const joined = Promise.withResolvers<void>();
	seat.joining = joined.promise;
	try {
		const agent = await bus.joinExternal({ session, agent_id: id, name: blankToNull(name) }, seat.port);
		return { session: agent.session_id, payload: { id: agent.agent_id, name: agent.name } };
	} catch (error) {
		seat.agentId = undefined;
		throw error;
	} finally {
		seat.joining = undefined;
		joined.resolve();
	}
}

async function updateAgent(envelope: WeaveEnvelope, seat: Seat, bus: Bus): Promise<Answer> {
	const self = selfOf(seat);
	const { id, name } = parsePayload(renamePayload, envelope.payload);
	if (id !== self) throw new WireError("src_mismatch", "An agent renames only itself.");
	const agent = await bus.renameAgent({ session: sessionOf(envelope), agent: self, name });
	return { session: agent.session_id, payload: { id: agent.agent_id, name: agent.name } };
}

async function removeAgent(envelope: WeaveEnvelope, seat: Seat, bus: Bus): Promise<Answer> {
	const self = selfOf(seat);
	const id = parsePayload(removePayload, envelope.payload)?.id ?? self;
	if (id !== self) throw new WireError("src_mismatch", "An agent removes only itself.");
	await bus.leaveExternal(self);
	seat.agentId = undefined;
	return { payload: { id } };
}

async function acknowledge(envelope: WeaveEnvelope, seat: Seat, bus: Bus): Promise<undefined> {
	const agent_id = selfOf(seat);
	if (envelope.corr !== undefined) await bus.acknowledge({ agent_id, message_id: envelope.corr });
}

/** Operations by type; an explicit list, so that a name from the wire reaches nothing else. */
const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
	[
		"session.list",
		(_envelope, _seat, bus) => ({
			payload: {
				sessions: bus
					.listSessions({ closed: false })
					.map(({ session_id, name }) => ({ id: session_id, name })),
			},
		}),
	],
	[
		"session.create",
		async (envelope, _seat, bus) => {
			const name = blankToNull(parsePayload(createPayload, envelope.payload)?.name);
			const session = await bus.createSession({ name });
			return { session: session.session_id, payload: { id: session.session_id, name: session.name } };
		},
	],
	[
		"session.close",
		async (envelope, _seat, bus) => {
			const session = await bus.closeSession({ session: sessionOf(envelope) });
			return { session: session.session_id };
		},
	],
	[
		"agent.list",
		(envelope, _seat, bus) => {
			const session = sessionOf(envelope);
			return {
				session,
				payload: {
					agents: bus.listAgents({ session }).map(({ agent_id, name }) => ({ id: agent_id, name })),
				},
			};
		},
	],
	["agent.add", addAgent],
	["agent.update", updateAgent],
	["agent.remove", removeAgent],
	["message.ack", acknowledge],
	[
		"action.submit",
		(envelope, seat, bus) =>
			submitActions({ envelope, session: sessionOf(envelope), self: selfOf(seat) }, bus),
	],
]);

/**
 * Performs one request. Once joined, a connection speaks only as its agent.
 * @throws WireError and the bus's AppErrors.
 */
export async function performOperation(
	envelope: WeaveEnvelope,
	seat: Seat,
	bus: Bus,
): Promise<Answer | undefined> {
	if (envelope.v !== 1)
		throw new WireError("unsupported_version", `Envelope version ${envelope.v} is not spoken here; 1 is.`);
	// What is sent behind a join, without waiting for its answer, is the agent's - once the join was not refused.
	if (envelope.type !== "agent.add") await seat.joining;
	if (seat.agentId !== undefined && envelope.src !== seat.agentId) {
		throw new WireError(
			"src_mismatch",
			`This connection joined as ${seat.agentId} and may not speak as another.`,
		);
	}
	const operation = OPERATIONS.get(envelope.type);
	if (operation === undefined)
		throw new WireError("unsupported_operation", `There is no operation ${envelope.type.slice(0, 100)}.`);
	return await operation(envelope, seat, bus);
}
