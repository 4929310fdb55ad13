import type { ChatEvent, ChatSnapshot } from "#protocol/chat-event.ts";
import type {
	Approval,
	ApprovalDecision,
	ApprovalPolicy,
	Terminal,
	Thread,
	WeaveAgent,
	WeaveMessage,
} from "#protocol/record.ts";
import type { KeyEvent } from "../keymap/key-event.ts";
import type { Cell } from "./cell.ts";
import type { Account, LinkView, Notice, PanelRow } from "./state.ts";

/** What is done to a conversation beside talking in it. */
export type ThreadTask = "compact" | "fork" | "plan" | "review" | "rollback";

/** Everything that can happen to the TUI: keys, the wire, time. */
export type Action =
	| { type: "key"; event: KeyEvent }
	| { type: "paste"; text: string }
	| { type: "resized"; columns: number; rows: number }
	| { type: "ticked" }
	| { type: "link_changed"; link: LinkView }
	| { type: "account_read"; account: Account }
	| { type: "settings_wanted"; model?: string; policy?: ApprovalPolicy }
	| { type: "thread_opening"; threadId: string }
	| { type: "thread_created"; slotId: string; thread: Thread }
	| { type: "thread_open_failed"; slotId: string; message: string; isRetryable: boolean }
	| { type: "slot_reset" }
	| { type: "chat_snapshot"; snapshot: ChatSnapshot }
	| { type: "chat_event"; event: ChatEvent }
	| { type: "message_submitted"; text: string; whenBusy: "steer" | "queue" }
	| { type: "message_acknowledged"; clientMessageId: string; delivery: "started" | "steered" | "queued" }
	/** A command of the person's own runs; what comes of it is an item of the thread. */
	| { type: "command_started"; clientMessageId: string }
	| { type: "task_wanted"; task: ThreadTask; text: string }
	| { type: "message_refused"; clientMessageId: string; message: string; isRetryable: boolean }
	| { type: "interrupt_refused"; message: string | undefined }
	| { type: "approvals_snapshot"; approvals: readonly Approval[] }
	| { type: "approval_put"; approval: Approval }
	| { type: "approval_resolved"; approval: Approval }
	| { type: "approval_armed"; approvalId: string }
	| { type: "approval_quiet"; approvalId: string }
	| { type: "approval_held"; holdId: string }
	| { type: "approval_refused"; approvalId: string; message: string; isGone: boolean }
	| { type: "question_refused"; message: string }
	| { type: "agents_snapshot"; agents: readonly WeaveAgent[] }
	| { type: "agent_put"; agent: WeaveAgent }
	| { type: "agent_removed"; agentId: string }
	| { type: "threads_snapshot"; threads: readonly Thread[] }
	| { type: "thread_put"; thread: Thread }
	| { type: "thread_removed"; threadId: string }
	| { type: "terminals_snapshot"; terminals: readonly Terminal[] }
	| { type: "terminal_put"; terminal: Terminal }
	| { type: "terminal_removed"; terminalId: string }
	| { type: "mail_submitted"; to: string; text: string }
	| { type: "mail_changed"; clientMessageId?: string; message: WeaveMessage }
	| { type: "mail_refused"; clientMessageId: string; message: string }
	| { type: "panel_opened"; kind: "help" | "threads" | "agents" | "terminals" | "models" }
	| { type: "panel_filled"; kind: "threads" | "models"; rows: readonly PanelRow[] }
	| { type: "draft_edited"; text: string }
	/** Something to say that goes by itself. */
	| { type: "remarked"; text: string; token: Notice["token"] }
	| { type: "noticed"; notice: Notice | undefined }
	| { type: "printed"; cell: Cell }
	| { type: "attach_asked"; terminal: string | undefined }
	| { type: "status_asked" }
	| { type: "exit_asked"; code: number };

/** What is to be done outside; the effect runner does it and dispatches what came of it. */
export type Effect =
	| { kind: "create_thread"; slotId: string; cwd: string; model?: string; policy?: ApprovalPolicy }
	| { kind: "watch_thread"; slotId: string; threadId: string }
	| { kind: "unwatch_thread" }
	| {
			kind: "send_message";
			threadId: string;
			clientMessageId: string;
			text: string;
			whenBusy: "steer" | "queue";
	  }
	| { kind: "run_command"; threadId: string; clientMessageId: string; command: string }
	| { kind: "thread_task"; threadId: string; task: ThreadTask; text: string; id: string }
	| { kind: "interrupt"; threadId: string }
	| { kind: "update_settings"; threadId: string; model?: string; policy?: ApprovalPolicy }
	| {
			kind: "answer_approval";
			approvalId: string;
			digest: string;
			decision: ApprovalDecision;
			confirm?: string;
	  }
	| { kind: "answer_question"; questionId: string; result: unknown }
	| { kind: "arm_approval"; approvalId: string; afterMs: number }
	/** Comes back as this action. */
	| { kind: "later"; afterMs: number; action: Action }
	| { kind: "send_mail"; clientMessageId: string; to: string; text: string }
	| { kind: "list_threads" }
	| { kind: "list_models" }
	| { kind: "read_status" }
	| { kind: "attach"; terminal: string | undefined }
	| { kind: "edit_draft"; text: string }
	| { kind: "redraw" }
	| { kind: "suspend" }
	| { kind: "bell" }
	| { kind: "exit"; code: number };
