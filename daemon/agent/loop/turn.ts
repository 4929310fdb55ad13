import type { LoopPorts, SteerMessage, TurnInput } from "#daemon/agent/loop-port.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { AgentMessageItem, ReasoningItem, TokenUsage, UserMessageItem } from "#protocol/codex-item.ts";
import { messageText, reasoningTexts, userItem } from "./history.ts";

/** What a running turn knows; the loop's parts share it. */
export interface Turn {
	readonly input: TurnInput;
	readonly ports: LoopPorts;
	/** Aborted when the turn is interrupted. */
	readonly signal: AbortSignal;
	readonly history: ModelItem[];
	usage: TokenUsage | null;
	finalText: string | null;
}

/** Adds to the history, told in order. */
export async function remember(turn: Turn, items: readonly ModelItem[]): Promise<void> {
	if (items.length === 0) return;
	turn.history.push(...items);
	await turn.ports.emit({ type: "history", items });
}

/** Items and history of messages a person or another agent sent. */
export async function addMessages(turn: Turn, messages: readonly SteerMessage[]): Promise<void> {
	const { clock } = turn.ports;
	for (const message of messages) {
		const item: UserMessageItem = {
			type: "userMessage",
			id: message.itemId,
			clientId: message.clientId,
			content: [{ type: "text", text: message.text, text_elements: [] }],
			startedAtMs: clock.nowMs(),
			completedAtMs: null,
		};
		await turn.ports.emit({ type: "item_started", item });
		await remember(turn, [userItem(message.text)]);
		await turn.ports.emit({ type: "item_completed", item: { ...item, completedAtMs: clock.nowMs() } });
	}
}

interface Timing {
	startedAtMs: number | null;
	completedAtMs: number | null;
}

const KINDS: ReadonlyMap<string, "message" | "reasoning"> = new Map([
	["message", "message"],
	["reasoning", "reasoning"],
] as const);

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

function messageItem(
	item: ModelItem,
	about: { id: string; phase: string | null; timing: Timing },
): AgentMessageItem {
	return { type: "agentMessage", id: about.id, text: messageText(item), phase: about.phase, ...about.timing };
}

function reasoningItem(item: ModelItem, about: { id: string; timing: Timing }): ReasoningItem {
	const summary = reasoningTexts(item, "summary");
	const content = reasoningTexts(item, "content");
	return { type: "reasoning", id: about.id, summary, content, ...about.timing };
}

/** Open items of one response: started when the model starts them, completed with its authoritative text. */
export interface OpenItems {
	start(id: string, kind: "message" | "reasoning", phase: string | null): Promise<void>;
	/** Completes a message or reasoning item, starting it where the model did not; other items do nothing. */
	complete(item: ModelItem): Promise<void>;
}

export function createOpenItems(turn: Turn): OpenItems {
	const { clock } = turn.ports;
	const startedAtMs = new Map<string, number>();

	async function start(id: string, kind: "message" | "reasoning", phase: string | null): Promise<void> {
		if (startedAtMs.has(id)) return;
		const now = clock.nowMs();
		startedAtMs.set(id, now);
		const timing = { startedAtMs: now, completedAtMs: null };
		if (kind === "message") {
			await turn.ports.emit({
				type: "item_started",
				item: { type: "agentMessage", id, text: "", phase, ...timing },
			});
		} else {
			await turn.ports.emit({
				type: "item_started",
				item: { type: "reasoning", id, summary: [], content: [], ...timing },
			});
		}
	}

	async function complete(item: ModelItem): Promise<void> {
		const kind = KINDS.get(item.type);
		if (kind === undefined) return;
		const id = text(item["id"]) ?? turn.ports.newId();
		const phase = text(item["phase"]);
		await start(id, kind, phase);
		const timing = { startedAtMs: startedAtMs.get(id) ?? null, completedAtMs: clock.nowMs() };
		const done =
			kind === "message" ? messageItem(item, { id, phase, timing }) : reasoningItem(item, { id, timing });
		if (done.type === "agentMessage") turn.finalText = done.text;
		await turn.ports.emit({ type: "item_completed", item: done });
	}
	return { start, complete };
}
