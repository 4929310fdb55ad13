import type { AgentMessageItem, ReasoningItem, TokenUsage, UserMessageItem } from "#protocol/codex-item.ts";
import type { LoopPorts, SteerMessage, TurnInput } from "#daemon/agent/loop-port.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
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
	const { clock, emit } = turn.ports;
	for (const message of messages) {
		const item: UserMessageItem = {
			type: "userMessage",
			id: message.itemId,
			clientId: message.clientId,
			content: [{ type: "text", text: message.text, text_elements: [] }],
			startedAtMs: clock.nowMs(),
			completedAtMs: null,
		};
		await emit({ type: "item_started", item });
		await remember(turn, [userItem(message.text)]);
		await emit({ type: "item_completed", item: { ...item, completedAtMs: clock.nowMs() } });
	}
}

/** Open items of one response: started when the model starts them, completed with its authoritative text. */
export interface OpenItems {
	start(id: string, kind: "message" | "reasoning", phase: string | null): Promise<void>;
	/** Completes a message or reasoning item, starting it where the model did not; other items do nothing. */
	complete(item: ModelItem): Promise<void>;
}

export function createOpenItems(turn: Turn): OpenItems {
	const { clock, emit, newId } = turn.ports;
	const startedAtMs = new Map<string, number>();

	async function start(id: string, kind: "message" | "reasoning", phase: string | null): Promise<void> {
		if (startedAtMs.has(id)) return;
		const now = clock.nowMs();
		startedAtMs.set(id, now);
		const timing = { startedAtMs: now, completedAtMs: null };
		if (kind === "message") {
			await emit({ type: "item_started", item: { type: "agentMessage", id, text: "", phase, ...timing } });
		} else {
			await emit({ type: "item_started", item: { type: "reasoning", id, summary: [], content: [], ...timing } });
		}
	}

	async function complete(item: ModelItem): Promise<void> {
		const kind = item.type === "message" ? "message" : item.type === "reasoning" ? "reasoning" : null;
		if (kind === null) return;
		const id = typeof item["id"] === "string" && item["id"] !== "" ? item["id"] : newId();
		const phase = typeof item["phase"] === "string" ? item["phase"] : null;
		await start(id, kind, phase);
		const timing = { startedAtMs: startedAtMs.get(id) ?? null, completedAtMs: clock.nowMs() };
		if (kind === "message") {
			const done: AgentMessageItem = { type: "agentMessage", id, text: messageText(item), phase, ...timing };
			turn.finalText = done.text;
			await emit({ type: "item_completed", item: done });
		} else {
			const summary = reasoningTexts(item, "summary");
			const content = reasoningTexts(item, "content");
			const done: ReasoningItem = { type: "reasoning", id, summary, content, ...timing };
			await emit({ type: "item_completed", item: done });
		}
	}
	return { start, complete };
}
