import type { Thread } from "#protocol/record.ts";
import { CodexError } from "../method.ts";
import { callOf, type Methods, type Office, type Request } from "../office.ts";
import { threadFork } from "../params/thread.ts";
import type { Decoded } from "../wire/decode.ts";
import { answerOf, load, made, storedInUse, tellUsage, WHOLE_HISTORY } from "./opening.ts";
import { type Overrides, toPatch } from "./patch.ts";
import { nameOf } from "./thread-view.ts";

export function createForkMethods(office: Office): Methods {
	const { ports, desk } = office;
	const { runner } = ports;

	/** The turn that a fork ends with; undefined: all of them. */
	function lastTurnOf(said: Decoded<typeof threadFork>): string | undefined {
		if (said.beforeTurnId === null) return said.lastTurnId ?? undefined;
		const turns = office.readTurns(said.threadId);
		const at = turns.findIndex((turn) => turn.turn_id === said.beforeTurnId);
		const before = turns[at - 1];
		if (before === undefined) throw new CodexError(`turn not found: ${said.beforeTurnId}`);
		return before.turn_id;
	}

	/** A copy is called as its source is. */
	async function keepName(source: Thread, copy: Thread, request: Request): Promise<Thread> {
		const title = nameOf(source);
		if (title === null || nameOf(copy) === title) return copy;
		const asked = { thread_id: copy.thread_id, title };
		return (await runner.renameThread(asked, callOf(request.peer))).thread;
	}

	async function fork(params: unknown, request: Request) {
		const said = threadFork.decode(params);
		const source = storedInUse(office, said.threadId);
		const overrides = toPatch(said as Overrides, source.cwd);
		const settings = {
			...overrides.settings,
			originator: request.peer.client.name,
			...(said.ephemeral ? { ephemeral: true } : {}),
		};
		const patch = { ...overrides, settings };
		const asked = { thread_id: said.threadId, last_turn_id: lastTurnOf(said), patch };
		const thread = await made(office, async () => {
			const made = await runner.fork(asked, callOf(request.peer));
			return keepName(source, made.thread, request);
		});
		if (!said.excludeTurns) request.peer.notify("deprecationNotice", WHOLE_HISTORY);
		load(office, thread, request);
		desk.open(thread.thread_id).toldStatus = JSON.stringify({ type: "idle" });
		office.answerFirst(request, thread.thread_id);
		const turns = office.readTurns(thread.thread_id);
		tellUsage(thread, request, turns.at(-1)?.turn_id);
		const options = { forkedFrom: said.threadId };
		const started = office.show(thread, options);
		request.after(() => desk.tellAll("thread/started", { thread: started }, thread.thread_id));
		return answerOf(office, thread, said.excludeTurns ? started : office.show(thread, { ...options, turns }));
	}

	return { "thread/fork": fork };
}
