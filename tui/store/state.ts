import type { TokenUsage } from "#protocol/codex-item.ts";
import type {
	Approval,
	ApprovalDecision,
	ApprovalPolicy,
	Question,
	Terminal,
	Thread,
	WeaveAgent,
} from "#protocol/record.ts";
import { type EditorState, EMPTY_EDITOR } from "../editor/editor.ts";
import { EMPTY_HISTORY, type HistoryState } from "../editor/history.ts";
import type { Token } from "../theme/theme.ts";
import type { Cell, CellOf } from "./cell.ts";

/** What does not change while the TUI runs. */
export interface Surroundings {
	readonly version: string;
	/** This machine's name. */
	readonly machine: string;
	readonly cwd: string;
	readonly homeDir: string | undefined;
}

export type LinkView =
	| { readonly kind: "connecting" }
	| { readonly kind: "connected"; readonly epoch: string }
	| { readonly kind: "reconnecting"; readonly attempt: number; readonly retryAtMs: number }
	| { readonly kind: "refused"; readonly message: string; readonly remedy: string }
	| { readonly kind: "closed" };

export interface Account {
	readonly provider: string;
	readonly model: string | null;
	readonly login: "none" | "api_key" | "chatgpt";
	readonly detail: string;
}

/** The conversation on the screen. It has an id of its own, because a thread is made at the first message only. */
export interface Slot {
	readonly id: string;
	readonly status: "empty" | "creating" | "opening" | "open";
	readonly threadId: string | undefined;
	/** Which connected daemon last described the open thread. */
	readonly epoch: string | undefined;
}

/** A message on its way; it leaves this list when its item appears in the thread. */
export interface Outgoing {
	readonly clientMessageId: string;
	readonly slotId: string;
	readonly text: string;
	readonly whenBusy: "steer" | "queue";
	/** `text` is `!` and a command of the person's own, not a message. */
	readonly isCommand?: boolean;
	/** `waiting`: not handed to the daemon yet; `sent`: acknowledged and stored there. */
	readonly state: "waiting" | "sending" | "started" | "steered" | "queued";
}

export interface Answer {
	readonly approvalId: string;
	readonly decision: ApprovalDecision;
}

export interface ApprovalQueue {
	/** First seen first; the head is the one on the screen and stays there until it is resolved. */
	readonly queue: readonly Approval[];
	readonly shownAtMs: number;
	/** The head may be answered: it has been on the screen long enough to be read. */
	readonly isArmed: boolean;
	/** Keys go to the head instead of the composer. */
	readonly isFocused: boolean;
	/** The person gave it the keys; else it took them because nobody typed. */
	readonly isAsked: boolean;
	/** The person left this one for later: it takes no keys by itself again. */
	readonly isPutOff: boolean;
	/** An answer that waits for its quiet window to be over, and the key it was given by. */
	readonly held:
		| { readonly decision: ApprovalDecision; readonly holdId: string; readonly key: string }
		| undefined;
	/** First row in sight of a request that is taller than its place. */
	readonly scroll: number;
	/** Its last row has been on the screen. */
	readonly isRead: boolean;
	/** The word being typed for a destructive one. */
	readonly confirm: string | undefined;
	/** Answers of this client that the daemon has not confirmed yet. */
	readonly answers: readonly Answer[];
}

export interface QuestionQueue {
	/** First asked first. */
	readonly queue: readonly Question[];
	/** To the parts of the head, so far. */
	readonly answers: readonly string[];
}

export interface PanelRow {
	readonly id: string;
	readonly glyph: "working" | "waiting" | "idle" | "needsYou" | "failed" | "none";
	readonly name: string;
	readonly text: string;
	readonly right: string;
}

/** A list in place of the newest transcript rows; it has the keys while it is open. */
export interface Panel {
	readonly kind: "help" | "threads" | "agents" | "terminals" | "models";
	readonly selected: number;
	readonly filter: string;
	readonly isLoading: boolean;
	/** Rows of panels that are asked for once; the live ones read the state. */
	readonly rows: readonly PanelRow[];
}

export interface Notice {
	readonly text: string;
	readonly token: Token;
	readonly untilMs: number | undefined;
	/** Enter on an empty line sends this. */
	readonly onEnter?: string;
}

export interface RunningTurn {
	readonly turnId: string;
	readonly startedAtMs: number;
	readonly isInterrupting: boolean;
}

/** Everything that the screen shows; frozen by convention, replaced by reducers. */
export interface State {
	readonly surroundings: Surroundings;
	readonly columns: number;
	readonly rows: number;
	readonly nowMs: number;
	readonly link: LinkView;
	readonly account: Account | undefined;
	readonly slot: Slot;
	readonly thread: Thread | undefined;
	/** For the next thread, or the open one's next turn. */
	readonly wantedModel: string | undefined;
	readonly wantedPolicy: ApprovalPolicy | undefined;
	readonly turn: RunningTurn | undefined;
	readonly turnNumber: number;
	readonly usage: TokenUsage | undefined;
	/** In the scrollback already; only ever grows. */
	readonly printed: readonly Cell[];
	/** Still changing, or waiting behind one that does. */
	readonly live: readonly Cell[];
	/** Messages to other agents without an answer yet. */
	readonly mail: readonly CellOf<"mail">[];
	readonly outbox: readonly Outgoing[];
	readonly approvals: ApprovalQueue;
	readonly questions: QuestionQueue;
	readonly agents: readonly WeaveAgent[];
	readonly threads: readonly Thread[];
	readonly terminals: readonly Terminal[];
	readonly editor: EditorState;
	readonly history: HistoryState;
	readonly popup: { readonly selected: number; readonly closedFor: string | undefined };
	readonly panel: Panel | undefined;
	readonly notice: Notice | undefined;
	/** A second Ctrl+C before this leaves. */
	readonly exitUntilMs: number | undefined;
	readonly lastKeyMs: number;
	/** How many steps Ctrl+O has shown since the newest one. */
	readonly isExiting: boolean;
	/** The first-run text has been shown and replaced by a conversation. */
	readonly hasConversation: boolean;
}

export const NO_APPROVALS: ApprovalQueue = {
	queue: [],
	shownAtMs: 0,
	isArmed: false,
	isFocused: false,
	isAsked: false,
	isPutOff: false,
	held: undefined,
	scroll: 0,
	isRead: false,
	confirm: undefined,
	answers: [],
};

export function createState(surroundings: Surroundings, slotId: string, nowMs: number): State {
	return {
		surroundings,
		columns: 80,
		rows: 24,
		nowMs,
		link: { kind: "connecting" },
		account: undefined,
		slot: { id: slotId, status: "empty", threadId: undefined, epoch: undefined },
		thread: undefined,
		wantedModel: undefined,
		wantedPolicy: undefined,
		turn: undefined,
		turnNumber: 0,
		usage: undefined,
		printed: [],
		live: [],
		mail: [],
		outbox: [],
		approvals: NO_APPROVALS,
		questions: { queue: [], answers: [] },
		agents: [],
		threads: [],
		terminals: [],
		editor: EMPTY_EDITOR,
		history: EMPTY_HISTORY,
		popup: { selected: 0, closedFor: undefined },
		panel: undefined,
		notice: undefined,
		exitUntilMs: undefined,
		lastKeyMs: Number.NEGATIVE_INFINITY,
		isExiting: false,
		hasConversation: false,
	};
}
