import type { LoopEvent, SteerMessage } from "#daemon/agent/loop-port.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { ToolContext } from "#daemon/agent/tool.ts";
import { closedAs, isActing } from "#daemon/storage/repository/chat-acting.ts";
import type { TurnStep } from "#daemon/storage/repository/chat-turn.ts";
import type { FaultPoint } from "#daemon/telemetry/port.ts";
import type { Item } from "#protocol/codex-item.ts";
import type { Activity } from "./activity.ts";
import type { RunnerDeps } from "./deps.ts";
import { createJournal, type Journal } from "./journal.ts";
import { createLiveItems } from "./live-items.ts";
import { createTurnSteers } from "./turn-steers.ts";
import { createTurnVoice } from "./turn-voice.ts";

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
	readonly items: Required<ToolContext["items"]>;
	readonly effects: ToolContext["effects"];
	add(step: TurnStep): void;
	/** Nothing is done to the world before this has settled: what was before must be known by then. */
	holdEffects(until: Promise<unknown>): void;
	flush(): Promise<void>;
	/** Commits what was said so far together with another change. */
	commitWith<T>(write: (steps: readonly TurnStep[]) => Promise<T>): Promise<T>;
	/** Takes up messages of the store that steer this turn and are not known yet. */
	pullSteers(): void;
	takeSteer(): readonly SteerMessage[];
	/** For the model to read within this turn where it comes to another response, else after it. */
	addAside(items: readonly ModelItem[]): void;
	takeAside(): readonly ModelItem[];
	onSteer(listener: () => void): Disposable;
	/** For snapshots: ahead of the store. */
	listItems(): Item[];
	/** After the last tool call: items that nobody will complete any more. */
	closeLeftovers(atMs: number): Promise<void>;
}

/** Text is told at once and not in line, so it has to wait for the line to be empty. */
const BEGINS: ReadonlySet<LoopEvent["type"]> = new Set([
	"item_started",
	"message_delta",
	"reasoning_delta",
	"reasoning_text_delta",
	"plan_delta",
] as const);

interface EffectPorts {
	journal: Journal;
	fault: FaultPoint;
	signal: AbortSignal;
	/** Remembers which items may have acted. */
	intended: Set<string>;
	ready(): Promise<unknown>;
}

/** Commits what a tool is about to do and what came of it. */
function createEffects({ journal, fault, signal, intended, ready }: EffectPorts): ToolContext["effects"] {
	return {
		async intend({ itemId, kind, detail }) {
			await ready();
			signal.throwIfAborted();
			intended.add(itemId);
			journal.add({ step: "effect_intended", item_id: itemId, kind, detail });
			await journal.flush();
			fault("tool.before-spawn");
			if (!signal.aborted) return;
			// The turn ended during the commit; nothing has happened yet, and nothing may any more.
			intended.delete(itemId);
			journal.add({ step: "effect_done", item_id: itemId, outcome: { not_started: true } });
			signal.throwIfAborted();
		},
		async started(itemId, { pid, startTime }) {
			fault("tool.after-spawn");
			journal.add({ step: "effect_started", item_id: itemId, pid, start_time: startTime });
			await journal.flush();
		},
		async done(itemId, outcome) {
			fault("tool.before-done");
			journal.add({ step: "effect_done", item_id: itemId, outcome });
		},
	};
}

export function createLiveTurn(
	deps: RunnerDeps,
	activity: Activity,
	turn: { threadId: string; turnId: string },
): LiveTurn {
	const { store, fault, logger, clock } = deps;
	const about = { thread_id: turn.threadId, turn_id: turn.turnId };
	const controller = new AbortController();
	const intended = new Set<string>();
	const steers = createTurnSteers(store, clock, turn.turnId);
	const live = createLiveItems(steers.openingItems);
	const journal = createJournal({
		store,
		clock,
		turn: about,
		partials: () =>
			live.takeDirty().map(({ ordinal, item }) => ({ step: "item", ordinal, item, phase: "saved" })),
		onSettled: (batch) => voice.settled(batch),
		onLost: (batch) => voice.lost(batch),
		onFailure: (error) => logger.error("a turn's steps were not saved", { ...about, error: String(error) }),
	});
	const stored = new Set(steers.openingItems.map((item) => item.id));
	const voice = createTurnVoice({ turn: about, activity, journal, live, dress: steers.dress, stored });
	let asides: readonly ModelItem[] = [];
	let ended = false;
	let ready: Promise<unknown> = Promise.resolve();

	return {
		...turn,
		signal: controller.signal,
		messages: steers.opening,
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
			if (event.type === "history" || event.type === "history_replaced") {
				journal.add({ step: event.type, items: event.items });
				return;
			}
			// What begins now comes after what was finished; that is told when it is on disk.
			if (voice.isHolding && BEGINS.has(event.type)) await journal.flush();
			// What an answer cost counts also when the turn was cut before it could be told.
			if (!ended || event.type === "usage_updated") voice.say(event);
		},
		items: {
			async started(item) {
				if (!ended) voice.started(item);
			},
			output: voice.output,
			completed: voice.completeDurably,
			diff: voice.diff,
			input: voice.input,
			plan(explanation, plan) {
				if (!ended) voice.plan(explanation, plan);
			},
			note(method, params) {
				if (!ended) voice.note(method, params);
			},
		},
		effects: createEffects({ journal, fault, signal: controller.signal, intended, ready: () => ready }),
		add: (step) => void journal.add(step),
		holdEffects(until) {
			ready = until.catch(() => undefined);
		},
		flush: journal.flush,
		commitWith: journal.commitWith,
		pullSteers: steers.pull,
		takeSteer: steers.take,
		addAside(items) {
			journal.add({ step: "history_later", items });
			if (!ended) asides = [...asides, ...items];
		},
		takeAside() {
			const taken = asides;
			asides = [];
			if (taken.length > 0) journal.add({ step: "history_taken_up", items: taken });
			return taken;
		},
		onSteer: steers.onArrival,
		listItems: live.list,
		async closeLeftovers(atMs) {
			for (const { item } of live.openItems()) {
				if (!isActing(item)) continue;
				const how = intended.has(item.id) ? "outcomeUnknown" : "declined";
				await voice.completeDurably(closedAs(item, how, atMs));
			}
			await journal.flush();
		},
	};
}
