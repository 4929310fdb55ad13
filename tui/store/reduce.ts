import { insertPaste, replaceText } from "../editor/editor.ts";
import type { Action } from "./action.ts";
import { endHold, settleFocus } from "./approval-answer.ts";
import type { Cell, CellOf } from "./cell.ts";
import { flushOutbox } from "./conversation.ts";
import { putQuestion, replaceQuestions } from "./question.ts";
import {
	armApproval,
	putApproval,
	refuseApproval,
	replaceApprovals,
	resolveApproval,
} from "./reduce-approval.ts";
import { reduceChatEvent, reduceSnapshot } from "./reduce-chat.ts";
import { reduceKey } from "./reduce-key.ts";
import type { LinkView, Outgoing, State } from "./state.ts";
import { reduceCommandAction } from "./submit.ts";
import { append, isShown, noteCell, only, type ReduceContext, remark, type Update } from "./update.ts";

function changeLink(state: State, link: LinkView): Update {
	// What was not acknowledged goes again under the same ids; the daemon stores each id once.
	const outbox =
		link.kind === "connected"
			? state.outbox.map((entry) =>
					entry.state === "sending" ? { ...entry, state: "waiting" as const } : entry,
				)
			: state.outbox;
	const isStuck =
		link.kind === "connected" && state.slot.status === "creating" && state.link.kind !== "connected";
	const slot = isStuck ? { ...state.slot, status: "empty" as const } : state.slot;
	return flushOutbox({ ...state, link, outbox, slot });
}

function acknowledge(state: State, id: string, delivery: Outgoing["state"]): State {
	return {
		...state,
		outbox: state.outbox.map((entry) =>
			entry.clientMessageId === id ? { ...entry, state: delivery } : entry,
		),
	};
}

/** A refused message is told and can be had back by Up; an unreachable daemon is not a refusal. */
function refuseMessage(state: State, id: string, message: string, isRetryable: boolean): State {
	const entry = state.outbox.find((each) => each.clientMessageId === id);
	if (!entry) return state;
	if (isRetryable) return acknowledge(state, id, "waiting");
	const rest = { ...state, outbox: state.outbox.filter((each) => each !== entry) };
	const editor = rest.editor.text === "" ? replaceText(rest.editor, entry.text) : rest.editor;
	const cell = noteCell(`refused:${id}`, [`not sent: ${message}`, entry.text], {
		token: "bad",
		glyph: "failed",
	});
	return append({ ...rest, editor }, cell);
}

function failOpening(state: State, slotId: string, message: string, isRetryable: boolean): State {
	if (state.slot.id !== slotId) return state;
	const slot = { ...state.slot, status: "empty" as const, threadId: undefined };
	if (isRetryable) return { ...state, slot };
	let next: State = { ...state, slot };
	for (const entry of state.outbox)
		if (entry.slotId === slotId) next = refuseMessage(next, entry.clientMessageId, message, false);
	return next.outbox.length === state.outbox.length
		? append(next, noteCell(`unopened:${slotId}`, [message], { token: "bad", glyph: "failed" }))
		: next;
}

const FINAL_MAIL: ReadonlySet<string> = new Set(["answered", "done", "failed", "dropped"]);

function changeMail(state: State, action: Extract<Action, { type: "mail_changed" }>): State {
	const { message } = action;
	const key = `mail:${message.message_id}`;
	if (isShown(state, key)) return state;
	const isOurs = action.clientMessageId !== undefined || state.mail.some((cell) => cell.key === key);
	if (!isOurs) return state;
	const done = FINAL_MAIL.has(message.state);
	const cell: CellOf<"mail"> = { kind: "mail", key, done, message };
	const mail = state.mail.filter((entry) => entry.key !== key);
	return done ? append({ ...state, mail }, cell) : { ...state, mail: [...mail, cell] };
}

function putBy<T>(rows: readonly T[], row: T, idOf: (row: T) => string): readonly T[] {
	const at = rows.findIndex((entry) => idOf(entry) === idOf(row));
	return at === -1 ? [...rows, row] : rows.with(at, row);
}

function reduceRecord(state: State, action: Action): State {
	switch (action.type) {
		case "agents_snapshot":
			return { ...state, agents: action.agents };
		case "agent_put":
			return { ...state, agents: putBy(state.agents, action.agent, (row) => row.agent_id) };
		case "agent_removed":
			return { ...state, agents: state.agents.filter((row) => row.agent_id !== action.agentId) };
		case "threads_snapshot":
			return {
				...state,
				threads: action.threads,
				thread: action.threads.find((row) => row.thread_id === state.slot.threadId) ?? state.thread,
			};
		case "thread_put": {
			const isOpen = action.thread.thread_id === state.slot.threadId;
			const threads = putBy(state.threads, action.thread, (row) => row.thread_id);
			return { ...state, threads, thread: isOpen ? action.thread : state.thread };
		}
		case "thread_removed":
			return { ...state, threads: state.threads.filter((row) => row.thread_id !== action.threadId) };
		case "terminals_snapshot":
			return { ...state, terminals: action.terminals };
		case "terminal_put":
			return { ...state, terminals: putBy(state.terminals, action.terminal, (row) => row.terminal_id) };
		case "terminal_removed":
			return { ...state, terminals: state.terminals.filter((row) => row.terminal_id !== action.terminalId) };
		default:
			return state;
	}
}

function tick(state: State, nowMs: number): State {
	const isOver = state.notice?.untilMs !== undefined && state.notice.untilMs <= nowMs;
	const exitUntilMs =
		state.exitUntilMs !== undefined && state.exitUntilMs <= nowMs ? undefined : state.exitUntilMs;
	return { ...state, nowMs, exitUntilMs, notice: isOver ? undefined : state.notice };
}

function openCreated(state: State, action: Extract<Action, { type: "thread_created" }>): Update {
	if (state.slot.id !== action.slotId) return only(state);
	const { thread } = action;
	const slot = { ...state.slot, threadId: thread.thread_id };
	const header: Cell = { kind: "header", key: `header:${slot.id}`, done: true, thread };
	const opened = append({ ...state, slot, thread }, header);
	const update = flushOutbox(opened);
	// Watching first: no event of the first turn is missed, and its snapshot has the message in it anyway.
	return {
		state: update.state,
		effects: [{ kind: "watch_thread", slotId: slot.id, threadId: thread.thread_id }, ...update.effects],
	};
}

function reduceApprovalAction(state: State, action: Action, nowMs: number): Update {
	switch (action.type) {
		case "approvals_snapshot":
			return replaceApprovals(state, action.approvals, nowMs);
		case "approval_put":
			return putApproval(state, action.approval, nowMs);
		case "approval_resolved":
			return resolveApproval(state, action.approval, nowMs);
		case "approval_armed":
			return armApproval(state, action.approvalId, nowMs);
		case "approval_quiet": {
			const isHead = state.approvals.queue[0]?.approval_id === action.approvalId;
			return isHead ? settleFocus(state, nowMs) : only(state);
		}
		case "approval_held":
			return endHold(state, action.holdId);
		case "approval_refused":
			return refuseApproval(state, action, nowMs);
		default:
			return only(state);
	}
}

function reduceEvent(state: State, action: Extract<Action, { type: "chat_event" }>, nowMs: number): Update {
	const { event } = action;
	const next = reduceChatEvent(state, event, nowMs);
	if (event.type === "chat.question.required" || event.type === "chat.question.resolved")
		return only(putQuestion(next, event.question));
	if (event.type === "chat.approval.required") return putApproval(next, event.approval, nowMs);
	if (event.type === "chat.approval.resolved") return resolveApproval(next, event.approval, nowMs);
	return only(next);
}

function paste(state: State, text: string, nowMs: number): State {
	const { approvals } = state;
	const calm = { ...state, lastKeyMs: nowMs, exitUntilMs: undefined };
	if (approvals.confirm !== undefined || state.panel !== undefined || state.history.search !== undefined)
		return calm;
	return {
		...calm,
		editor: insertPaste(state.editor, text),
		history: { ...state.history, index: undefined },
		popup: { selected: 0, closedFor: undefined },
		approvals: { ...approvals, isFocused: false, held: undefined },
	};
}

/** The next state and what is to be done outside. Pure: time and ids come from the context. */
export function reduce(before: State, action: Action, context: ReduceContext): Update {
	const { nowMs } = context;
	const state = before.nowMs === nowMs ? before : { ...before, nowMs };
	switch (action.type) {
		case "key":
			return reduceKey(state, action.event, context);
		case "paste":
			return only(paste(state, action.text, nowMs));
		case "resized":
			return only({ ...state, columns: action.columns, rows: action.rows });
		case "ticked":
			return only(tick(state, nowMs));
		case "link_changed":
			return changeLink(state, action.link);
		case "account_read":
			return only({ ...state, account: action.account });
		case "thread_created":
			return openCreated(state, action);
		case "thread_open_failed":
			return only(failOpening(state, action.slotId, action.message, action.isRetryable));
		case "chat_snapshot": {
			const { thread, questions = [] } = action.snapshot;
			const shown = replaceQuestions(state, thread.thread_id, questions);
			const next = reduceSnapshot(shown, action.snapshot, nowMs);
			return flushOutbox(next);
		}
		case "chat_event":
			return reduceEvent(state, action, nowMs);
		case "message_acknowledged":
			return only(acknowledge(state, action.clientMessageId, action.delivery));
		case "command_started":
			return only({
				...state,
				outbox: state.outbox.filter((entry) => entry.clientMessageId !== action.clientMessageId),
			});
		case "message_refused":
			return only(refuseMessage(state, action.clientMessageId, action.message, action.isRetryable));
		case "interrupt_refused": {
			const turn = state.turn === undefined ? undefined : { ...state.turn, isInterrupting: false };
			const next = { ...state, turn };
			return only(action.message === undefined ? next : remark(next, action.message, nowMs, "attention"));
		}
		case "mail_changed":
			return only(changeMail(state, action));
		case "mail_refused": {
			const cell = noteCell(`mail:${action.clientMessageId}`, [`not sent: ${action.message}`], {
				token: "bad",
				glyph: "failed",
			});
			return only(append(state, cell));
		}
		case "panel_filled":
			if (state.panel?.kind !== action.kind) return only(state);
			return only({ ...state, panel: { ...state.panel, rows: action.rows, isLoading: false } });
		case "question_refused":
			return only(remark(state, action.message, nowMs, "attention"));
		case "draft_edited":
			return only({ ...state, editor: replaceText(state.editor, action.text) });
		case "remarked":
			return only(remark(state, action.text, nowMs, action.token));
		case "noticed":
			return only({ ...state, notice: action.notice });
		case "printed":
			return only(append(state, action.cell));
		default: {
			const record = reduceRecord(state, action);
			if (record !== state) return only(record);
			const approval = reduceApprovalAction(state, action, nowMs);
			return approval.state !== state || approval.effects.length > 0
				? approval
				: reduceCommandAction(state, action, context);
		}
	}
}
