import type { ModelItem } from "#daemon/agent/model.ts";
import type { ToolResult } from "#daemon/agent/tool.ts";
import type { CellPart } from "./worker-protocol.ts";

/** Bytes that count as one token where nobody has counted. */
const TOKEN_BYTES = 4;

const tokensOf = (sizeBytes: number): number => Math.ceil(sizeBytes / TOKEN_BYTES);

function lineCount(text: string): number {
	const lines = text.split("\n").length;
	return text.endsWith("\n") ? lines - 1 : lines;
}

/** Start and end of at most `sizeBytes` bytes each, cut between characters. */
function ends(text: string, sizeBytes: number): [string, string] {
	const bytes = Buffer.from(text);
	let head = sizeBytes;
	while (head > 0 && ((bytes[head] ?? 0) & 0xc0) === 0x80) head -= 1;
	let tail = bytes.length - sizeBytes;
	while (tail < bytes.length && ((bytes[tail] ?? 0) & 0xc0) === 0x80) tail += 1;
	return [bytes.toString("utf8", 0, head), bytes.toString("utf8", tail)];
}

/** The text itself, or its two ends with a note when it is over the budget; texts and form as the real server's. */
export function truncateText(text: string, maxTokens: number): string {
	const sizeBytes = Buffer.byteLength(text);
	const total = tokensOf(sizeBytes);
	if (total <= maxTokens) return text;
	const half = Math.floor((maxTokens * TOKEN_BYTES) / 2);
	const [head, tail] = ends(text, half);
	const removed = tokensOf(sizeBytes - 2 * half);
	const note = `Warning: truncated output (original token count: ${total})\nTotal output lines: ${lineCount(text)}`;
	return `${note}\n\n${head}…${removed} tokens truncated…${tail}`;
}

/** Bounds the texts together; when they are over it they become one, ahead of the images. */
function bound(parts: readonly CellPart[], maxTokens: number): CellPart[] {
	const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
	const whole = texts.join("\n");
	const bounded = truncateText(whole, maxTokens);
	if (bounded === whole) return [...parts];
	return [{ type: "text", text: bounded }, ...parts.filter((part) => part.type === "image")];
}

const item = (part: CellPart): ModelItem =>
	part.type === "text"
		? { type: "input_text", text: part.text }
		: { type: "input_image", image_url: part.url };

export interface CellReport {
	/** "Script completed", "Script failed", "Script terminated" or "Script running with cell ID 1". */
	headline: string;
	wallMs: number;
	parts: readonly CellPart[];
	maxTokens: number;
	success: boolean;
	notifications: readonly string[];
}

/** What `exec` and `wait` give back to the model. */
export function cellResult({
	headline,
	wallMs,
	parts,
	maxTokens,
	success,
	notifications,
}: CellReport): ToolResult {
	const header = `${headline}\nWall time ${(wallMs / 1000).toFixed(1)} seconds\nOutput:\n`;
	const bounded = bound(parts, maxTokens);
	const texts = bounded.map((part) => (part.type === "text" ? part.text : "[image]"));
	return {
		output: [header, ...texts].join(""),
		...(bounded.length === 0
			? {}
			: { content: [{ type: "input_text", text: header }, ...bounded.map(item)] }),
		...(notifications.length === 0 ? {} : { extraOutputs: notifications }),
		success,
		stopTurn: false,
	};
}
