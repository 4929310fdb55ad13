import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";
import type { Approval, Question, Turn } from "#protocol/record.ts";
import type { Desk } from "../thread/desk.ts";
import { viewItem } from "../thread/item-view.ts";
import type { LiveThread } from "../thread/live-thread.ts";
import { viewTurn } from "../thread/turn-view.ts";
import type { JsonObject } from "../wire/decode.ts";
import type { ServerRequests } from "./server-requests.ts";
import { tellStreamed } from "./stream-map.ts";

type Of<T extends ChatEvent["type"]> = Extract<ChatEvent, { type: T }>;

/** Notifications about the account and not about a thread: their params name none. */
const ABOUT_NO_THREAD: ReadonlySet<string> = new Set(["account/rateLimits/updated"]);

interface EventMapPorts {
	desk: Desk;
	requests: ServerRequests;
	clock: Clock;
	newId: NewId;
	/** A turn ended; what is read state hears of it. */
	turnEnded(live: LiveThread, turn: Turn): void;
}

/** Turns what happens in threads into what clients of the protocol are told, in the reference's order. */
export function createEventMap(ports: EventMapPorts): (event: ChatEvent) => void {
	const { desk, requests, clock, newId } = ports;

	function tellItemStarted(live: LiveThread, event: Of<"chat.item.started">): void {
		const item = viewItem({ ...event.item, completedAtMs: null });
		const startedAtMs = event.item.startedAtMs ?? clock.nowMs();
		desk.tell(live, "item/started", { item, threadId: live.threadId, turnId: event.turn_id, startedAtMs });
	}

	function releaseItem(live: LiveThread, itemId: string): void {
		const held = live.heldItems.get(itemId);
		if (held === undefined) return;
		live.heldItems.delete(itemId);
		tellItemStarted(live, held);
	}

	function tellTurnStarted(live: LiveThread, turn: Turn): void {
		live.heldTurn = null;
		desk.tellStatus(live);
		const view: JsonObject = {
			...viewTurn({ ...turn, status: "inProgress", completed_at_ms: null }, "notLoaded"),
		};
		// The reference runs a review as a turn within the one that it answered with.
		const shown = turn.kind === "review" ? { ...view, id: newId(), rootTurnId: turn.turn_id } : view;
		desk.tell(live, "turn/started", { threadId: live.threadId, turn: shown });
	}

	function turnStarted(live: LiveThread, { turn }: Of<"chat.turn.started">): void {
		live.loaded = true;
		live.activeTurnId = turn.turn_id;
		live.failed = false;
		live.diff = null;
		live.diffDue = false;
		live.lastMessage = null;
		if (turn.kind === "review") live.heldTurn = turn;
		else tellTurnStarted(live, turn);
	}

	function itemStarted(live: LiveThread, event: Of<"chat.item.started">): void {
		const { item } = event;
		if (item.type === "commandExecution" && item.source === "agent" && item.processId === null) {
			live.heldItems.set(item.id, event);
		} else tellItemStarted(live, event);
	}

	function itemCompleted(live: LiveThread, event: Of<"chat.item.completed">): void {
		const { item, turn_id } = event;
		releaseItem(live, item.id);
		if (item.type === "agentMessage" && turn_id === live.activeTurnId) live.lastMessage = item;
		const completedAtMs = item.completedAtMs ?? clock.nowMs();
		const place = { threadId: live.threadId, turnId: turn_id };
		desk.tell(live, "item/completed", {
			...{ item: viewItem(item), ...place },
			...{ contentTokenCount: null, completedAtMs },
		});
		const approvalId = live.flagUntilItem.get(item.id);
		if (approvalId !== undefined) {
			live.flagUntilItem.delete(item.id);
			live.waits.delete(approvalId);
			desk.tellStatus(live);
		}
		if (item.type === "enteredReviewMode" && live.heldTurn !== null) tellTurnStarted(live, live.heldTurn);
	}

	function approvalRequired(live: LiveThread, approval: Approval): void {
		const { approval_id, item_id } = approval;
		const startedAtMs = live.heldItems.get(item_id)?.item.startedAtMs ?? approval.requested_at_ms;
		live.waits.set(approval_id, "waitingOnApproval");
		desk.tellStatus(live);
		releaseItem(live, item_id);
		requests.askApproval(live, approval, startedAtMs);
	}

	function approvalResolved(live: LiveThread, approval: Approval): void {
		const { approval_id, item_id, status, kind } = approval;
		if (status === "expired") {
			live.lateResolved.push(approval_id);
			return;
		}
		desk.settle(live, approval_id);
		if (kind === "command" && status !== "accepted") live.flagUntilItem.set(item_id, approval_id);
		else {
			live.waits.delete(approval_id);
			desk.tellStatus(live);
		}
	}

	function questionRequired(live: LiveThread, question: Question): void {
		const flag = requests.flagOf(question);
		if (flag !== null) live.waits.set(question.question_id, flag);
		desk.tellStatus(live);
		requests.askQuestion(live, question);
	}

	function questionResolved(live: LiveThread, question: Question): void {
		if (question.status === "expired") {
			live.lateResolved.push(question.question_id);
			return;
		}
		desk.settle(live, question.question_id);
		live.waits.delete(question.question_id);
		desk.tellStatus(live);
	}

	/** The end of a turn takes its questions away; they are told as over after it. */
	function tellLateResolved(live: LiveThread): void {
		const late = live.lateResolved;
		live.lateResolved = [];
		for (const key of late) {
			desk.settle(live, key);
			live.waits.delete(key);
		}
	}

	function turnCompleted(live: LiveThread, { turn }: Of<"chat.turn.completed">): void {
		const last = live.lastMessage;
		live.activeTurnId = null;
		live.endedTurnId = turn.turn_id;
		live.heldTurn = null;
		live.heldItems.clear();
		live.flagUntilItem.clear();
		live.waits.clear();
		live.lastMessage = null;
		live.failed = turn.status === "failed";
		ports.turnEnded(live, turn);
		desk.tellStatus(live);
		const view = last === null ? viewTurn(turn, "notLoaded") : viewTurn(turn, "summary", [last]);
		desk.tell(live, "turn/completed", { threadId: live.threadId, turn: view });
		tellLateResolved(live);
	}

	function tellDiff(live: LiveThread, turnId: string): void {
		live.diffDue = false;
		if (live.diff === null) return;
		desk.tell(live, "turn/diff/updated", { threadId: live.threadId, turnId, diff: live.diff });
	}

	function usageUpdated(live: LiveThread, { turn_id, usage }: Of<"chat.usage.updated">): void {
		const place = { threadId: live.threadId, turnId: turn_id };
		desk.tell(live, "thread/tokenUsage/updated", { ...place, tokenUsage: usage });
		live.diffDue = live.diff !== null;
	}

	function errorTold(live: LiveThread, { error, will_retry, turn_id }: Of<"chat.error">): void {
		if (!will_retry) {
			live.failed = true;
			desk.tellStatus(live);
		}
		desk.tell(live, "error", {
			error: { ...error, misalignment: error["misalignment"] ?? null },
			...{ willRetry: will_retry, threadId: live.threadId, turnId: turn_id },
		});
	}

	function passThrough(live: LiveThread, { method, params }: Of<"chat.codex">): void {
		if (!ABOUT_NO_THREAD.has(method)) {
			desk.tell(live, method, params);
			return;
		}
		const { threadId: _thread, turnId: _turn, ...rest } = params;
		desk.tellAll(method, rest, live.threadId);
	}

	function dispatch(live: LiveThread, event: ChatEvent): void {
		switch (event.type) {
			case "chat.turn.started":
				return turnStarted(live, event);
			case "chat.turn.completed":
				return turnCompleted(live, event);
			case "chat.item.started":
				return itemStarted(live, event);
			case "chat.item.completed":
				return itemCompleted(live, event);
			case "chat.approval.required":
				return approvalRequired(live, event.approval);
			case "chat.approval.resolved":
				return approvalResolved(live, event.approval);
			case "chat.question.required":
				return questionRequired(live, event.question);
			case "chat.question.resolved":
				return questionResolved(live, event.question);
			case "chat.usage.updated":
				return usageUpdated(live, event);
			case "chat.diff.updated":
				live.diff = event.diff;
				return tellDiff(live, event.turn_id);
			case "chat.error":
				return errorTold(live, event);
			case "chat.codex":
				return passThrough(live, event);
			case "chat.command.output":
				releaseItem(live, event.item_id);
				return tellStreamed(desk, live, event);
			default:
				return tellStreamed(desk, live, event);
		}
	}

	/** What an earlier event left to be said before this one. */
	function before(live: LiveThread, event: ChatEvent): void {
		const isRateLimit = event.type === "chat.codex" && ABOUT_NO_THREAD.has(event.method);
		if (live.diffDue && !isRateLimit && live.activeTurnId !== null) tellDiff(live, live.activeTurnId);
		const isItem = event.type === "chat.item.started" || event.type === "chat.item.completed";
		const isReviewItem = isItem && event.item.type === "enteredReviewMode";
		if (live.heldTurn !== null && !isReviewItem) tellTurnStarted(live, live.heldTurn);
		const endsTurn = event.type === "chat.turn.completed" || event.type.endsWith(".resolved");
		if (live.lateResolved.length > 0 && !endsTurn) {
			tellLateResolved(live);
			desk.tellStatus(live);
		}
	}

	return (event) => {
		const live = desk.open(event.thread_id);
		before(live, event);
		dispatch(live, event);
	};
}
