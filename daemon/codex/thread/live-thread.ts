import type { ChatEvent } from "#protocol/chat-event.ts";
import type { Item } from "#protocol/codex-item.ts";
import type { Turn } from "#protocol/record.ts";
import type { Peer } from "../connection.ts";
import type { JsonObject } from "../wire/decode.ts";
import type { RequestId } from "../wire/message.ts";
import type { ThreadStatus } from "./thread-view.ts";

/** What a thread's turn waits for, as its status says it. */
export type WaitFlag = "waitingOnApproval" | "waitingOnUserInput";

/** A request that went, or will go, to every subscriber of a thread. */
export interface SharedRequest {
	readonly method: string;
	readonly params: JsonObject;
	/** Whoever was asked, by the id of their copy. */
	readonly asked: Map<Peer, RequestId>;
	/** Whose answer is being given; null until one came. */
	answeredBy: Peer | null;
	/** Takes an answer; the first counts. */
	answer(result: unknown, error: string | null, peer: Peer): void;
	/** The one that answered is not told that the request is over. */
	readonly quietToAnswerer: boolean;
}

type ItemStarted = Extract<ChatEvent, { type: "chat.item.started" }>;

/** What the facade knows of a thread while it is in use; gone with this process. */
export interface LiveThread {
	readonly threadId: string;
	loaded: boolean;
	readonly subscribers: Set<Peer>;
	/** Which connection uses raw events is the thread's own affair; null while nothing runs. */
	activeTurnId: string | null;
	/** The newest turn that ended: what it says later changes nothing. */
	endedTurnId: string | null;
	failed: boolean;
	readonly waits: Map<string, WaitFlag>;
	readonly requests: Map<string, SharedRequest>;
	/** Starts of commands that may be asked about: the question's status goes first. */
	readonly heldItems: Map<string, ItemStarted>;
	/** When the commands of the model that run were started. */
	readonly commandsSince: Map<string, number>;
	/** A review's turn, told after its first item. */
	heldTurn: Turn | null;
	/** Approvals whose flag goes when their item is told as over, by item. */
	readonly flagUntilItem: Map<string, string>;
	/** Approvals that the end of the turn took away. */
	lateResolved: string[];
	lastMessage: Item | null;
	toldStatus: string;
	/** As last told; undefined before the thread was looked at. */
	title: string | null | undefined;
	archived: boolean;
}

export function createLiveThread(threadId: string): LiveThread {
	return {
		threadId,
		loaded: false,
		subscribers: new Set(),
		activeTurnId: null,
		endedTurnId: null,
		failed: false,
		waits: new Map(),
		requests: new Map(),
		heldItems: new Map(),
		commandsSince: new Map(),
		heldTurn: null,
		flagUntilItem: new Map(),
		lateResolved: [],
		lastMessage: null,
		toldStatus: "",
		title: undefined,
		archived: false,
	};
}

const FLAG_ORDER: readonly WaitFlag[] = ["waitingOnApproval", "waitingOnUserInput"];

/** A thread's status as clients are told it; its flags always in one order. */
export function statusOf(live: LiveThread | undefined): ThreadStatus {
	if (live === undefined || !live.loaded) return { type: "notLoaded" };
	if (live.failed) return { type: "systemError" };
	if (live.activeTurnId === null) return { type: "idle" };
	const raised = new Set(live.waits.values());
	return { type: "active", activeFlags: FLAG_ORDER.filter((flag) => raised.has(flag)) };
}
