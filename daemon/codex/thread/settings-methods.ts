import type { Thread } from "#protocol/record.ts";
import type { Peer } from "../connection.ts";
import { CodexError } from "../method.ts";
import { callOf, type Methods, type Office, type Request } from "../office.ts";
import { threadMetadata, threadSettings } from "../params/thread.ts";
import { isObject } from "../wire/decode.ts";
import { assertThreadId } from "../wire/thread-id.ts";
import { changesThread, isEmptyPatch, type Overrides, toPatch } from "./patch.ts";
import { viewThreadSettings } from "./thread-view.ts";

/** Told to who names or marks a thread that is not kept. */
export const NO_METADATA = "ephemeral thread does not support metadata updates";

/** Tells those who follow the thread with the experimental protocol how it is set now; `asker` before its answer. */
export function tellSettings(office: Office, thread: Thread, asker?: Peer): void {
	const live = office.desk.find(thread.thread_id);
	const params = { threadId: thread.thread_id, threadSettings: viewThreadSettings(office.view, thread) };
	for (const peer of live?.subscribers ?? []) {
		if (!peer.experimentalApi) continue;
		if (peer === asker) peer.notify("thread/settings/updated", params);
		else peer.tell("thread/settings/updated", params, thread.thread_id);
	}
}

export function createSettingsMethods(office: Office): Methods {
	const { runner } = office.ports;

	async function metadata(params: unknown, request: Request) {
		const said = threadMetadata.decode(params);
		assertThreadId(said.threadId);
		if (said.gitInfo === null && said.projectId === undefined && said.daybreakEnabled === undefined) {
			throw new CodexError("thread metadata update must include at least one field");
		}
		office.refuseEphemeral(said.threadId, NO_METADATA);
		const stored = office.requireStored(said.threadId);
		const before = stored.settings?.["git_info"];
		const kept = isObject(before) ? before : { sha: null, branch: null, originUrl: null };
		const changed = Object.entries(said.gitInfo ?? {}).filter(([, value]) => value !== undefined);
		const settings = { git_info: { ...kept, ...Object.fromEntries(changed) } };
		const asked = { thread_id: said.threadId, patch: { settings } };
		const { thread } = await runner.patchThread(asked, callOf(request.peer));
		return { thread: office.show(thread) };
	}

	async function settings(params: unknown, request: Request) {
		const said = threadSettings.decode(params);
		const { thread } = office.requireLoaded(said.threadId);
		const patch = toPatch(said as Overrides, thread.cwd);
		if (isEmptyPatch(patch) || !changesThread(thread, patch)) return {};
		office.answerFirst(request, said.threadId);
		const asked = { thread_id: said.threadId, patch };
		const changed = await runner.patchThread(asked, callOf(request.peer));
		tellSettings(office, changed.thread);
		return {};
	}

	return { "thread/metadata/update": metadata, "thread/settings/update": settings };
}
