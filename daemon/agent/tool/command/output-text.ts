/** Bytes that count as one token where no tokenizer is at hand. */
const BYTES_PER_TOKEN = 4;

export interface CommandReport {
	chunkId: string;
	durationMs: number;
	exitCode: number;
	/** Bytes that the command printed, kept or not. */
	outputBytes: number;
	output: string;
	maxTokens: number;
}

/** What the model reads about a command that ended. */
export function commandOutputText(report: CommandReport): string {
	return [
		`Chunk ID: ${report.chunkId}`,
		`Wall time: ${(report.durationMs / 1000).toFixed(4)} seconds`,
		`Process exited with code ${report.exitCode}`,
		`Original token count: ${Math.ceil(report.outputBytes / BYTES_PER_TOKEN)}`,
		"Output:",
		truncateMiddle(report.output, report.maxTokens),
	].join("\n");
}

/** Keeps head and tail of a text over its budget; no character is cut in two. */
export function truncateMiddle(text: string, maxTokens: number): string {
	const budgetBytes = Math.max(1, Math.floor(maxTokens)) * BYTES_PER_TOKEN;
	const bytes = Buffer.from(text);
	if (bytes.length <= budgetBytes) return text;
	const headEnd = boundary(bytes, Math.ceil(budgetBytes / 2));
	const tailStart = boundary(bytes, bytes.length - Math.floor(budgetBytes / 2));
	const lost = Math.ceil((tailStart - headEnd) / BYTES_PER_TOKEN);
	return `${bytes.toString("utf8", 0, headEnd)}\n[... about ${lost} tokens left out ...]\n${bytes.toString("utf8", tailStart)}`;
}

/** The nearest place at or before `at` where a character begins. */
function boundary(bytes: Uint8Array, at: number): number {
	let place = at;
	while (place > 0 && ((bytes[place] ?? 0) & 0xc0) === 0x80) place -= 1;
	return place;
}
