import type { ItemNews } from "./item-news.ts";
import type { NewsPorts, Tellers } from "./news.ts";

type QuestionEvent =
	| "chat.approval.required"
	| "chat.approval.resolved"
	| "chat.question.required"
	| "chat.question.resolved";

/** News of what a turn waits for, with the status around it. */
export function createQuestionNews(
	{ desk, requests, clock }: NewsPorts,
	items: ItemNews,
): Tellers<QuestionEvent> {
	return {
		"chat.approval.required"(live, { approval }) {
			const { approval_id, item_id } = approval;
			const startedAtMs = live.heldItems.get(item_id)?.item.startedAtMs ?? approval.requested_at_ms;
			live.waits.set(approval_id, "waitingOnApproval");
			desk.tellStatus(live);
			items.release(live, item_id);
			requests.askApproval(live, approval, startedAtMs);
		},
		"chat.approval.resolved"(live, { approval }) {
			const { approval_id, item_id, status, kind } = approval;
			if (status === "expired") {
				live.lateResolved.push(approval_id);
				return;
			}
			desk.settle(live, approval_id);
			if (kind === "command" && status !== "accepted") {
				// Its flag goes with the item, which is over now.
				live.flagUntilItem.set(item_id, approval_id);
				return;
			}
			if (kind === "command") live.commandsSince.set(item_id, clock.nowMs());
			live.waits.delete(approval_id);
			desk.tellStatus(live);
		},
		"chat.question.required"(live, { question }) {
			const flag = requests.flagOf(question);
			if (flag !== null) live.waits.set(question.question_id, flag);
			desk.tellStatus(live);
			requests.askQuestion(live, question);
		},
		"chat.question.resolved"(live, { question }) {
			if (question.status === "expired") {
				// The end of a call is known by its item; of the others only this tells.
				if (question.kind !== "tool_call") live.lateResolved.push(question.question_id);
				else live.requests.delete(question.question_id);
				return;
			}
			desk.settle(live, question.question_id);
			live.waits.delete(question.question_id);
			desk.tellStatus(live);
		},
	};
}
