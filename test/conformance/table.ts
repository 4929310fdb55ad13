import { INTENDED, RACES } from "./intended.ts";
import type { Verdict } from "./judge.ts";
import type { MethodRow } from "./method-table.ts";

/** One scenario and how each server that was run did in it. */
export interface ScenarioRow {
	readonly name: string;
	readonly verdicts: Readonly<Partial<Record<"real" | "ours" | "cli", Verdict>>>;
}

const CELL_MAX_CHARS = 160;

function cell(text: string): string {
	return text.replaceAll("|", "\\|").replaceAll("\n", " ").slice(0, CELL_MAX_CHARS);
}

function wordOf(verdict: Verdict | undefined): string {
	if (verdict === undefined) return "not run";
	if (verdict.problems.length > 0) return "differs";
	return verdict.runs > 1 ? "pass, second run" : "pass";
}

function verdictOf({ name, verdicts }: ScenarioRow): string {
	const { ours, real } = verdicts;
	const race = RACES[name];
	const raced = race === undefined ? "" : ` (compared in any order: ${race})`;
	if (ours === undefined || ours.problems.length === 0) return `same${raced}`;
	const intended = INTENDED[name];
	if (intended !== undefined) return intended;
	const shared = (real?.problems.length ?? 0) > 0 ? "the real one differs from its own record too; " : "";
	return `${shared}differs: ${ours.problems[0]}${raced}`;
}

/** The reference page of both tables. */
export function tablesOf(rows: readonly ScenarioRow[], methods: readonly MethodRow[]): string {
	return [
		"# Codex compatibility",
		"",
		"Written by `npm run conformance -- --write`, which runs the servers. The protocol is that of codex-cli 0.169.0.",
		"",
		"## Scenarios",
		"",
		"Compared with what the real server said and asked its model when the scenario was recorded: order of events, members,",
		"determined values, answers; number of model requests, their members and headers, order and kind of the input, tool outputs.",
		"`cli` is ours with `HOMIE_AGENT_BACKEND=cli`, where the real program runs the turns.",
		"",
		"| scenario | real | ours | ours, cli | verdict |",
		"|---|---|---|---|---|",
		...rows.map((row) => {
			const { real, ours, cli } = row.verdicts;
			return `| ${row.name} | ${wordOf(real)} | ${wordOf(ours)} | ${wordOf(cli)} | ${cell(verdictOf(row))} |`;
		}),
		"",
		"## Methods",
		"",
		"Every method of the protocol was asked of both servers, most with words that a client would use (the probe), the others",
		"without; `asked by` names a scenario that uses it in a session. Answers are told as `result` or by their error's code.",
		"",
		"| method | kind | served | asked by | real | ours | why not |",
		"|---|---|---|---|---|---|---|",
		...methods.map(
			({ method, kind, served, askedBy, real, ours, why }) =>
				`| \`${method}\` | ${kind} | ${served ? "yes" : "no"} | ${askedBy} | ${real} | ${ours} | ${why} |`,
		),
		"",
	].join("\n");
}
