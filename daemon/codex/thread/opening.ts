import type { Thread } from "#protocol/record.ts";
import { CodexError } from "../method.ts";
import type { Office, Request } from "../office.ts";
import type { JsonObject } from "../wire/decode.ts";
import { assertThreadId } from "../wire/thread-id.ts";
import { findInstructionSources } from "./instruction-sources.ts";
import { viewThreadContext } from "./thread-view.ts";

/** Told to who asks for a whole history at once. */
export const WHOLE_HISTORY = {
	summary:
		"Reading a whole history at once is deprecated: leave the turns out and page with `thread/turns/list` and `thread/items/list`.",
	details: null,
};

/** A thread comes into use by this client's word: it is loaded, and the client follows it. */
export function load(office: Office, thread: Thread, request: Request): void {
	const live = office.desk.open(thread.thread_id);
	live.loaded = true;
	live.title = thread.title;
	live.activeTurnId ??= thread.active_turn_id === live.endedTurnId ? null : thread.active_turn_id;
	office.desk.subscribe(live, request.peer);
	office.ports.onThreadOpened?.(thread);
}

/** Tells one client what a thread has used so far, where it has used anything. */
export function tellUsage(thread: Thread, request: Request, turnId: string | undefined): void {
	if (thread.usage === null || turnId === undefined) return;
	const params = { threadId: thread.thread_id, turnId, tokenUsage: thread.usage };
	request.peer.tell("thread/tokenUsage/updated", params, thread.thread_id);
}

/** What thread/start, resume and fork are answered: the thread as shown and the settings that its turns would have. */
export async function answerOf(office: Office, thread: Thread, shown: JsonObject): Promise<JsonObject> {
	const sources = await findInstructionSources(office.ports.paths.codexHome, thread.cwd);
	return { thread: shown, ...viewThreadContext(office.view, thread, sources) };
}

/** Makes a thread whose maker tells of it. */
export async function made<T>({ making }: Office, make: () => Promise<T>): Promise<T> {
	making.count += 1;
	try {
		return await make();
	} finally {
		making.count -= 1;
	}
}

/** @throws CodexError for a thread that is not there or was put away. */
export function storedInUse(office: Office, threadId: string): Thread {
	assertThreadId(threadId);
	const thread = office.requireStored(threadId);
	if (!thread.archived) return thread;
	const help = `Run \`codex unarchive ${threadId}\` to unarchive it first.`;
	throw new CodexError(`session ${threadId} is archived. ${help}`);
}
