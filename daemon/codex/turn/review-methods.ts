import { CodexError } from "../method.ts";
import { callOf, type Methods, type Office, type Request } from "../office.ts";
import { reviewStart } from "../params/turn.ts";
import { viewNewTurn } from "../thread/turn-view.ts";
import type { JsonObject } from "../wire/decode.ts";
import { interruptRunning, markBegun } from "./turn-methods.ts";

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
	const { runner } = office.ports;

	async function review(params: unknown, request: Request) {
		const said = reviewStart.decode(params);
		const { threadId } = said;
		const { live } = office.requireLoaded(threadId);
		const target = checkTarget(said.target);
		office.answerFirst(request, threadId);
		await interruptRunning(office, live, request);
		const asked = { thread_id: threadId, target };
		const { turn_id, hint } = await runner.review(asked, callOf(request.peer));
		markBegun(live, turn_id);
		const content = [{ type: "text", text: hint, text_elements: [] }];
		const times = { startedAtMs: null, completedAtMs: null };
		const item = { type: "userMessage", id: turn_id, clientId: null, content, ...times };
		return { turn: viewNewTurn(turn_id, [item], null), reviewThreadId: threadId };
	}

	return { "review/start": review };
}
