import { toAppError } from "#base/app-error.ts";
import { createDeferred, type Deferred } from "#base/deferred.ts";
import type { LoopPorts, SteerMessage, TurnInput, TurnOutcome } from "#daemon/agent/loop-port.ts";
import type { ToolContext } from "#daemon/agent/tool.ts";
import { type Item, type TurnError, turnErrorSchema } from "#protocol/codex-item.ts";
import type { CodexNotification } from "./codex-process.ts";
import { toItem, toLoopEvents } from "./translate.ts";

/** One turn at the program, from its first word until nothing of it is open. */
export interface Running {
	readonly input: TurnInput;
	readonly ports: LoopPorts;
	readonly context: ToolContext;
	readonly providerThreadId: string;
	/** The program's id of the turn, once it is known. */
	turnId: string | undefined;
	readonly items: Map<string, Item>;
	/** Our messages by the id that they were sent with. */
	readonly messages: Map<string, SteerMessage>;
	readonly open: Set<string>;
	finalText: string | null;
	/** The program told a final error by itself. */
	isErrorTold: boolean;
	readonly outcome: Deferred<TurnOutcome>;
	/** Nothing of the turn is open any more; items of an interrupted one may come later. */
	readonly settled: Deferred<void>;
	isOver: boolean;
}

export function createRunningTurn(
	input: TurnInput,
	ports: LoopPorts,
	place: { context: ToolContext; providerThreadId: string },
): Running {
	return {
		input,
		ports,
		...place,
		turnId: undefined,
		items: new Map(),
		messages: new Map(input.messages.map((message) => [message.itemId, message])),
		open: new Set(),
		finalText: null,
		isErrorTold: false,
		outcome: createDeferred(),
		settled: createDeferred(),
		isOver: false,
	};
}

export function turnIdOf(value: unknown): string | undefined {
	const turn = (value as { turn?: { id?: unknown } } | null)?.turn;
	return typeof turn?.id === "string" ? turn.id : undefined;
}

export function failure(error: unknown): TurnError {
	return { message: toAppError(error).message, codexErrorInfo: "other", additionalDetails: null };
}

/** A person's own words carry our ids and times of day, whatever the program calls them. */
function ownItem(running: Running, item: Item): Item {
	if (item.type !== "userMessage" || item.clientId === null) return item;
	const message = running.messages.get(item.clientId);
	return message === undefined ? item : { ...item, id: message.itemId, clientId: message.clientId };
}

async function takeItem(running: Running, told: unknown, done: boolean): Promise<void> {
	const parsed = toItem(told);
	if (parsed === null) return;
	const item = ownItem(running, parsed);
	const { ports, context, items, open } = running;
	items.set(item.id, item);
	if (done) open.delete(item.id);
	else open.add(item.id);
	switch (item.type) {
		case "commandExecution":
		case "fileChange":
		case "mcpToolCall":
		case "dynamicToolCall":
			if (done) await context.items.completed(item);
			else await context.items.started(item);
			break;
		default:
			if (done && item.type === "agentMessage") running.finalText = item.text;
			await ports.emit({ type: done ? "item_completed" : "item_started", item });
	}
	if (running.isOver && open.size === 0) running.settled.resolve();
}

function endOf(running: Running, params: CodexNotification["params"]): TurnOutcome {
	const turn = (params["turn"] ?? {}) as { status?: unknown; error?: unknown };
	if (turn.status === "completed") return { status: "completed", finalText: running.finalText };
	if (turn.status === "interrupted") return { status: "interrupted", reason: "cancelled by the user" };
	const error = turnErrorSchema.safeParse(turn.error);
	return { status: "failed", error: error.success ? error.data : failure("the turn failed") };
}

/** Decides the end, once. What a command left running when its turn was interrupted still tells is waited for. */
export function finish(running: Running, outcome: TurnOutcome): void {
	if (running.isOver) return;
	running.isOver = true;
	for (const id of running.open) {
		const type = running.items.get(id)?.type;
		if (type !== "commandExecution") running.open.delete(id);
	}
	if (running.open.size === 0) running.settled.resolve();
	running.outcome.resolve(outcome);
}

/** Tells what the program said of this turn. */
export async function takeNotification(running: Running, notification: CodexNotification): Promise<void> {
	const { method, params } = notification;
	if (method === "item/started" || method === "item/completed") {
		await takeItem(running, params["item"], method === "item/completed");
		return;
	}
	for (const event of toLoopEvents(notification)) {
		if (event.type === "error" && !event.willRetry) running.isErrorTold = true;
		await running.ports.emit(event);
	}
	if (method === "turn/completed" && turnIdOf(params) === running.turnId)
		finish(running, endOf(running, params));
}
