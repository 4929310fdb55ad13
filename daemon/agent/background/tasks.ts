import type { BackgroundRunner } from "./background-runner.ts";

const TITLE_MAX_CHARS = 60;
const TITLE_INSTRUCTIONS =
	"Name the conversation that follows, for a list of conversations. Answer with the name alone: three to eight words, in the " +
	"language of the first message, about what the person wants, without quotes and without a full stop. Do not answer the message itself.";
const COMMIT_INSTRUCTIONS =
	"Write the message of a git commit for the diff that follows. First line: what changes, in the imperative, at most 72 characters. " +
	"Where the reason is not plain from it, an empty line and one short paragraph that gives it. Answer with the message alone.";
const SUMMARY_INSTRUCTIONS =
	"Say in at most three sentences what was asked and what came of it, for somebody who comes back later. Answer with these sentences alone.";

/** First line that says something, without what models put around a name. */
export function cleanTitle(text: string): string | null {
	const line = text
		.split("\n")
		.map((each) => each.replace(/^[\s#*"'`“”«»]+|[\s*"'`“”«».]+$/gu, "").replace(/^title:\s*/i, ""))
		.find((each) => each !== "");
	if (line === undefined) return null;
	return line.length <= TITLE_MAX_CHARS ? line : `${line.slice(0, TITLE_MAX_CHARS - 1).trimEnd()}…`;
}

/** A name for a conversation; null when none could be had. */
export async function writeTitle(
	background: BackgroundRunner,
	about: { question: string; answer: string; provider: string | null; cwd: string },
): Promise<string | null> {
	const text = await background.run({
		purpose: "title",
		instructions: TITLE_INSTRUCTIONS,
		input: `First message:\n${about.question}\n\nWhat was answered:\n${about.answer}`,
		maxTokens: 60,
		timeoutMs: 30_000,
		provider: about.provider,
		cwd: about.cwd,
	});
	return text === null ? null : cleanTitle(text);
}

/** A commit message for a diff; null when none could be had. */
export function writeCommitMessage(
	background: BackgroundRunner,
	about: { diff: string; provider: string | null },
): Promise<string | null> {
	return background.run({
		purpose: "commit_message",
		instructions: COMMIT_INSTRUCTIONS,
		input: about.diff,
		maxTokens: 300,
		timeoutMs: 60_000,
		provider: about.provider,
	});
}

/** A few sentences on a conversation; null when none could be had. */
export function writeSummary(
	background: BackgroundRunner,
	about: { text: string; provider: string | null },
): Promise<string | null> {
	return background.run({
		purpose: "summary",
		instructions: SUMMARY_INSTRUCTIONS,
		input: about.text,
		maxTokens: 200,
		timeoutMs: 60_000,
		provider: about.provider,
	});
}
