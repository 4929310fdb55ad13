import type { UnreadText } from "../session/unread.ts";

/** Bytes that count as one token where no tokenizer is at hand. */
const BYTES_PER_TOKEN = 4;

export interface CommandReport {
	chunkId: string;
	durationMs: number;
	/** How it ended, or by which number it goes on. */
	state: { exitCode: number } | { sessionId: string };
	output: UnreadText;
	maxTokens: number;
}

/** What the model reads about a command; the reference server's words, which models know. */
export function commandOutputText(report: CommandReport): string {
	const { state, output } = report;
	return [
		`Chunk ID: ${report.chunkId}`,
		`Wall time: ${(report.durationMs / 1000).toFixed(4)} seconds`,
		"exitCode" in state
			? `Process exited with code ${state.exitCode}`
			: `Process running with session ID ${state.sessionId}`,
		`Original token count: ${Math.ceil(output.bytes / BYTES_PER_TOKEN)}`,
		"Output:",
		truncateOutput(output, report.maxTokens),
	].join("\n");
}

/** Keeps head and tail of an output over its budget, and says so ahead; no character is cut in two. */
export function truncateOutput({ text, bytes, omittedBytes }: UnreadText, maxTokens: number): string {
	const budgetBytes = Math.max(0, Math.floor(maxTokens)) * BYTES_PER_TOKEN;
	const all = Buffer.from(text);
	if (all.length <= budgetBytes && omittedBytes === 0) return text;
	const headEnd = boundary(all, Math.min(all.length, Math.floor(budgetBytes / 2)));
	const tailStart = boundary(
		all,
		Math.max(headEnd, all.length - (budgetBytes - Math.floor(budgetBytes / 2))),
	);
	const lost = Math.ceil((tailStart - headEnd) / BYTES_PER_TOKEN);
	const size =
		omittedBytes > 0 ? `... ${omittedBytes} bytes omitted ...` : `Total output lines: ${countLines(text)}`;
	const cut =
		lost === 0
			? text
			: `${all.toString("utf8", 0, headEnd)}…${lost} tokens truncated…${all.toString("utf8", tailStart)}`;
	return `Warning: truncated output (original token count: ${Math.ceil(bytes / BYTES_PER_TOKEN)})\n${size}\n\n${cut}`;
}

function countLines(text: string): number {
	if (text === "") return 0;
	let count = text.endsWith("\n") ? 0 : 1;
	for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
	return count;
}

/** The nearest place at or before `at` where a character begins. */
function boundary(bytes: Uint8Array, at: number): number {
	let place = at;
	while (place > 0 && ((bytes[place] ?? 0) & 0xc0) === 0x80) place -= 1;
	return place;
}
