import { z } from "zod";
import type { NewId } from "#base/id.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import { callItem, type WireTool } from "../wire/tools.ts";
import { CHAT_MEMBER } from "./messages.ts";

export const callSchema = z.looseObject({
	index: z.int().nullish().catch(null),
	id: z.string().nullish().catch(null),
	function: z
		.looseObject({ name: z.string().nullish().catch(null), arguments: z.unknown().optional() })
		.nullish()
		.catch(null),
});
export type CallPiece = z.infer<typeof callSchema>;

const OWN_CALL_MEMBERS: ReadonlySet<string> = new Set(["index", "id", "type", "function"]);

interface OpenCall {
	id: string | null;
	index: number | null;
	name: string;
	pieces: string[];
	kept: Record<string, unknown>;
}

/** Grows what is kept: texts and lists are joined, anything else is replaced. */
export function keep(into: Record<string, unknown>, name: string, value: unknown): void {
	if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return;
	const before = into[name];
	if (typeof value === "string" && typeof before === "string") into[name] = before + value;
	else if (Array.isArray(value) && Array.isArray(before)) into[name] = [...before, ...value];
	else into[name] = value;
}

/** The open call that a piece goes on with; null: it opens another. */
function callOf(calls: readonly OpenCall[], piece: CallPiece): OpenCall | null {
	const id = piece.id || null;
	const byIndex = piece.index == null ? undefined : calls.findLast((call) => call.index === piece.index);
	// Some servers give every call the index 0, and a new id says that it is another.
	if (byIndex !== undefined && (id === null || byIndex.id === null || id === byIndex.id)) return byIndex;
	const byId = id === null ? undefined : calls.find((call) => call.id === id);
	if (byId !== undefined) return byId;
	const saysNothing = piece.index == null && id === null && piece.function?.name == null;
	return saysNothing ? (calls.at(-1) ?? null) : null;
}

function addPiece(call: OpenCall, piece: CallPiece): void {
	call.id ??= piece.id || null;
	if (call.name === "") call.name = piece.function?.name ?? "";
	const given = piece.function?.arguments;
	if (typeof given === "string") call.pieces.push(given);
	// Ollama's own way: an object at once.
	else if (given !== undefined && given !== null) call.pieces.push(JSON.stringify(given));
	for (const [name, value] of Object.entries(piece))
		if (!OWN_CALL_MEMBERS.has(name)) keep(call.kept, name, value);
}

/** Calls of one response, put together from their pieces. */
export interface OpenCalls {
	add(piece: CallPiece): void;
	readonly count: number;
	/** In the order in which they were opened. */
	items(tools: readonly WireTool[]): ModelItem[];
	/** Calls that were cut count for nothing. */
	drop(): void;
}

export function createOpenCalls(newId: NewId): OpenCalls {
	const calls: OpenCall[] = [];

	return {
		add(piece) {
			let call = callOf(calls, piece);
			if (call === null) {
				call = { id: piece.id || null, index: piece.index ?? null, name: "", pieces: [], kept: {} };
				calls.push(call);
			}
			addPiece(call, piece);
		},
		get count() {
			return calls.length;
		},
		items: (tools) =>
			calls.map((call) => {
				const item = callItem(tools, {
					wireName: call.name,
					id: `fc_${newId()}`,
					callId: call.id ?? `call_${newId()}`,
					argumentsText: call.pieces.join("") || "{}",
				});
				return Object.keys(call.kept).length === 0 ? item : { ...item, [CHAT_MEMBER]: call.kept };
			}),
		drop() {
			calls.length = 0;
		},
	};
}
