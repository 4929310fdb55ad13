import type { Clock } from "#base/clock.ts";
import type { Intent } from "./intent.ts";
import type { Notes, WorkspaceFiles } from "./port.ts";
import { createSearch, searchTerms } from "./search.ts";
import { WALK_LIMITS, type WalkLimits, walkTextFiles } from "./walk.ts";

export interface AnswerPorts {
	readonly files: WorkspaceFiles;
	readonly notes: Notes;
	readonly clock: Pick<Clock, "monotonicMs">;
	/** How to log in, in one line. */
	readonly loginHint: string;
	readonly limits?: WalkLimits;
}

const ABILITIES = [
	"I am the offline agent: no language model is behind me. I can",
	"- run commands: `!ls -la`, or `run npm test` (approvals and sandbox as set for this thread)",
	"- search this folder and your notes: `search WORDS`, `grep TEXT`, `where is X`, or a question",
	"- keep notes: `note TEXT` or `remember TEXT`; `notes` lists them",
].join("\n");

const DECLINED = "The command was not run: it was declined.";

const citation = (path: string, line: number, text: string): string =>
	line === 0 ? `${path}: ${text}` : `${path}:${line}: ${text}`;
const counted = (count: number, noun: string, plural = `${noun}s`): string =>
	`${count} ${count === 1 ? noun : plural}`;

/** Searches workspace and notes; says how many lines fit and cites the best. Null when the query has no word to look for. */
export async function searchAnswer(
	query: { text: string; literal: boolean; cwd: string },
	ports: AnswerPorts,
	signal: AbortSignal,
): Promise<string | null> {
	const terms = searchTerms(query.text, query.literal);
	if (terms.length === 0) return null;
	const search = createSearch(terms);
	let fileCount = 0;
	let cut = "";
	const walk = walkTextFiles(
		query.cwd,
		{ files: ports.files, monotonicMs: () => ports.clock.monotonicMs() },
		{
			limits: ports.limits ?? WALK_LIMITS,
			signal,
			onCut(why) {
				cut = ` The search stopped ${why}; there may be more.`;
			},
		},
	);
	for await (const file of walk) {
		fileCount += 1;
		search.add(file);
	}
	const notes = await ports.notes.list();
	const noteLines: string[] = [];
	for (const note of notes) noteLines[note.line - 1] = note.text;
	if (notes.length > 0)
		search.add({ path: ports.notes.file, text: Array.from(noteLines, (line) => line ?? "").join("\n") });
	const { best, lineCount, fileCount: found } = search.finish();
	const asked = terms.join(" ");
	if (best.length === 0)
		return `Nothing matches "${asked}" in ${query.cwd} (${counted(fileCount, "file")} searched).${cut}`;
	const shown = best.length < lineCount ? `; the best ${best.length}` : "";
	const head = `${counted(lineCount, "match", "matches")} for "${asked}" in ${counted(found, "file")}${shown}:${cut}`;
	return [head, ...best.map((match) => citation(match.path, match.line, match.text))].join("\n");
}

/** The text that answers an intent other than a command. */
export async function answerIntent(
	intent: Exclude<Intent, { kind: "run" }>,
	{ cwd, ports, signal }: { cwd: string; ports: AnswerPorts; signal: AbortSignal },
): Promise<string> {
	const { notes, loginHint } = ports;
	switch (intent.kind) {
		case "help":
			return `${ABILITIES}\n${loginHint}`;
		case "unclear_run":
			return "I can't tell which program to run. Write the command itself, after `!` or in backticks: `!npm test`.";
		case "reply":
			return "The reply has arrived; it is above.";
		case "note":
			await notes.add(intent.text);
			return `Noted in ${notes.file}.`;
		case "notes": {
			const all = await notes.list();
			if (all.length === 0) return "There are no notes yet. `note TEXT` keeps one.";
			return [
				`${counted(all.length, "note")}:`,
				...all.map((note) => citation(notes.file, note.line, note.text)),
			].join("\n");
		}
		case "search": {
			const found = await searchAnswer({ text: intent.query, literal: intent.literal, cwd }, ports, signal);
			return found ?? "There is no word in that to search for. Name what to look for: `search WORDS`.";
		}
		case "other": {
			const found = await searchAnswer({ text: intent.query, literal: false, cwd }, ports, signal);
			const honest = `I am the offline agent, no language model: I can only look these words up, and do what \`help\` lists.\n${loginHint}`;
			return found === null ? honest : `${found}\n\n${honest}`;
		}
	}
}

/** What a command printed, as the answer: the tool's header lines go, a failure is told. */
export function commandAnswer(toolOutput: string): string {
	const marker = /(?:^|\n)Output:\n/.exec(toolOutput);
	if (marker === null) return /rejected by user/.test(toolOutput) ? DECLINED : toolOutput;
	const header = toolOutput.slice(0, marker.index);
	const printed = toolOutput.slice(marker.index + marker[0].length).replace(/\n$/, "");
	const code = /exited with code (-?\d+)/.exec(header)?.[1];
	const running = /running with session ID (\S+)/.exec(header)?.[1];
	const tail =
		running !== undefined
			? "(the command still runs)"
			: code !== undefined && code !== "0"
				? `(exit code ${code})`
				: printed === ""
					? "(done, nothing printed)"
					: "";
	return [printed, tail].filter((part) => part !== "").join("\n");
}
