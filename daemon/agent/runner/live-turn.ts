import { createEmitter } from "#base/emitter.ts";
import type { LoopEvent, SteerMessage } from "#daemon/agent/loop-port.ts";
import type { ToolContext } from "#daemon/agent/tool.ts";
import {
	type ChatMessageRow,
	listTurnMessages,
	userItemOf,
} from "#daemon/storage/repository/chat-message.ts";
import type { TurnStep } from "#daemon/storage/repository/chat-turn.ts";
import type { CommandExecutionItem, FileChangeItem, Item, UserMessageItem } from "#protocol/codex-item.ts";
import type { Activity } from "./activity.ts";
import type { RunnerDeps } from "./deps.ts";
import { createJournal } from "./journal.ts";
import { createLiveItems } from "./live-items.ts";

/** A turn in memory: what its loop and tools say becomes events and steps in the store. It lives until its last tool call ends. */
export interface LiveTurn {
	readonly threadId: string;
	readonly turnId: string;
	readonly signal: AbortSignal;
	/** The messages it was opened with. */
	readonly messages: readonly SteerMessage[];
	/** True once its end is decided: its loop has nothing more to say but history, its running commands do. */
	readonly ended: boolean;
	/** Decides the end; true for the first caller only. */
	end(): boolean;
	abort(reason: string): void;
	emit(event: LoopEvent): Promise<void>;
	readonly items: ToolContext["items"];
	readonly effects: ToolContext["effects"];
	add(step: TurnStep): void;
	flush(): Promise<void>;
	takeSteps(): TurnStep[];
	/** Takes up messages of the store that steer this turn and are not known yet. */
	pullSteers(): void;
	takeSteer(): readonly SteerMessage[];
	onSteer(listener: () => void): Disposable;
	/** For snapshots: ahead of the store. */
	listItems(): Item[];
	/** After the last tool call: items that nobody will complete any more. */
	closeLeftovers(atMs: number): Promise<void>;
}

type ToolItem = CommandExecutionItem | FileChangeItem;

function toSteer(message: ChatMessageRow): SteerMessage {
	const what = message.origin_kind === "reply" ? "Reply" : "Message";
	const from =
		message.origin_message_id === null ? "" : `${what} from #${message.from_name ?? "unknown"}:\n\n`;
	return { clientId: message.client_message_id, text: `${from}${message.text}`, itemId: message.item_id };
}

export function createLiveTurn(
	deps: RunnerDeps,
	activity: Activity,
	turn: { threadId: string; turnId: string },
): LiveTurn {
	const { store, fault, logger } = deps;
	const { threadId, turnId } = turn;
	const about = { thread_id: threadId, turn_id: turnId };
	const controller = new AbortController();
	const steerEmitter = createEmitter<void>();
	const rows = new Map<string, ChatMessageRow>();
	const intended = new Set<string>();
	const opening = listTurnMessages(store, turnId).filter((message) => message.state === "taken");
	for (const row of opening) rows.set(row.item_id, row);
	const live = createLiveItems(opening.map((row) => userItemOf(row, deps.clock.nowMs())));
	const journal = createJournal({
		store,
		clock: deps.clock,
		turn: about,
		partials: () =>
			live.takeDirty().map(({ ordinal, item }) => ({ step: "item", ordinal, item, phase: "saved" })),
		onFailure: (error) => logger.error("a turn's steps were not saved", { ...about, error: String(error) }),
	});
	let steers: SteerMessage[] = [];
	let ended = false;

	/** The person's words as sent, with who sent them; the loop knows the text alone. */
	function dress(item: Item): Item {
		const row = item.type === "userMessage" ? rows.get(item.id) : undefined;
		if (row === undefined || row.origin_message_id === null) return item;
		const own: UserMessageItem = userItemOf(row, deps.clock.nowMs());
		return { ...own, startedAtMs: item.startedAtMs ?? null, completedAtMs: item.completedAtMs ?? null };
	}

	function started(told: Item): void {
		const item = dress(told);
		journal.add({ step: "item", ordinal: live.start(item), item, phase: "started" });
		activity.event({ type: "chat.item.started", ...about, item_id: item.id, item });
	}

	function complete(told: Item): Item {
		const item = dress(told);
		journal.add({ step: "item", ordinal: live.complete(item), item, phase: "completed" });
		return item;
	}

	function announceCompleted(item: Item): void {
		activity.event({ type: "chat.item.completed", ...about, item_id: item.id, item });
	}

	function delta(type: "chat.message.delta" | "chat.command.output", itemId: string, text: string): void {
		activity.delta({ type, ...about, item_id: itemId, delta: text });
		journal.textGrew();
	}

	async function completeDurably(item: ToolItem): Promise<void> {
		activity.flush();
		const done = complete(item);
		await journal.flush();
		announceCompleted(done);
	}

	function say(event: Exclude<LoopEvent, { type: "history" }>): void {
		switch (event.type) {
			case "item_started":
				return started(event.item);
			case "item_completed":
				return announceCompleted(complete(event.item));
			case "message_delta":
				live.appendText(event.itemId, event.delta);
				return delta("chat.message.delta", event.itemId, event.delta);
			case "reasoning_delta":
				live.appendReasoning(event.itemId, event.summaryIndex, event.delta);
				activity.delta({
					type: "chat.reasoning.delta",
					...about,
					item_id: event.itemId,
					delta: event.delta,
					summary_index: event.summaryIndex,
				});
				return journal.textGrew();
			case "command_output":
				live.appendOutput(event.itemId, event.delta);
				return delta("chat.command.output", event.itemId, event.delta);
			case "diff_updated":
				return activity.event({ type: "chat.diff.updated", ...about, diff: event.diff });
			case "usage_updated":
				journal.add({ step: "usage", usage: event.usage });
				return activity.event({ type: "chat.usage.updated", ...about, usage: event.usage });
			case "error":
				journal.add({ step: "error", error: event.error, will_retry: event.willRetry });
				return activity.event({
					type: "chat.error",
					...about,
					error: event.error,
					will_retry: event.willRetry,
				});
		}
	}

	return {
		threadId,
		turnId,
		signal: controller.signal,
		messages: opening.map(toSteer),
		get ended() {
			return ended;
		},
		end() {
			if (ended) return false;
			ended = true;
			activity.flush();
			return true;
		},
		abort: (reason) => controller.abort(reason),
		async emit(event) {
			if (event.type === "history") journal.add({ step: "history", items: event.items });
			else if (!ended) say(event);
		},
		items: {
			async started(item) {
				if (!ended) started(item);
			},
			output(itemId, text) {
				live.appendOutput(itemId, text);
				delta("chat.command.output", itemId, text);
			},
			completed: completeDurably,
			diff: (diff) => activity.event({ type: "chat.diff.updated", ...about, diff }),
		},
		effects: {
			async intend({ itemId, kind, detail }) {
				controller.signal.throwIfAborted();
				intended.add(itemId);
				journal.add({ step: "effect_intended", item_id: itemId, kind, detail });
				await journal.flush();
				fault("tool.before-spawn");
			},
			async started(itemId, process) {
				fault("tool.after-spawn");
				journal.add({
					step: "effect_started",
					item_id: itemId,
					pid: process.pid,
					start_time: process.startTime,
				});
				await journal.flush();
			},
			async done(itemId, outcome) {
				fault("tool.before-done");
				journal.add({ step: "effect_done", item_id: itemId, outcome });
			},
		},
		add: journal.add,
		flush: journal.flush,
		takeSteps: journal.take,
		pullSteers() {
			const fresh = listTurnMessages(store, turnId).filter(
				(message) => message.state === "waiting" && !rows.has(message.item_id),
			);
			for (const row of fresh) {
				rows.set(row.item_id, row);
				steers.push(toSteer(row));
			}
			if (fresh.length > 0) steerEmitter.emit();
		},
		takeSteer() {
			const taken = steers;
			steers = [];
			return taken;
		},
		onSteer: (listener) => steerEmitter.on(listener),
		listItems: live.list,
		async closeLeftovers(atMs) {
			for (const { item } of live.openItems()) {
				if (item.type !== "commandExecution" && item.type !== "fileChange") continue;
				const status = intended.has(item.id) ? "outcomeUnknown" : "declined";
				await completeDurably({ ...item, status, completedAtMs: atMs });
			}
			await journal.flush();
		},
	};
}
