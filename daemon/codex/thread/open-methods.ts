import type { ThreadPatch } from "#daemon/agent/runner/runner.ts";
import type { Thread } from "#protocol/record.ts";
import { callOf, type Methods, type Office, type Request } from "../office.ts";
import { threadRef } from "../params/shared.ts";
import { threadResume, threadStart } from "../params/thread.ts";
import type { Decoded } from "../wire/decode.ts";
import { assertThreadId } from "../wire/thread-id.ts";
import { itemsCursor, turnsCursor } from "./cursor.ts";
import { readGitInfo } from "./git-info.ts";
import { answerOf, load, made, storedInUse, tellUsage, WHOLE_HISTORY } from "./opening.ts";
import { assertToolNames, isEmptyPatch, type Overrides, toPatch } from "./patch.ts";
import { collaborationModeOf } from "./thread-view.ts";

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

export function createOpenMethods(office: Office): Methods {
	const { ports, desk } = office;
	const { runner, paths } = ports;
	const base = paths.cwd ?? paths.home;

	async function start(params: unknown, request: Request) {
		const said = threadStart.decode(params);
		const patch = toPatch(said as Overrides, base);
		const cwd = patch.cwd ?? base;
		const settings = { ...patch.settings, ...(await startSettings(office, said, request, cwd)) };
		const { thread } = await made(office, () =>
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

	async function patched(thread: Thread, patch: ThreadPatch, request: Request): Promise<Thread> {
		if (isEmptyPatch(patch)) return thread;
		const asked = { thread_id: thread.thread_id, patch };
		return (await runner.patchThread(asked, callOf(request.peer))).thread;
	}

	async function resume(params: unknown, request: Request) {
		const said = threadResume.decode(params);
		const stored = storedInUse(office, said.threadId);
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
		const forkedFrom = thread.settings?.forked_from;
		const shown = office.show(thread, {
			...(said.excludeTurns ? {} : { turns }),
			...(forkedFrom === undefined ? {} : { forkedFrom }),
		});
		const answer = await answerOf(office, thread, shown);
		return {
			...answer,
			collaborationMode: collaborationModeOf(thread),
			initialTurnsPage: null,
			turnsBackwardsCursor: turnsCursor(said.threadId, turns.length - 1, true),
			itemsBackwardsCursor: itemsCursor(said.threadId, turns.flatMap((turn) => turn.items).length - 1, true),
		};
	}

	return {
		"thread/start": start,
		"thread/resume": resume,
		"thread/unsubscribe"(params, { peer }) {
			const { threadId } = threadRef.decode(params);
			assertThreadId(threadId);
			const live = desk.find(threadId);
			if (live === undefined || !live.loaded) return { status: "notLoaded" };
			return { status: desk.unsubscribe(live, peer) ? "unsubscribed" : "notSubscribed" };
		},
	};
}
