import type { LoopPorts, TurnInput } from "#daemon/agent/loop-port.ts";
import type { ModelDescription, ModelItem } from "#daemon/agent/model.ts";
import type { TokenCounts, TokenUsage } from "#protocol/codex-item.ts";
import { addUsage, fullUsage } from "./usage.ts";

/** What a running turn knows; the loop's parts share it. */
export interface Turn {
	readonly input: TurnInput;
	readonly ports: LoopPorts;
	/** Aborted when the turn is interrupted. */
	readonly signal: AbortSignal;
	readonly model: ModelDescription;
	/** `apart`: a review's own conversation, of which the thread keeps neither history nor usage, and no streamed text is told. */
	readonly apart: boolean;
	history: ModelItem[];
	usage: TokenUsage | null;
	finalText: string | null;
	/** How often the history was compacted, this turn included. */
	windowNumber: number;
	/** As the provider said it last. */
	rateLimits: Readonly<Record<string, unknown>>;
	/** The turn's diff as tools told it last. */
	diff: string | null;
	plan: { started: boolean; completed: boolean };
}

/** Codex's snapshot when nothing is known. */
const NO_LIMITS = {
	limitId: "codex",
	limitName: null,
	normalModelSlug: null,
	primary: null,
	secondary: null,
	credits: null,
	individualLimit: null,
	spendControlReached: null,
	planType: null,
	rateLimitReachedType: null,
};

export function createTurn(input: TurnInput, ports: LoopPorts, signal: AbortSignal, apart = false): Turn {
	return {
		...{ input, ports, signal, apart },
		model: ports.provider.describe(input.model),
		history: apart ? [] : [...input.history],
		usage: input.usageBefore,
		finalText: null,
		windowNumber: input.windowNumber ?? 0,
		rateLimits: NO_LIMITS,
		diff: null,
		plan: { started: false, completed: false },
	};
}

/** Adds to the history, told in order. */
export async function remember(turn: Turn, items: readonly ModelItem[]): Promise<void> {
	if (items.length === 0) return;
	turn.history.push(...items);
	if (!turn.apart) await turn.ports.emit({ type: "history", items });
}

/** From here on the history is this. */
export async function replaceHistory(turn: Turn, items: readonly ModelItem[]): Promise<void> {
	turn.history = [...items];
	turn.windowNumber += 1;
	await turn.ports.emit({ type: "history_replaced", items });
}

/** Usage, limits and the turn's diff, as the real server tells them after every stream that had begun. */
export async function tellUsage(turn: Turn): Promise<void> {
	if (turn.apart) return;
	const { emit } = turn.ports;
	if (turn.usage !== null) await emit({ type: "usage_updated", usage: turn.usage });
	await tellLimits(turn);
	if (turn.diff !== null) await emit({ type: "diff_updated", diff: turn.diff });
}

async function tellLimits(turn: Turn): Promise<void> {
	const params = { rateLimits: { ...NO_LIMITS, ...turn.rateLimits } };
	await turn.ports.emit({ type: "note", method: "account/rateLimits/updated", params });
}

/** Counts what a response took. */
export function countUsage(turn: Turn, usage: TokenCounts | null): void {
	if (usage !== null) turn.usage = addUsage(turn.usage, usage, turn.model.contextWindow);
}

/** The window counts as used up. */
export async function tellFullWindow(turn: Turn): Promise<void> {
	const window = turn.model.contextWindow;
	if (window === null) return;
	turn.usage = fullUsage(turn.usage, window);
	await tellUsage(turn);
}
