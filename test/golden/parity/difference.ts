import type { RunnerKind } from "#protocol/record.ts";
import type { Outcome } from "./run.ts";

/** A place where we mean to differ. */
interface Difference {
	readonly scenario: string;
	/** The backend that it shows on; both when left out. */
	readonly backend?: RunnerKind;
	/** A piece of what the real server says or sends, and what stands in its place on our side. */
	readonly codex: string;
	readonly ours: string;
	/** What our side may say beside that, if it comes in time to be seen. */
	readonly late?: string;
	readonly why: string;
}

/** Every difference that is meant. One that no longer shows fails its test, so that the table stays true. */
const DIFFERENCES: readonly Difference[] = [
	{
		scenario: "interrupt midstream",
		backend: "embedded",
		codex:
			"The user interrupted the previous turn on purpose. Any running unified exec processes may still be running in the background. If any tools/commands were aborted, they may have partially executed.",
		ours: "The user stopped the turn before this point. Commands that ran then may have done part of their work, or may still run. Look before you repeat anything.",
		why: "the note about an interrupted turn is in our own words",
	},
	{
		scenario: "interrupt during an approval",
		codex: "turn interrupted\n? command resolved",
		ours: "? command resolved\nturn interrupted",
		late: "= commandExecution declined agent exit=null null [/bin/bash -lc 'touch made.txt'] in <cwd>\n",
		why: "no question stands open in an ended turn, and no item stays open for ever",
	},
];

/** Sections of an outcome as one text, which is what is compared and shown. */
function write({ events, requests, diff }: Outcome): string {
	const sent = requests.map((lines, index) => [`request ${index + 1}:`, ...lines].join("\n"));
	return [...events, ...sent, `diff:\n${diff}`].join("\n");
}

function replaceOnce(text: string, piece: string, by: string, about: Difference): string {
	if (!text.includes(piece))
		throw new Error(`the difference "${about.why}" no longer shows: ${JSON.stringify(piece)} in\n${text}`);
	return text.replace(piece, () => by);
}

/** Both outcomes as texts that are equal when the sides differ only where they are meant to. */
export function comparable(
	{ scenario, backend }: { scenario: string; backend: RunnerKind },
	outcomes: { codex: Outcome; ours: Outcome },
): { codex: string; ours: string } {
	let codex = write(outcomes.codex);
	let ours = write(outcomes.ours);
	for (const [index, difference] of DIFFERENCES.entries()) {
		if (difference.scenario !== scenario || (difference.backend ?? backend) !== backend) continue;
		const mark = `<difference ${index}: ${difference.why}>`;
		codex = replaceOnce(codex, difference.codex, mark, difference);
		if (difference.late !== undefined) ours = ours.replace(difference.late, () => "");
		ours = replaceOnce(ours, difference.ours, mark, difference);
	}
	return { codex, ours };
}
