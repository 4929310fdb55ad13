import { CodexError } from "../method.ts";
import { callOf, type Methods, type Office, type Request } from "../office.ts";
import { threadRef } from "../params/shared.ts";
import { threadGoal } from "../params/thread.ts";
import { isObject, type JsonObject } from "../wire/decode.ts";
import { seconds } from "./turn-view.ts";

/** Goals are kept with the thread's settings: what a person wants of it, for clients to show. */
export function createGoalMethods(office: Office): Methods {
	const { desk, ports } = office;
	const { runner, clock } = ports;

	function goalOf(threadId: string): JsonObject | null {
		office.refuseEphemeral(threadId, "ephemeral thread does not support goals");
		const goal = office.requireLoaded(threadId).thread.settings?.["goal"];
		return isObject(goal) ? goal : null;
	}

	async function store(threadId: string, goal: JsonObject | null, request: Request): Promise<void> {
		office.answerFirst(request, threadId);
		const asked = { thread_id: threadId, patch: { settings: { goal } } };
		await runner.patchThread(asked, callOf(request.peer));
	}

	async function set(params: unknown, request: Request) {
		const { threadId, objective, status, tokenBudget } = threadGoal.decode(params);
		const before = goalOf(threadId);
		if (before === null && objective === null) {
			throw new CodexError(`cannot update goal for thread ${threadId}: no goal exists`);
		}
		const now = seconds(clock.nowMs());
		const kept = before ?? { tokenBudget: null, tokensUsed: 0, timeUsedSeconds: 0, createdAt: now };
		const goal = {
			threadId,
			objective: objective ?? kept["objective"],
			status: status ?? kept["status"] ?? "active",
			tokenBudget: tokenBudget === undefined ? kept["tokenBudget"] : tokenBudget,
			tokensUsed: kept["tokensUsed"],
			timeUsedSeconds: kept["timeUsedSeconds"],
			createdAt: kept["createdAt"],
			updatedAt: now,
		};
		await store(threadId, goal, request);
		desk.tell(desk.open(threadId), "thread/goal/updated", { threadId, turnId: null, goal });
		return { goal };
	}

	async function clear(params: unknown, request: Request) {
		const { threadId } = threadRef.decode(params);
		if (goalOf(threadId) === null) return { cleared: false };
		await store(threadId, null, request);
		desk.tell(desk.open(threadId), "thread/goal/cleared", { threadId });
		return { cleared: true };
	}

	return {
		"thread/goal/get": (params) => ({ goal: goalOf(threadRef.decode(params).threadId) }),
		"thread/goal/set": set,
		"thread/goal/clear": clear,
	};
}
