import type { ThreadPatch } from "#daemon/agent/runner/runner.ts";
import type { Thread } from "#protocol/record.ts";
import { CodexError } from "../method.ts";
import { callOf, type Methods, type Office, type Request } from "../office.ts";
import { threadRef } from "../params/shared.ts";
import { threadFork, threadResume, threadStart } from "../params/thread.ts";
import type { Decoded, JsonObject } from "../wire/decode.ts";
import { assertThreadId } from "../wire/thread-id.ts";
import { itemsCursor, turnsCursor } from "./cursor.ts";
import { readGitInfo } from "./git-info.ts";
import { findInstructionSources } from "./instruction-sources.ts";
import { assertToolNames, isEmptyPatch, type Overrides, toPatch } from "./patch.ts";
import { collaborationModeOf, viewThreadContext } from "./thread-view.ts";

/** Told to who asks for a whole history at once. */
export const WHOLE_HISTORY = {
	summary:
		"Reading a whole history at once is deprecated: leave the turns out and page with `thread/turns/list` and `thread/items/list`.",
	details: null,
};

type StartParams = Decoded<typeof threadStart>;

async function startSettings(
	office: Office,
	said: StartParams,
	request: Request,
	cwd: string,
): Promise<Record<string, unknown>> {
	if (said.dynamicTools !== null) assertToolNames(said.dynamicTools);
	const gitInfo = await readGitInfo(cwd);
	return {
		source: office.ports.identity.sessionSource ?? "vscode",
		originator: request.peer.client.name,
		...(said.ephemeral === true ? { ephemeral: true } : {}),
		...(said.dynamicTools === null ? {} : { dynamic_tools: said.dynamicTools }),
		...(said.experimentalRawEvents ? { raw_events: true } : {}),
		...(said.threadSource === null ? {} : { thread_source: said.threadSource }),
		...(gitInfo === null ? {} : { git_info: gitInfo }),
	};
}

/** A thread comes into use by this client's word: it is loaded, and the client follows it. */
function load(office: Office, thread: Thread, request: Request): void {
	const live = office.desk.open(thread.thread_id);
	live.loaded = true;
	live.title = thread.title;
	live.activeTurnId ??= thread.active_turn_id === live.endedTurnId ? null : thread.active_turn_id;
	office.desk.subscribe(live, request.peer);
}

function tellUsage(thread: Thread, request: Request, turnId: string | undefined): void {
	if (thread.usage === null || turnId === undefined) return;
	const params = { threadId: thread.thread_id, turnId, tokenUsage: thread.usage };
	request.peer.tell("thread/tokenUsage/updated", params, thread.thread_id);
}

async function answerOf(office: Office, thread: Thread, shown: JsonObject): Promise<JsonObject> {
	const sources = await findInstructionSources(office.ports.paths.codexHome, thread.cwd);
	return { thread: shown, ...viewThreadContext(thread, sources) };
}

export function createOpenMethods(office: Office): Methods {
	const { ports, desk, making } = office;
	const { runner, paths } = ports;
	const base = paths.cwd ?? paths.home;

	async function made<T>(make: () => Promise<T>): Promise<T> {
		making.count += 1;
		try {
			return await make();
		} finally {
			making.count -= 1;
		}
	}

	async function start(params: unknown, request: Request) {
		const said = threadStart.decode(params);
		const patch = toPatch(said as Overrides, base);
		const cwd = patch.cwd ?? base;
		const settings = { ...patch.settings, ...(await startSettings(office, said, request, cwd)) };
		const { thread } = await made(() =>
			runner.startThread(
				{ ...patch, cwd, settings } as Parameters<typeof runner.startThread>[0],
				callOf(request.peer),
			),
		);
		load(office, thread, request);
		const live = desk.open(thread.thread_id);
		live.toldStatus = JSON.stringify({ type: "idle" });
		const shown = office.show(thread);
		request.after(() => desk.tellAll("thread/started", { thread: shown }, thread.thread_id));
		return answerOf(office, thread, shown);
	}

	function storedInUse(threadId: string): Thread {
		assertThreadId(threadId);
		const thread = office.requireStored(threadId);
		if (thread.archived) {
			throw new CodexError(
				`session ${threadId} is archived. Run \`codex unarchive ${threadId}\` to unarchive it first.`,
			);
		}
		return thread;
	}

	async function patched(thread: Thread, patch: ThreadPatch, request: Request): Promise<Thread> {
		if (isEmptyPatch(patch)) return thread;
		const asked = { thread_id: thread.thread_id, patch };
		return (await runner.patchThread(asked, callOf(request.peer))).thread;
	}

	async function resume(params: unknown, request: Request) {
		const said = threadResume.decode(params);
		const stored = storedInUse(said.threadId);
		const thread = await patched(stored, toPatch(said as Overrides, stored.cwd), request);
		const { peer } = request;
		if (!said.excludeTurns) peer.notify("deprecationNotice", WHOLE_HISTORY);
		const live = desk.open(said.threadId);
		live.loaded = true;
		desk.tellStatus(live);
		office.answerFirst(request, said.threadId);
		load(office, thread, request);
		const turns = office.readTurns(said.threadId);
		tellUsage(thread, request, turns.at(-1)?.turn_id);
		if (thread.settings?.["goal"] === undefined) {
			peer.tell("thread/goal/cleared", { threadId: said.threadId }, said.threadId);
		}
		const shown = office.show(thread, said.excludeTurns ? {} : { turns });
		const answer = await answerOf(office, thread, shown);
		return {
			...answer,
			collaborationMode: collaborationModeOf(thread),
			initialTurnsPage: null,
			turnsBackwardsCursor: turnsCursor(said.threadId, turns.length - 1, true),
			itemsBackwardsCursor: itemsCursor(said.threadId, turns.flatMap((turn) => turn.items).length - 1, true),
		};
	}

	/** The turn that a fork ends with; undefined: all of them. */
	function lastTurnOf(said: Decoded<typeof threadFork>): string | undefined {
		if (said.beforeTurnId === null) return said.lastTurnId ?? undefined;
		const turns = office.readTurns(said.threadId);
		const at = turns.findIndex((turn) => turn.turn_id === said.beforeTurnId);
		const before = turns[at - 1];
		if (before === undefined) throw new CodexError(`turn not found: ${said.beforeTurnId}`);
		return before.turn_id;
	}

	async function fork(params: unknown, request: Request) {
		const said = threadFork.decode(params);
		const source = storedInUse(said.threadId);
		const overrides = toPatch(said as Overrides, source.cwd);
		const settings = {
			...overrides.settings,
			originator: request.peer.client.name,
			...(said.ephemeral ? { ephemeral: true } : {}),
		};
		const patch = { ...overrides, settings };
		const asked = { thread_id: said.threadId, last_turn_id: lastTurnOf(said), patch };
		const { thread } = await made(() => runner.fork(asked, callOf(request.peer)));
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

	return {
		"thread/start": start,
		"thread/resume": resume,
		"thread/fork": fork,
		"thread/unsubscribe"(params, { peer }) {
			const { threadId } = threadRef.decode(params);
			assertThreadId(threadId);
			const live = desk.find(threadId);
			if (live === undefined || !live.loaded) return { status: "notLoaded" };
			return { status: desk.unsubscribe(live, peer) ? "unsubscribed" : "notSubscribed" };
		},
	};
}
