import { CodexError } from "../method.ts";
import { callOf, type Methods, type Office, type Request } from "../office.ts";
import { reviewStart } from "../params/turn.ts";
import { viewNewTurn } from "../thread/turn-view.ts";
import type { JsonObject } from "../wire/decode.ts";
import { markBegun } from "./turn-methods.ts";

/** What of a review's target must not be empty. */
const TARGET_TEXTS: Readonly<Record<string, string>> = {
	custom: "instructions",
	baseBranch: "branch",
	commit: "sha",
};

function checkTarget(target: JsonObject & { type: string }): JsonObject {
	const member = TARGET_TEXTS[target.type];
	if (member === undefined) return target;
	const text = String(target[member]).trim();
	if (text === "") throw new CodexError(`${member} must not be empty`);
	return { ...target, [member]: text };
}

export function createReviewMethods(office: Office): Methods {
	const { desk, ports } = office;
	const { runner } = ports;

	/** A review beside the thread works on a copy of it. */
	async function reviewThread(threadId: string, isDetached: boolean, request: Request): Promise<string> {
		if (!isDetached) return threadId;
		office.making.count += 1;
		try {
			const { thread } = await runner.fork({ thread_id: threadId }, callOf(request.peer));
			const live = desk.open(thread.thread_id);
			live.loaded = true;
			live.toldStatus = JSON.stringify({ type: "idle" });
			office.answerFirst(request, thread.thread_id);
			desk.subscribe(live, request.peer);
			desk.tellAll("thread/started", { thread: office.show(thread) }, thread.thread_id);
			return thread.thread_id;
		} finally {
			office.making.count -= 1;
		}
	}

	async function review(params: unknown, request: Request) {
		const said = reviewStart.decode(params);
		office.requireLoaded(said.threadId);
		const target = checkTarget(said.target);
		const threadId = await reviewThread(said.threadId, said.delivery === "detached", request);
		office.answerFirst(request, threadId);
		const asked = { thread_id: threadId, target };
		const { turn_id, hint } = await runner.review(asked, callOf(request.peer));
		markBegun(desk.open(threadId), turn_id);
		const content = [{ type: "text", text: hint, text_elements: [] }];
		const times = { startedAtMs: null, completedAtMs: null };
		const item = { type: "userMessage", id: turn_id, clientId: null, content, ...times };
		return { turn: viewNewTurn(turn_id, [item], null), reviewThreadId: threadId };
	}

	return { "review/start": review };
}
