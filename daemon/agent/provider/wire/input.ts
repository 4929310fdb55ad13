import { z } from "zod";
import type { ModelItem } from "#daemon/agent/model.ts";

/** A part of a message or of a tool's output, whatever the wire. */
export type Part = { type: "text"; text: string } | { type: "image"; url: string };

const partSchema = z.looseObject({
	type: z.string().catch(""),
	text: z.string().optional().catch(undefined),
	image_url: z
		.union([z.string(), z.looseObject({ url: z.string() }).transform((image) => image.url)])
		.optional()
		.catch(undefined),
});

/** Parts of `content` or `output`: a text, or an array of parts; parts of a kind we don't know are left out. */
export function readParts(value: unknown): Part[] {
	if (typeof value === "string") return value === "" ? [] : [{ type: "text", text: value }];
	if (!Array.isArray(value)) return [];
	return value.flatMap((raw): Part[] => {
		const part = partSchema.safeParse(raw);
		if (!part.success) return [];
		const { text, image_url: url } = part.data;
		if (url !== undefined) return [{ type: "image", url }];
		return text === undefined || text === "" ? [] : [{ type: "text", text }];
	});
}

export function partsText(parts: readonly Part[]): string {
	return parts.map((part) => (part.type === "text" ? part.text : "[an image]")).join("\n");
}

/** Media type and data of a `data:` URL in base64; null for any other URL. */
export function readDataUrl(url: string): { mediaType: string; data: string } | null {
	const match = /^data:([^;,]+)(?:;[^;,]*)*;base64,/i.exec(url);
	return match === null ? null : { mediaType: match[1] ?? "", data: url.slice(match[0].length) };
}

/** The call that an output item answers; null when it is none. */
export function answeredCall(item: ModelItem): string | null {
	if (item.type !== "function_call_output" && item.type !== "custom_tool_call_output") return null;
	const id = item["call_id"];
	return typeof id === "string" ? id : "";
}

export function roleOf(item: ModelItem): "system" | "user" | "assistant" | null {
	if (item.type !== "message") return null;
	const role = item["role"];
	if (role === "developer" || role === "system") return "system";
	return role === "assistant" ? "assistant" : "user";
}

/**
 * Instructions ahead of the conversation, and the rest: the leading system and developer messages. What comes later stays in
 * its place, so that the prefix of the requests does not change.
 */
export function splitInstructions(input: readonly ModelItem[]): {
	instructions: Part[][];
	rest: readonly ModelItem[];
} {
	const end = input.findIndex((item) => roleOf(item) !== "system");
	const count = end === -1 ? input.length : end;
	return {
		instructions: input.slice(0, count).map((item) => readParts(item["content"])),
		rest: input.slice(count),
	};
}

/** An instruction in the midst of the conversation, on wires where only the user can speak there. */
export function asReminder(parts: readonly Part[]): Part[] {
	const text = partsText(parts);
	return text === "" ? [] : [{ type: "text", text: `<developer_message>\n${text}\n</developer_message>` }];
}

/** Stands for the output of a call that has none. */
export const NO_OUTPUT = "aborted: no output of this call was kept";

/**
 * The history without what only another wire understands: members `x_*` other than `own`, and items made of nothing else.
 * The same items in, the same out; untouched items are the very same objects.
 */
export function withoutForeign(input: readonly ModelItem[], own: string | null): ModelItem[] {
	return input.flatMap((item) => {
		if (item.type.startsWith("x_") && item.type !== own) return [];
		const foreign = Object.keys(item).filter((name) => name.startsWith("x_") && name !== own);
		if (foreign.length === 0) return [item];
		// Thoughts of one model, signed for it, mean nothing to another.
		if (item.type === "reasoning") return [];
		const kept = Object.entries(item).filter(([name]) => !foreign.includes(name));
		return [Object.fromEntries(kept) as ModelItem];
	});
}
