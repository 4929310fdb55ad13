import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import type { Item, PlanStep, TokenUsage, TurnError, UserInput } from "#protocol/codex-item.ts";
import type { TurnKind } from "#protocol/record.ts";
import type { ModelItem, ModelOptions, ModelProvider } from "./model.ts";
import type { Tool, ToolContext } from "./tool.ts";

/** What the loop tells as it goes; the runner persists and publishes. Same shapes and order as codex.md section 2. */
export type LoopEvent =
	| { type: "item_started"; item: Item }
	| { type: "item_completed"; item: Item }
	| { type: "message_delta"; itemId: string; delta: string }
	| { type: "reasoning_delta"; itemId: string; summaryIndex: number; delta: string }
	| { type: "reasoning_part"; itemId: string; summaryIndex: number }
	| { type: "reasoning_text_delta"; itemId: string; contentIndex: number; delta: string }
	| { type: "plan_delta"; itemId: string; delta: string }
	| { type: "plan_updated"; explanation: string | null; plan: readonly PlanStep[] }
	/** A Codex notification without an event of ours; the runner adds threadId and turnId. */
	| { type: "note"; method: string; params: Readonly<Record<string, unknown>> }
	| { type: "command_output"; itemId: string; delta: string }
	| { type: "diff_updated"; diff: string }
	| { type: "usage_updated"; usage: TokenUsage }
	| { type: "error"; error: TurnError; willRetry: boolean }
	/** New history, in order; to be stored with the items it belongs to. */
	| { type: "history"; items: readonly ModelItem[] }
	/** After compaction: this is the whole history from here on; what was before stays readable, and rollback may return to it. */
	| { type: "history_replaced"; items: readonly ModelItem[] };

/** A message for the running turn, taken at a boundary. */
export interface SteerMessage {
	clientId: string | null;
	text: string;
	/** What was sent, part by part, where it is more than text; the item carries it verbatim. */
	content?: readonly UserInput[];
	/** Where the text came from, for the user item; a weave message says who sent it. */
	itemId: string;
}

export interface LoopPorts {
	readonly provider: ModelProvider;
	readonly tools: readonly Tool[];
	readonly clock: Clock;
	readonly newId: NewId;
	readonly random: () => number;
	/** Awaited before the loop goes on, so that what was said is durable where it must be. */
	emit(event: LoopEvent): Promise<void>;
	/** The context of one tool call. */
	toolContext(callId: string): ToolContext;
	/** Takes the messages that arrived meanwhile; the loop asks at each boundary. */
	takeSteer(): readonly SteerMessage[];
	/** What happened beside the turn and the model is to read; asked for ahead of each response, behind the outputs before it. */
	takeAside?(): readonly ModelItem[];
	/** Fires when a steer message arrived, so that the stream in flight is cut (codex.md, steer). */
	onSteer(listener: () => void): Disposable;
	/** Work that outlives the loop: the turn's items may still change until it settles. */
	hold?(work: Promise<unknown>): void;
	hooks: HookRunner;
}

/** What a review looks at (Codex `ReviewTarget`), and how it is shown. */
export interface ReviewInput {
	readonly target: Readonly<Record<string, unknown>>;
	/** As the entered item names it: "current changes", "commit abc" ... */
	readonly userFacingHint: string;
	readonly prompt: string;
}

export interface TurnInput {
	/** Absent: regular. `user_shell` turns never reach the loop. */
	readonly kind?: TurnKind;
	readonly review?: ReviewInput | null;
	readonly options?: ModelOptions;
	/** Codex collaboration mode: in `plan` a `<proposed_plan>` block becomes a plan item. */
	readonly mode?: "default" | "plan";
	/** config.toml's show_raw_agent_reasoning. */
	readonly showRawReasoning?: boolean;
	/** Clients want every raw response item (`note` rawResponseItem/completed). */
	readonly rawEvents?: boolean;
	/** config.toml's compact_prompt, where set. */
	readonly compactPrompt?: string | null;
	/** How often the history was compacted before this turn. */
	readonly windowNumber?: number;
	readonly threadId: string;
	readonly turnId: string;
	readonly model: string | null;
	/** The thread's folder, absolute. */
	readonly cwd: string;
	readonly messages: readonly SteerMessage[];
	/** Prompt sections as input items (AGENTS.md, environment, permissions ...), ahead of history. */
	readonly prelude: readonly ModelItem[];
	readonly history: readonly ModelItem[];
	readonly usageBefore: TokenUsage | null;
}

/** How a turn ended; a value, never a throw. */
export type TurnOutcome =
	| { status: "completed"; finalText: string | null }
	| { status: "interrupted"; reason: string }
	| { status: "failed"; error: TurnError };

/** Why a turn ends whose place a task takes; the model is not told of it as of an interrupt by the person. */
export const REPLACED_REASON = "replaced by another task";

export type RunTurn = (input: TurnInput, ports: LoopPorts, signal: AbortSignal) => Promise<TurnOutcome>;

/** Lifecycle hooks by the names of architecture.md 4. A hook that throws is logged and skipped. */
export const HOOK_NAMES = [
	"before_agent_start",
	"before_tool_call",
	"after_tool_call",
	"tool_result_persist",
	"agent_end",
	"before_compaction",
	"after_compaction",
] as const;
export type HookName = (typeof HOOK_NAMES)[number];
export interface HookRunner {
	run(name: HookName, input: Readonly<Record<string, unknown>>): Promise<void>;
}
