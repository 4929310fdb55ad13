import { toAppError } from "#base/app-error.ts";
import { createDeferred, type Deferred } from "#base/deferred.ts";
import type { LoopEvent, LoopPorts, SteerMessage, TurnInput, TurnOutcome } from "#daemon/agent/loop-port.ts";
import type { ToolContext } from "#daemon/agent/tool.ts";
import { type Item, type TokenCounts, type TurnError, turnErrorSchema } from "#protocol/codex-item.ts";
import { type CodexNotification, type CodexProcess, CodexRefusal } from "./codex-process.ts";
import { createToldHistory, type ToldHistory } from "./told-history.ts";
import { toItem, toLoopEvents, toNote } from "./translate.ts";

type UsageEvent = Extract<LoopEvent, { type: "usage_updated" }>;

/** One turn at the program, from its first word until nothing of it is open. */
export interface Running {
	readonly input: TurnInput;
	readonly ports: LoopPorts;
	readonly context: ToolContext;
	readonly process: CodexProcess;
	readonly providerThreadId: string;
	/** What the thread had cost before the program knew it. */
	readonly usageBefore: TokenCounts | null;
	/** The program's id of the turn, once it is known. */
	turnId: string | undefined;
	readonly history: ToldHistory;
	readonly items: Map<string, Item>;
	/** Our messages by the id that they were sent with. */
	readonly messages: Map<string, SteerMessage>;
	readonly open: Set<string>;
	/** Items that wait, or waited in vain, for an answer: nothing was done of them. */
	readonly asking: Set<string>;
	/** Items whose effect was announced to the store and has not ended. */
	readonly acting: Set<string>;
	finalText: string | null;
	/** The program told a final error by itself. */
	isErrorTold: boolean;
	/** How it ended, as the program says; an interrupted one ends here too. */
	readonly outcome: Deferred<TurnOutcome>;
	/** Nothing of the turn is open any more; items of an interrupted one may come after its outcome. */
	readonly settled: Deferred<void>;
	isOver: boolean;
	/** The program ended before the turn did. */
	isLost: boolean;
	/** Everything that the program said so far was told on; a question of its own comes after that. */
	told: Promise<unknown>;
}

export function createRunningTurn(
	input: TurnInput,
	ports: LoopPorts,
	place: Pick<Running, "context" | "process" | "providerThreadId" | "usageBefore">,
): Running {
	return {
		input,
		ports,
		...place,
		turnId: undefined,
		history: createToldHistory(input.history, ports.newId),
		items: new Map(),
		messages: new Map(input.messages.map((message) => [message.itemId, message])),
		open: new Set(),
		asking: new Set(),
		acting: new Set(),
		finalText: null,
		isErrorTold: false,
		told: Promise.resolve(),
		outcome: createDeferred(),
		settled: createDeferred(),
		isOver: false,
		isLost: false,
	};
}

/** The id of the turn that a message of the program carries. */
export function turnIdOf(value: unknown): string | undefined {
	const turn = (value as { turn?: { id?: unknown } } | null)?.turn;
	return typeof turn?.id === "string" ? turn.id : undefined;
}

/** A turn's error for what went wrong with the program. */
export function failure(error: unknown): TurnError {
	// What the program refuses it explains to the person better than we could.
	const { message } = error instanceof CodexRefusal ? error : toAppError(error);
	return { message, codexErrorInfo: "other", additionalDetails: null };
}

/** Announces to the store that an item is about to act. @throws the signal's reason once the turn is interrupted. */
export async function intendEffect(
	running: Running,
	effect: Parameters<ToolContext["effects"]["intend"]>[0],
): Promise<void> {
	running.acting.add(effect.itemId);
	await running.context.effects.intend(effect);
}

/** A person's own words carry our ids and times of day, whatever the program calls them. */
function ownItem(running: Running, item: Item): Item {
	if (item.type !== "userMessage" || item.clientId === null) return item;
	const message = running.messages.get(item.clientId);
	return message === undefined ? item : { ...item, id: message.itemId, clientId: message.clientId };
}

/** The program acts by itself where nobody has to be asked; the store has to know that something may have happened. */
async function noteActing(running: Running, item: Item): Promise<void> {
	const { context } = running;
	const intend = async (
		kind: "command" | "patch" | "call",
		detail: Record<string, unknown>,
	): Promise<void> => {
		// It is under way already; an interrupt that comes first changes nothing about that.
		await intendEffect(running, { itemId: item.id, kind, detail }).catch(() => undefined);
	};
	switch (item.type) {
		case "commandExecution":
			if (item.processId !== null) await intend("command", { command: item.command, cwd: item.cwd });
			break;
		case "fileChange":
			if (context.approvalPolicy === "never") await intend("patch", { cwd: context.cwd });
			break;
		case "mcpToolCall":
			await intend("call", { server: item.server, tool: item.tool });
			break;
		default:
	}
}

async function takeTool(running: Running, item: Item, done: boolean): Promise<boolean> {
	const { context, acting } = running;
	switch (item.type) {
		case "commandExecution":
		case "fileChange":
		case "mcpToolCall":
		case "dynamicToolCall":
			if (!done) {
				await context.items.started(item);
				await noteActing(running, item);
				return true;
			}
			if (acting.delete(item.id)) await context.effects.done(item.id, { status: item.status });
			await context.items.completed(item);
			return true;
		default:
			return false;
	}
}

async function emitAll(running: Running, events: readonly LoopEvent[]): Promise<void> {
	for (const event of events) await running.ports.emit(event);
}

async function takeItem(running: Running, told: unknown, done: boolean): Promise<void> {
	const parsed = toItem(told);
	if (parsed === null) return;
	const item = ownItem(running, parsed);
	const { ports, items, open, history } = running;
	items.set(item.id, item);
	if (done) open.delete(item.id);
	else open.add(item.id);
	if (item.type === "contextCompaction") {
		if (done) await emitAll(running, history.compactionEnds());
		else history.compactionBegins();
	}
	if (done && item.type === "agentMessage") running.finalText = item.text;
	if (!(await takeTool(running, item, done)))
		await ports.emit({ type: done ? "item_completed" : "item_started", item });
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
		if (running.items.get(id)?.type !== "commandExecution" || running.asking.has(id)) running.open.delete(id);
	}
	if (running.open.size === 0) running.settled.resolve();
	running.outcome.resolve(outcome);
}

/** The program counts from when it got the thread. */
function withFormer({ usageBefore }: Running, event: UsageEvent): UsageEvent {
	if (usageBefore === null) return event;
	const { total } = event.usage;
	const sum = {
		totalTokens: usageBefore.totalTokens + total.totalTokens,
		inputTokens: usageBefore.inputTokens + total.inputTokens,
		cachedInputTokens: usageBefore.cachedInputTokens + total.cachedInputTokens,
		cacheWriteInputTokens: usageBefore.cacheWriteInputTokens + total.cacheWriteInputTokens,
		outputTokens: usageBefore.outputTokens + total.outputTokens,
		reasoningOutputTokens: usageBefore.reasoningOutputTokens + total.reasoningOutputTokens,
	};
	return { ...event, usage: { ...event.usage, total: { ...total, ...sum } } };
}

/** What only clients want to know who asked for it. */
const RAW: ReadonlySet<string> = new Set(["rawResponseItem/completed", "rawResponse/completed"]);

/** Tells what the program said of this turn. */
export async function takeNotification(running: Running, notification: CodexNotification): Promise<void> {
	const { method, params } = notification;
	if (method === "item/started" || method === "item/completed") {
		await takeItem(running, params["item"], method === "item/completed");
		return;
	}
	if (running.input.rawEvents === true && RAW.has(method)) await running.ports.emit(toNote(notification));
	if (method === "rawResponseItem/completed") {
		await emitAll(running, running.history.item(params["item"], running.turnId));
		return;
	}
	// A thread that is taken up again tells what its former turns cost.
	if (method === "thread/tokenUsage/updated" && params["turnId"] !== running.turnId) return;
	for (const event of toLoopEvents(notification)) {
		if (event.type === "error" && !event.willRetry) running.isErrorTold = true;
		await running.ports.emit(event.type === "usage_updated" ? withFormer(running, event) : event);
	}
	if (method === "turn/completed" && turnIdOf(params) === running.turnId)
		finish(running, endOf(running, params));
}
