import type { ChatEvent } from "#protocol/chat-event.ts";
import type { Desk } from "../thread/desk.ts";
import type { LiveThread } from "../thread/live-thread.ts";
import { createItemNews } from "./item-news.ts";
import type { NewsPorts, Teller, Tellers } from "./news.ts";
import { createQuestionNews } from "./question-news.ts";
import { createTurnNews, type TurnNews } from "./turn-news.ts";

/** Notifications about the account and not about a thread: their params name none, and everybody gets them. */
const ABOUT_NO_THREAD: ReadonlySet<string> = new Set(["account/rateLimits/updated"]);

type PlainEvent = Exclude<
	ChatEvent["type"],
	| `chat.turn.${string}`
	| `chat.item.${string}`
	| `chat.approval.${string}`
	| `chat.question.${string}`
	| "chat.error"
	| "chat.command.output"
>;

const placeOf = (live: LiveThread, event: ChatEvent) => ({ threadId: live.threadId, turnId: event.turn_id });

/** Events that are one notification each. */
function createPlainNews(desk: Desk): Tellers<PlainEvent> {
	return {
		"chat.message.delta"(live, event) {
			const { item_id, delta } = event;
			desk.tell(live, "item/agentMessage/delta", { ...placeOf(live, event), itemId: item_id, delta });
		},
		"chat.reasoning.delta"(live, event) {
			const said = { itemId: event.item_id, delta: event.delta, summaryIndex: event.summary_index };
			desk.tell(live, "item/reasoning/summaryTextDelta", { ...placeOf(live, event), ...said });
		},
		"chat.reasoning.part"(live, event) {
			const part = { itemId: event.item_id, summaryIndex: event.summary_index };
			desk.tell(live, "item/reasoning/summaryPartAdded", { ...placeOf(live, event), ...part });
		},
		"chat.reasoning.raw"(live, event) {
			const said = { itemId: event.item_id, delta: event.delta, contentIndex: event.content_index };
			desk.tell(live, "item/reasoning/textDelta", { ...placeOf(live, event), ...said });
		},
		"chat.plan.delta"(live, event) {
			const { item_id, delta } = event;
			desk.tell(live, "item/plan/delta", { ...placeOf(live, event), itemId: item_id, delta });
		},
		"chat.plan.updated"(live, event) {
			const { explanation, plan } = event;
			desk.tell(live, "turn/plan/updated", { ...placeOf(live, event), explanation, plan });
		},
		"chat.command.input"(live, event) {
			const said = { itemId: event.item_id, processId: event.process_id, stdin: event.stdin };
			desk.tell(live, "item/commandExecution/terminalInteraction", { ...placeOf(live, event), ...said });
		},
		"chat.diff.updated"(live, event) {
			desk.tell(live, "turn/diff/updated", { ...placeOf(live, event), diff: event.diff });
		},
		"chat.usage.updated"(live, event) {
			desk.tell(live, "thread/tokenUsage/updated", { ...placeOf(live, event), tokenUsage: event.usage });
		},
		"chat.codex"(live, { method, params }) {
			if (!ABOUT_NO_THREAD.has(method)) {
				desk.tell(live, method, params);
				return;
			}
			const { threadId: _thread, turnId: _turn, ...rest } = params;
			desk.tellAll(method, rest, live.threadId);
		},
	};
}

/** What an earlier event left to be said before this one. */
function tellLeftOver(
	live: LiveThread,
	event: ChatEvent,
	{ desk, turns }: { desk: Desk; turns: TurnNews },
): void {
	const isItem = event.type === "chat.item.started" || event.type === "chat.item.completed";
	const beginsReview = isItem && event.item.type === "enteredReviewMode";
	if (live.heldTurn !== null && !beginsReview) turns.tellHeld(live);
	const takesAway = event.type === "chat.turn.completed" || event.type.endsWith(".resolved");
	if (live.lateResolved.length > 0 && !takesAway) {
		turns.tellLateResolved(live);
		desk.tellStatus(live);
	}
}

/** Turns what happens in threads into what clients of the protocol are told, in the reference's order. */
export function createEventMap(ports: NewsPorts): (event: ChatEvent) => void {
	const { desk } = ports;
	const turns = createTurnNews(ports);
	const items = createItemNews(ports, turns.tellHeld);
	const tellers: Tellers = {
		...createPlainNews(desk),
		...createQuestionNews(ports, items),
		"chat.turn.started": turns.started,
		"chat.turn.completed": turns.completed,
		"chat.error": turns.error,
		"chat.item.started": items.started,
		"chat.item.completed": items.completed,
		"chat.command.output": items.output,
	};
	return (event) => {
		const live = desk.open(event.thread_id);
		tellLeftOver(live, event, { desk, turns });
		// The table pairs each type with its teller; the compiler cannot follow that through an index.
		const tell = tellers[event.type] as Teller<ChatEvent["type"]>;
		tell(live, event as never);
	};
}
