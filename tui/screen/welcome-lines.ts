import type { State } from "../store/state.ts";
import { tildePath } from "../text/format.ts";
import { sanitizeLine } from "../text/sanitize.ts";
import { padCells } from "../text/width.ts";
import { wrapText } from "../text/wrap.ts";
import { fitLine, span } from "../theme/line.ts";
import type { Line } from "../theme/theme.ts";
import { NARROW, type View } from "./view.ts";

const OFFLINE_TEXT =
	"No Codex login found, so you are talking to the offline agent: it runs commands (you approve them), searches this folder and your notes, and keeps notes. It is not a language model.";

function linkWord(state: State): string {
	if (state.link.kind === "connected") return "daemon ready";
	return state.link.kind === "refused" ? "daemon refused" : "daemon not reached yet";
}

function hints(isOffline: boolean): [string, string][] {
	return [
		...(isOffline ? ([["!ls", "run a command"]] as [string, string][]) : []),
		["/attach", "open a shell that outlives this window"],
		["/resume", "go back to a conversation"],
		["#", "mention another agent"],
		["?", "everything else"],
	];
}

/** What an empty conversation shows: where one is, who answers, and what to type. Only true statements, only commands that exist. */
export function welcomeLines(state: State, view: View): Line[] {
	const { surroundings, account } = state;
	const dot = ` ${view.glyphs.dot} `;
	const title = [`weave-codex ${surroundings.version}`, linkWord(state)];
	if (view.width >= NARROW) title.push(`this machine: ${sanitizeLine(surroundings.machine)}`);
	const lines: Line[] = [
		fitLine([span(` ${title.join(dot)}`, "muted")], view.width, view.glyphs.ellipsis),
		[],
	];
	const isOffline = account?.provider === "offline";
	const width = view.width - 5;
	if (isOffline) {
		const text =
			account.login === "none" ? OFFLINE_TEXT : OFFLINE_TEXT.replace("No Codex login found, so you", "You");
		for (const row of wrapText(text, width)) lines.push([span(`   ${row}`)]);
		for (const row of wrapText(sanitizeLine(account.detail), width)) lines.push([span(`   ${row}`, "muted")]);
		lines.push([]);
	} else if (account) {
		const parts = [account.provider, account.model ?? "", tildePath(surroundings.cwd, view.homeDir)].filter(
			(part) => part !== "",
		);
		lines.push(
			fitLine([span(`   ${parts.map(sanitizeLine).join(dot)}`)], view.width, view.glyphs.ellipsis),
			[],
		);
	}
	for (const [key, text] of hints(isOffline)) {
		lines.push(
			fitLine(
				[span(`   ${padCells(key, 12)}`, "accent"), span(text, "muted")],
				view.width,
				view.glyphs.ellipsis,
			),
		);
	}
	lines.push([]);
	return lines;
}
