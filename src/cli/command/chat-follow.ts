import { AppError } from "#base/app-error.ts";
import { createDeferred } from "#base/deferred.ts";
import type { DaemonClient } from "#client/client.ts";
import type { ChatEvent, ChatSnapshot } from "#protocol/chat-event.ts";
import type { Approval, Turn } from "#protocol/record.ts";
import { createToldEvents } from "./chat-missed.ts";
import { watchLink } from "./link-patience.ts";

/** What a follower of one turn is told; each thing once, however often the link was lost in between. */
export interface TurnListener {
	/** Events of the turn as they come; those that a lost link swallowed are made up for when it is back. */
	onEvent?(event: ChatEvent): void;
	/** A finished message of the agent, whole. */
	onMessage?(text: string, phase: string | null): void;
	onCommand?(command: string): void;
	onApproval?(approval: Approval): void;
	onApprovalResolved?(approval: Approval): void;
}

export interface Follower extends Disposable {
	/** Resolves after the first snapshot: from then on nothing is missed. */
	readonly ready: Promise<void>;
	/** Says which turn to follow; what was seen of it already is told now. */
	follow(turnId: string): void;
	/** Resolves with the turn as it ended. @throws AppError of the subscription, or the signal's reason. */
	readonly ended: Promise<Turn>;
}

/** Tells of one turn, from its events and from how it reads back; each thing once. */
interface Teller {
	event(event: ChatEvent): void;
	/** Makes up for what a lost link swallowed. */
	readBack(turn: Turn, approvals: readonly Approval[]): void;
}

function createTeller(listener: TurnListener, onEnd: (turn: Turn) => void): Teller {
	const events = createToldEvents();
	const told = new Set<string>();

	function once(key: string, tell: () => void): void {
		if (told.has(key)) return;
		told.add(key);
		tell();
	}

	function tellItem(item: Turn["items"][number], finished: boolean): void {
		if (item.type === "commandExecution")
			once(`command:${item.id}`, () => listener.onCommand?.(item.command));
		if (item.type === "agentMessage" && finished)
			once(`message:${item.id}`, () => listener.onMessage?.(item.text, item.phase));
	}

	function tellAsked(approval: Approval): void {
		const { thread_id, turn_id, item_id } = approval;
		listener.onEvent?.({ type: "chat.approval.required", thread_id, turn_id, item_id, approval });
		listener.onApproval?.(approval);
	}

	return {
		event(event) {
			events.note(event);
			listener.onEvent?.(event);
			if (event.type === "chat.item.started") tellItem(event.item, false);
			if (event.type === "chat.item.completed") tellItem(event.item, true);
			if (event.type === "chat.approval.required")
				once(`asked:${event.approval.approval_id}`, () => listener.onApproval?.(event.approval));
			if (event.type === "chat.approval.resolved") {
				once(`resolved:${event.approval.approval_id}`, () => listener.onApprovalResolved?.(event.approval));
			}
			if (event.type !== "chat.turn.completed") return;
			told.add("ended");
			onEnd(event.turn);
		},
		readBack(turn, approvals) {
			for (const event of events.missed(turn)) listener.onEvent?.(event);
			for (const approval of approvals) once(`asked:${approval.approval_id}`, () => tellAsked(approval));
			const isOver = turn.status !== "inProgress";
			for (const item of turn.items) tellItem(item, isOver || Boolean(item.completedAtMs));
			if (!isOver) return;
			const { thread_id, turn_id } = turn;
			const end: ChatEvent = {
				type: "chat.turn.completed",
				thread_id,
				turn_id,
				turn: { ...turn, items: [] },
			};
			once("ended", () => listener.onEvent?.(end));
			onEnd(turn);
		},
	};
}

/** Follows a turn through `chats.activity`; a lost link is healed by the client, the snapshot then fills the gap. */
export function followTurn(
	client: DaemonClient,
	threadId: string,
	listener: TurnListener,
	signal: AbortSignal,
): Follower {
	const ready = createDeferred<void>();
	const ended = createDeferred<Turn>();
	const teller = createTeller(listener, ended.resolve);
	let wanted: string | undefined;
	let early: ChatEvent[] = [];
	let snapshot: ChatSnapshot | undefined;

	function onEvent(event: ChatEvent): void {
		if (wanted === undefined) early.push(event);
		else if (event.turn_id === wanted) teller.event(event);
	}

	function catchUp(): void {
		const turn = snapshot?.turns.find((candidate) => candidate.turn_id === wanted);
		const approvals = snapshot?.approvals.filter((approval) => approval.turn_id === wanted) ?? [];
		if (turn !== undefined) teller.readBack(turn, approvals);
	}

	const subscription = client.subscribe(`chats.activity:${threadId}`, {
		onSnapshot(payload) {
			snapshot = payload as ChatSnapshot;
			// It holds whatever they told.
			early = [];
			catchUp();
			ready.resolve();
		},
		onEvent: (payload) => onEvent(payload as ChatEvent),
		onError(error) {
			ready.reject(error);
			ended.reject(error);
		},
	});
	const link = watchLink(client, ended.reject);
	function onAbort(): void {
		ended.reject(signal.reason instanceof AppError ? signal.reason : new AppError("CANCELLED"));
		ready.reject(signal.reason);
	}
	signal.addEventListener("abort", onAbort, { once: true });
	if (signal.aborted) onAbort();

	return {
		ready: ready.promise,
		ended: ended.promise,
		follow(turnId) {
			wanted = turnId;
			const seen = early;
			early = [];
			catchUp();
			for (const event of seen) onEvent(event);
		},
		[Symbol.dispose]() {
			subscription[Symbol.dispose]();
			link[Symbol.dispose]();
			signal.removeEventListener("abort", onAbort);
		},
	};
}
