import { AppError } from "#base/app-error.ts";
import { CodexError } from "../method.ts";
import { callOf, type Methods, type Office, type Request } from "../office.ts";
import { threadRef } from "../params/shared.ts";
import { threadName } from "../params/thread.ts";
import { assertThreadId } from "../wire/thread-id.ts";
import { NO_METADATA } from "./settings-methods.ts";

/** Longest name that is kept. */
const NAME_LIMIT = 200;

export function createShelfMethods(office: Office): Methods {
	const { desk, ports } = office;
	const { runner } = ports;

	/** A thread that is put away or deleted is out of use at once, whatever runs in it. */
	async function unload(threadId: string, request: Request): Promise<void> {
		const live = desk.find(threadId);
		if (live?.activeTurnId) {
			await runner.cancel({ thread_id: threadId }, callOf(request.peer)).catch(ignoreNotActive);
		}
		if (live === undefined || !live.loaded) return;
		live.loaded = false;
		desk.tellStatus(live);
		live.subscribers.clear();
	}

	function ignoreNotActive(error: unknown): void {
		if (!(error instanceof AppError && error.code === "TURN_NOT_ACTIVE")) throw error;
	}

	async function archive(params: unknown, request: Request) {
		const { threadId } = threadRef.decode(params);
		assertThreadId(threadId, "session id");
		const thread = office.requireStored(threadId);
		if (thread.archived) throw new CodexError(`no rollout found for thread id ${threadId}`);
		const live = desk.open(threadId);
		live.archived = true;
		await unload(threadId, request);
		await runner.archiveThread(threadId, callOf(request.peer));
		request.after(() => desk.tellAll("thread/archived", { threadId }, threadId));
		return {};
	}

	async function unarchive(params: unknown, request: Request) {
		const { threadId } = threadRef.decode(params);
		assertThreadId(threadId);
		const stored = office.findThread(threadId);
		if (stored === undefined || !stored.archived) {
			throw new CodexError(`no archived rollout found for thread id ${threadId}`);
		}
		desk.open(threadId).archived = false;
		const { thread } = await runner.resumeThread(threadId, callOf(request.peer));
		request.after(() => desk.tellAll("thread/unarchived", { threadId }, threadId));
		return { thread: office.show(thread) };
	}

	async function remove(params: unknown, request: Request) {
		const { threadId } = threadRef.decode(params);
		assertThreadId(threadId);
		office.requireStored(threadId);
		await unload(threadId, request);
		await runner.deleteThread({ thread_id: threadId }, callOf(request.peer));
		desk.forget(threadId);
		request.after(() => desk.tellAll("thread/deleted", { threadId }, threadId));
		return {};
	}

	async function rename(params: unknown, request: Request) {
		const said = threadName.decode(params);
		const { threadId } = said;
		assertThreadId(threadId);
		const name = said.name.trim();
		if (name === "") throw new CodexError("thread name must not be empty");
		office.refuseEphemeral(threadId, NO_METADATA);
		office.requireStored(threadId);
		const title = name.slice(0, NAME_LIMIT);
		const live = desk.open(threadId);
		live.title = title;
		await runner.renameThread({ thread_id: threadId, title }, callOf(request.peer));
		request.after(() => desk.tellAll("thread/name/updated", { threadId, threadName: title }, threadId));
		return {};
	}

	return {
		"thread/archive": archive,
		"thread/unarchive": unarchive,
		"thread/delete": remove,
		"thread/name/set": rename,
	};
}
