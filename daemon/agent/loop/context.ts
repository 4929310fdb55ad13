import { createHash } from "node:crypto";
import type { ModelItem } from "#daemon/agent/model.ts";
import { contentParts, developerItem, userItem } from "./history.ts";

/**
 * The context of a thread (who the agent is, rules, documents, surroundings) lives in its history: told whole at the first
 * turn, and later only what changed, behind what was said. So the prefix of a request never changes, not by a setting, not
 * by a restart; the history itself says what was told.
 */
type Part = { type: string; text: string };

const TAG = /^(?:<([a-z_ ]+)>|# (AGENTS\.md) instructions)/;
/** Ids of base messages are UUIDs of version 5, all others are of version 7. */
const BASE_ID = /^msg_[0-9a-f]{8}-[0-9a-f]{4}-5/;

/** Told with everything else, but of no account for what a person said. */
const NOT_SAID: ReadonlySet<string> = new Set([
	"AGENTS.md",
	"environment_context",
	"turn_aborted",
	"user_action",
	"user_shell_command",
	"skill",
]);

const textParts = (item: ModelItem): Part[] =>
	contentParts(item).flatMap((part) =>
		typeof part.text === "string" ? [{ type: String(part.type), text: part.text }] : [],
	);

/** Which section a part is; text without a tag stands for itself. */
function keyOf(text: string): string {
	const match = TAG.exec(text);
	return match?.[1] ?? match?.[2] ?? text;
}

/** Same model and number, same id, in every thread: the history alone tells which model its instructions were for. */
function baseId(model: string | null, number: number): string {
	const hash = createHash("sha1")
		.update(`weave-codex base ${model ?? ""} ${number}`)
		.digest("hex");
	const variant = ((Number.parseInt(hash.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
	return `msg_${hash.slice(0, 8)}-${hash.slice(8, 12)}-5${hash.slice(13, 16)}-${variant}${hash.slice(18, 20)}-${hash.slice(20, 32)}`;
}

/** Whether an item is base instructions, the first or those of a later model. */
export const isBase = (item: ModelItem): boolean =>
	typeof item["id"] === "string" && BASE_ID.test(item["id"]);

/** Whether an item is something that a person or another agent said, as against context and bookkeeping. */
export function isSaid(item: ModelItem): boolean {
	if (item.type !== "message" || item["role"] !== "user") return false;
	const first = textParts(item)[0];
	return first === undefined || !NOT_SAID.has(keyOf(first.text));
}

interface ContextInput {
	/** What should hold now: base instructions, rules, surroundings, in order. */
	readonly prelude: readonly ModelItem[];
	readonly model: string | null;
	readonly newId: () => string;
}

function told(history: readonly ModelItem[], role: unknown): Map<string, string> {
	const latest = new Map<string, string>();
	for (const item of history) {
		if (item.type !== "message" || item["role"] !== role || isBase(item)) continue;
		for (const { text } of textParts(item)) latest.set(keyOf(text), text);
	}
	return latest;
}

function fresh(item: ModelItem, parts: readonly ModelItem[], newId: () => string): ModelItem {
	const id = `msg_${newId()}`;
	return item["role"] === "developer" ? developerItem(parts, id) : userItem(parts, id);
}

function baseItems(history: readonly ModelItem[], base: ModelItem, input: ContextInput): ModelItem[] {
	const before = history.filter(isBase);
	const number = before.length;
	if (number === 0) {
		// A history that began without base instructions (imported, or older than this rule) gets them at each request.
		return history.length === 0 ? [{ ...base, id: baseId(input.model, 0) }] : [];
	}
	if (before.at(-1)?.["id"] === baseId(input.model, number - 1)) return [];
	const text = textParts(base)
		.map((part) => part.text)
		.join("\n\n");
	const words = `<model_switch>\nAnother model led this conversation up to here. From now on these instructions hold:\n\n${text}\n</model_switch>`;
	return [developerItem([{ type: "input_text", text: words }], baseId(input.model, number))];
}

/** What has to be added to the history so that the model knows what holds now; nothing when it knows. */
export function contextItems(history: readonly ModelItem[], input: ContextInput): ModelItem[] {
	const [base, ...sections] = input.prelude;
	if (base === undefined) return [];
	const added = baseItems(history, base, input);
	for (const item of sections) {
		const known = told(history, item["role"]);
		const parts = textParts(item).filter(({ text }) => known.get(keyOf(text)) !== text);
		if (parts.length > 0) added.push(fresh(item, parts, input.newId));
	}
	return added;
}

/** The whole context as new items, the base apart: for a history that is made anew. */
export function wholeContext(
	history: readonly ModelItem[],
	input: ContextInput,
): { base: ModelItem[]; sections: ModelItem[] } {
	const [base, ...sections] = input.prelude;
	if (base === undefined) return { base: [], sections: [] };
	const known = history.filter(isBase);
	const id = baseId(input.model, 0);
	return {
		// The one that was told is kept, unless another model leads by now.
		base: [known.length === 1 && known[0]?.["id"] === id ? known[0] : { ...base, id }],
		sections: sections.map((item) => fresh(item, textParts(item), input.newId)),
	};
}

/** What a request begins with: the history, behind base instructions where it holds none. */
export function requestInput(prelude: readonly ModelItem[], history: readonly ModelItem[]): ModelItem[] {
	const base = prelude[0];
	return base === undefined || history.some(isBase) ? [...history] : [base, ...history];
}
