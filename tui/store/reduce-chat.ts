import type { ChatEvent, ChatSnapshot } from "#protocol/chat-event.ts";
import type { Item, PlanStep, UserInput } from "#protocol/codex-item.ts";
import type { Turn } from "#protocol/record.ts";
import { addEntry } from "../editor/history.ts";
import type { Cell } from "./cell.ts";
import type { State } from "./state.ts";
import { stepOf } from "./step.ts";
import { append, isShown, noteCell, settle } from "./update.ts";

/** A conversation that is opened again is shown again, so keys belong to the slot. */
function keyOf(state: State, id: string): string {
	return `${state.slot.id}/${id}`;
}

function textOf(content: readonly UserInput[]): string {
	return content.map((part) => part.text ?? `[${part.type}]`).join("\n");
}

function isNamedAlready(state: State): boolean {
	const last = [...state.printed.slice(-40), ...state.live].findLast(
		(cell) => cell.kind === "agent" || cell.kind === "user",
	);
	return last?.kind === "agent";
}

/** The cell of an item; undefined for what is not shown (finished reasoning, kinds of a newer daemon). */
function cellOf(state: State, item: Item, done: boolean, nowMs: number): Cell | undefined {
	const key = keyOf(state, item.id);
	switch (item.type) {
		case "userMessage":
			return {
				kind: "user",
				key,
				done: true,
				text: textOf(item.content),
				atMs: item.startedAtMs ?? item.completedAtMs ?? undefined,
			};
		case "agentMessage":
			return {
				kind: "agent",
				key,
				done,
				name: state.thread?.agent_name ?? "agent",
				text: item.text,
				isNamed: !isNamedAlready(state),
			};
		case "reasoning":
			return done ? undefined : { kind: "reasoning", key, done: false, text: item.summary.join("\n") };
		case "commandExecution":
			return {
				kind: "command",
				key,
				done,
				item,
				output: item.aggregatedOutput ?? "",
				startedAtMs: item.startedAtMs ?? nowMs,
			};
		case "fileChange":
			return { kind: "patch", key, done, item };
		case "plan":
			return { kind: "agent", key, done, name: "plan", text: item.text, isNamed: true };
		default: {
			const step = stepOf(item, done);
			return step && { kind: "step", key, done, step };
		}
	}
}

const PLAN_MARKS: Readonly<Record<PlanStep["status"], string>> = {
	pending: "[ ]",
	inProgress: "[>]",
	completed: "[x]",
};

/** The plan as it stands; what a turn's earlier one said stays in the scrollback. */
function putPlan(state: State, event: Extract<ChatEvent, { type: "chat.plan.updated" }>): State {
	const lines = event.plan.map((step) => `${PLAN_MARKS[step.status]} ${step.step}`);
	const key = keyOf(state, `plan:${event.turn_id}:${lines.join("/")}`);
	if (isShown(state, key)) return state;
	return append(state, { kind: "detail", key, done: true, title: event.explanation ?? "plan", lines });
}

function putItem(state: State, item: Item, done: boolean, nowMs: number): State {
	const at = state.live.findIndex((cell) => cell.key === keyOf(state, item.id));
	let next = state;
	if (item.type === "userMessage") next = dropOutgoing(next, item.clientId);
	if (at === -1) {
		if (isShown(state, keyOf(state, item.id))) return next;
		const cell = cellOf(next, item, done, nowMs);
		return cell ? append(next, cell) : next;
	}
	const before = next.live[at];
	const cell = cellOf(next, item, done, nowMs);
	if (cell?.kind === "agent" && before?.kind === "agent") {
		const kept = { ...cell, isNamed: before.isNamed };
		return settle({ ...next, live: next.live.with(at, kept) });
	}
	if (cell?.kind === "command" && before?.kind === "command") {
		const output =
			item.type === "commandExecution" && item.aggregatedOutput !== null ? cell.output : before.output;
		return settle({
			...next,
			live: next.live.with(at, { ...cell, output, startedAtMs: before.startedAtMs }),
		});
	}
	return settle({ ...next, live: cell ? next.live.with(at, cell) : next.live.toSpliced(at, 1) });
}

function dropOutgoing(state: State, clientId: string | null): State {
	if (clientId === null || !state.outbox.some((entry) => entry.clientMessageId === clientId)) return state;
	return { ...state, outbox: state.outbox.filter((entry) => entry.clientMessageId !== clientId) };
}

/** Output that is kept of one command while it runs; the finished item brings what the daemon kept. */
const OUTPUT_LIMIT = 200_000;

function addDelta(state: State, itemId: string, delta: string): State {
	const at = state.live.findIndex((cell) => cell.key === keyOf(state, itemId));
	const cell = state.live[at];
	if (!cell || cell.done) return state;
	if (cell.kind === "agent" || cell.kind === "reasoning") {
		return { ...state, live: state.live.with(at, { ...cell, text: cell.text + delta }) };
	}
	if (cell.kind === "command") {
		const output = (cell.output + delta).slice(-OUTPUT_LIMIT);
		return { ...state, live: state.live.with(at, { ...cell, output }) };
	}
	return state;
}

function startTurn(state: State, turn: Turn): State {
	if (state.turn?.turnId === turn.turn_id) return state;
	const notice = state.notice?.onEnter === undefined ? state.notice : undefined;
	return {
		...state,
		notice,
		turn: { turnId: turn.turn_id, startedAtMs: turn.started_at_ms, isInterrupting: false },
		turnNumber: state.turnNumber + 1,
	};
}

function interruptedText(reason: string | null): string {
	if (reason === null || reason === "") return "interrupted";
	return reason.startsWith("interrupted") ? reason : `interrupted: ${reason}`;
}

/** What the person can do about a failure that will not go by itself. */
function nextStep(turn: Turn, message: string): string[] {
	const isLogin = turn.error?.codexErrorInfo === "unauthorized" || /\b401\b/.test(message);
	return isLogin
		? ["The login was refused. /status shows which one is used; log in anew or correct its key."]
		: [];
}

/** How a turn that did not simply complete is told. */
function endCell(state: State, turn: Turn): Cell | undefined {
	const key = keyOf(state, `turn:${turn.turn_id}`);
	if (turn.status === "interrupted") {
		return noteCell(key, [interruptedText(turn.reason)], {
			token: "attention",
			glyph: "failed",
		});
	}
	if (turn.status !== "failed") return undefined;
	const message = turn.error?.message ?? turn.reason ?? "the turn failed";
	const details = turn.error?.additionalDetails;
	const lines = [message, ...(details ? [details] : []), ...nextStep(turn, message)];
	return noteCell(key, lines, { token: "bad", glyph: "failed" });
}

function endTurn(state: State, turn: Turn): State {
	// A message taken back from the queue ends its turn beside the running one, whose cells go on.
	if (state.turn !== undefined && state.turn.turnId !== turn.turn_id) {
		const note = endCell(state, turn);
		return note && !isShown(state, note.key) ? append(state, note) : state;
	}
	// Whatever is still open will get no end of its own.
	const live = state.live.map((cell) => (cell.done ? cell : { ...cell, done: true }));
	const shown = live.filter(
		(cell) => cell.kind !== "reasoning" && !(cell.kind === "agent" && cell.text === ""),
	);
	const isOwn = state.turn?.turnId === turn.turn_id;
	const ended = settle({ ...state, live: shown, turn: isOwn ? undefined : state.turn });
	const cell = endCell(state, turn);
	return cell && !isShown(ended, cell.key) ? append(ended, cell) : ended;
}

/** One event of the open thread. */
export function reduceChatEvent(state: State, event: ChatEvent, nowMs: number): State {
	if (event.thread_id !== state.slot.threadId) return state;
	switch (event.type) {
		case "chat.turn.started":
			return startTurn(state, event.turn);
		case "chat.turn.completed":
			return endTurn(state, event.turn);
		case "chat.item.started":
			return putItem(state, event.item, event.item.type === "userMessage", nowMs);
		case "chat.item.completed":
			return putItem(state, event.item, true, nowMs);
		case "chat.message.delta":
		case "chat.reasoning.delta":
		case "chat.command.output":
			return addDelta(state, event.item_id, event.delta);
		case "chat.reasoning.part":
			return addDelta(state, event.item_id, "\n");
		case "chat.plan.delta":
			return addDelta(state, event.item_id, event.delta);
		case "chat.plan.updated":
			return putPlan(state, event);
		case "chat.usage.updated":
			return { ...state, usage: event.usage };
		case "chat.error": {
			if (event.will_retry) {
				return {
					...state,
					notice: {
						text: `model: ${event.error.message}`,
						token: "attention",
						untilMs: nowMs + 8_000,
					},
				};
			}
			const key = keyOf(state, `error:${event.turn_id}:${event.error.message}`);
			// The turn's own end repeats the message.
			return isShown(state, key) || state.turn !== undefined
				? state
				: append(state, noteCell(key, [event.error.message], { token: "bad", glyph: "failed" }));
		}
		default:
			return state;
	}
}

/** Puts the turns of a snapshot behind what is shown already; nothing is shown twice. */
export function reduceSnapshot(state: State, snapshot: ChatSnapshot, nowMs: number): State {
	const { thread, turns } = snapshot;
	if (thread.thread_id !== state.slot.threadId) return state;
	const isFirst = state.slot.status !== "open";
	const epoch = state.link.kind === "connected" ? state.link.epoch : state.slot.epoch;
	const wasRunning = state.turn;
	let next: State = {
		...state,
		thread,
		usage: thread.usage ?? state.usage,
		slot: { ...state.slot, status: "open", epoch },
	};
	const headerKey = `header:${state.slot.id}`;
	if (isFirst && !isShown(next, headerKey))
		next = append(next, { kind: "header", key: headerKey, done: true, thread });
	if (isFirst && snapshot.has_more) {
		next = append(
			next,
			noteCell(`more:${state.slot.id}`, ["earlier turns are kept by the daemon and not shown here"], {
				token: "muted",
				glyph: "none",
			}),
		);
	}
	for (const turn of turns) next = putTurn(next, turn, nowMs);
	next = { ...next, turnNumber: Math.max(thread.turn_count, turns.length) };
	if (turns.every((turn) => turn.status !== "inProgress")) next = { ...next, turn: undefined };
	const lost =
		wasRunning && turns.find((turn) => turn.turn_id === wasRunning.turnId && turn.status === "interrupted");
	if (lost && state.slot.epoch !== undefined && epoch !== state.slot.epoch) {
		const text = `the daemon was restarted; turn ${next.turnNumber} was interrupted (enter to continue it)`;
		next = { ...next, notice: { text, token: "attention", untilMs: undefined, onEnter: "continue" } };
	}
	return next;
}

function putTurn(state: State, turn: Turn, nowMs: number): State {
	const isOpen = turn.status === "inProgress";
	let next = isOpen ? startTurn(state, turn) : state;
	for (const item of turn.items) {
		next = putItem(next, item, !isOpen || isFinished(item), nowMs);
		if (item.type === "userMessage")
			next = { ...next, history: addEntry(next.history, textOf(item.content)) };
	}
	return isOpen ? next : endTurn(next, turn);
}

function isFinished(item: Item): boolean {
	if ("status" in item) return item.status !== "inProgress";
	return item.type === "userMessage" || (item.completedAtMs ?? null) !== null;
}
