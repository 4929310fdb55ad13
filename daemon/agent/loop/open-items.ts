import type { ModelItem } from "#daemon/agent/model.ts";
import type { AgentMessageItem, Item, ReasoningItem } from "#protocol/codex-item.ts";
import { messageText, reasoningTexts } from "./history.ts";
import { createPlanText, type PlanPiece, type PlanText, splitPlan } from "./plan-text.ts";
import type { Turn } from "./turn.ts";
import { webSearchItems } from "./web-search.ts";

interface Timing {
	startedAtMs: number | null;
	completedAtMs: number | null;
}

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** An answer as the real server shapes it; members of features that we have not are null, as there. */
export function agentMessage(about: {
	id: string;
	text: string;
	phase: string | null;
	timing: Timing;
}): AgentMessageItem {
	const { id, phase, timing } = about;
	return {
		type: "agentMessage",
		moderation: null,
		id,
		text: about.text,
		phase,
		memoryCitation: null,
		delivery: null,
		questions: null,
		...timing,
	};
}

/** Tells an item that begins and ends at one time. */
export async function tellWhole(turn: Turn, item: Item): Promise<void> {
	const startedAtMs = turn.ports.clock.nowMs();
	await turn.ports.emit({ type: "item_started", item: { ...item, startedAtMs, completedAtMs: null } });
	const completedAtMs = turn.ports.clock.nowMs();
	await turn.ports.emit({ type: "item_completed", item: { ...item, startedAtMs, completedAtMs } });
}

/** Items of one response: started when the model starts them, completed with its authoritative text. */
export interface OpenItems {
	start(id: string, kind: "message" | "reasoning", phase: string | null): Promise<void>;
	/** Text of an open message. */
	write(id: string, delta: string): Promise<void>;
	/** Completes what the model finished, starting it where the model did not; items that clients do not see do nothing. */
	complete(item: ModelItem): Promise<void>;
}

interface OpenMessage {
	phase: string | null;
	startedAtMs: number | null;
	cut: PlanText;
	/** Blank text that no client has seen: an answer that is all plan has no message. */
	blank: string;
}

function planItems(turn: Turn) {
	const id = `${turn.input.turnId}-plan`;
	const { emit, clock } = turn.ports;
	let startedAtMs: number | null = null;
	return {
		async open(): Promise<void> {
			if (turn.plan.started) return;
			turn.plan.started = true;
			startedAtMs = clock.nowMs();
			await emit({
				type: "item_started",
				item: { type: "plan", id, text: "", startedAtMs, completedAtMs: null },
			});
		},
		write: (delta: string) => emit({ type: "plan_delta", itemId: id, delta }),
		async complete(plan: string | null): Promise<void> {
			if (plan === null || turn.plan.completed) return;
			await this.open();
			turn.plan.completed = true;
			const timing = { startedAtMs, completedAtMs: clock.nowMs() };
			await emit({ type: "item_completed", item: { type: "plan", id, text: plan, ...timing } });
		},
	};
}

function messages(turn: Turn) {
	const { emit, clock } = turn.ports;
	const planMode = turn.input.mode === "plan" && !turn.apart;
	const open = new Map<string, OpenMessage>();
	const plan = planItems(turn);

	function of(id: string, phase: string | null): OpenMessage {
		const known = open.get(id);
		if (known !== undefined) return known;
		const message: OpenMessage = { phase, startedAtMs: null, cut: createPlanText(), blank: "" };
		open.set(id, message);
		return message;
	}

	async function show(id: string, message: OpenMessage): Promise<void> {
		if (message.startedAtMs !== null) return;
		message.startedAtMs = clock.nowMs();
		const timing = { startedAtMs: message.startedAtMs, completedAtMs: null };
		await emit({ type: "item_started", item: agentMessage({ id, text: "", phase: message.phase, timing }) });
	}

	async function say(id: string, message: OpenMessage, piece: PlanPiece): Promise<void> {
		if (piece.kind === "open") return plan.open();
		if (piece.kind === "plan") return plan.write(piece.text);
		if (message.startedAtMs === null && piece.text.trim() === "") {
			message.blank += piece.text;
			return;
		}
		await show(id, message);
		const delta = message.blank + piece.text;
		message.blank = "";
		await emit({ type: "message_delta", itemId: id, delta });
	}

	return {
		async start(id: string, phase: string | null): Promise<void> {
			const message = of(id, phase);
			if (!planMode) await show(id, message);
		},
		async write(id: string, delta: string): Promise<void> {
			if (turn.apart) return;
			if (!planMode) return emit({ type: "message_delta", itemId: id, delta });
			const message = of(id, null);
			for (const piece of message.cut.take(delta)) await say(id, message, piece);
		},
		async complete(item: ModelItem): Promise<void> {
			const phase = text(item["phase"]);
			const id = text(item["id"]) ?? turn.ports.newId();
			const message = of(id, phase);
			const whole = messageText(item);
			const parts = planMode ? splitPlan(whole) : { text: whole, plan: null };
			if (planMode) for (const piece of message.cut.end()) await say(id, message, piece);
			await plan.complete(parts.plan);
			if (planMode && parts.text.trim() === "") return;
			await show(id, message);
			turn.finalText = parts.text;
			if (turn.apart) return;
			const timing = { startedAtMs: message.startedAtMs, completedAtMs: clock.nowMs() };
			await emit({ type: "item_completed", item: agentMessage({ id, text: parts.text, phase, timing }) });
		},
	};
}

export function createOpenItems(turn: Turn): OpenItems {
	const { emit, clock } = turn.ports;
	const answers = messages(turn);
	const thoughtAtMs = new Map<string, number>();

	async function think(id: string): Promise<void> {
		if (thoughtAtMs.has(id)) return;
		const startedAtMs = clock.nowMs();
		thoughtAtMs.set(id, startedAtMs);
		const item: ReasoningItem = {
			type: "reasoning",
			id,
			summary: [],
			content: [],
			startedAtMs,
			completedAtMs: null,
		};
		await emit({ type: "item_started", item });
	}

	async function thought(item: ModelItem): Promise<void> {
		const id = text(item["id"]) ?? turn.ports.newId();
		await think(id);
		const summary = reasoningTexts(item, "summary");
		const content = turn.input.showRawReasoning === true ? reasoningTexts(item, "content") : [];
		const timing = { startedAtMs: thoughtAtMs.get(id) ?? null, completedAtMs: clock.nowMs() };
		await emit({ type: "item_completed", item: { type: "reasoning", id, summary, content, ...timing } });
	}

	return {
		start: (id, kind, phase) => (kind === "message" ? answers.start(id, phase) : think(id)),
		write: answers.write,
		async complete(item) {
			if (item.type === "message") await answers.complete(item);
			else if (item.type === "reasoning") await thought(item);
			else if (item.type === "web_search_call") {
				const { started, completed } = webSearchItems(item, turn.ports.newId);
				const startedAtMs = clock.nowMs();
				await emit({ type: "item_started", item: { ...started, startedAtMs, completedAtMs: null } });
				const completedAtMs = clock.nowMs();
				await emit({ type: "item_completed", item: { ...completed, startedAtMs, completedAtMs } });
			}
		},
	};
}
