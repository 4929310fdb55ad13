import { AppError } from "#base/app-error.ts";
import { createDeferred } from "#base/deferred.ts";
import type { DaemonClient } from "#client/client.ts";
import type { ChatEvent, ChatSnapshot } from "#protocol/chat-event.ts";
import type { Approval, Turn } from "#protocol/record.ts";
import { watchLink } from "./link-patience.ts";

/** What a follower of one turn is told; each thing once, however often the link was lost in between. */
export interface TurnListener {
	/** Events as they come; only those of the turn. */
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

/** Follows a turn through `chats.activity`; a lost link is healed by the client, the snapshot then fills the gap. */
export function followTurn(
	client: DaemonClient,
	threadId: string,
	listener: TurnListener,
	signal: AbortSignal,
): Follower {
	const ready = createDeferred<void>();
	const ended = createDeferred<Turn>();
	const told = new Set<string>();
	let wanted: string | undefined;
	let early: ChatEvent[] = [];
	let snapshot: ChatSnapshot | undefined;

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

	function onEvent(event: ChatEvent): void {
		if (wanted === undefined) {
			early.push(event);
			return;
		}
		if (event.turn_id !== wanted) return;
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
		ended.resolve(event.turn);
	}

	/** Fills what a lost link swallowed. */
	function catchUp(): void {
		if (wanted === undefined || snapshot === undefined) return;
		for (const approval of snapshot.approvals) {
			if (approval.turn_id === wanted)
				once(`asked:${approval.approval_id}`, () => listener.onApproval?.(approval));
		}
		const turn = snapshot.turns.find((candidate) => candidate.turn_id === wanted);
		if (turn === undefined) return;
		for (const item of turn.items)
			tellItem(item, turn.status !== "inProgress" || Boolean(item.completedAtMs));
		if (turn.status === "inProgress") return;
		const event: ChatEvent = {
			type: "chat.turn.completed",
			thread_id: threadId,
			turn_id: wanted,
			turn: { ...turn, items: [] },
		};
		once("ended", () => listener.onEvent?.(event));
		ended.resolve(turn);
	}

	const subscription = client.subscribe(`chats.activity:${threadId}`, {
		onSnapshot(payload) {
			snapshot = payload as ChatSnapshot;
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
