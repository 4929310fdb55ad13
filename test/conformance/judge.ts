import { compareTranscripts } from "../support/codex-compare.ts";
import { driveScenario, type StartServer } from "../support/codex-drive.ts";
import { readGolden, readGoldenRequests, readScenario, writeGolden } from "../support/codex-fixture.ts";
import { compareRequests, shapesOf } from "../support/codex-model-shape.ts";
import { RACES } from "./intended.ts";
import { normalizeRows } from "./normalize.ts";

/** How one server did in one scenario. */
export interface Verdict {
	/** Differences from what the real server said when it was recorded; empty: none. */
	readonly problems: readonly string[];
	/** 2 where only the second run was without differences. */
	readonly runs: number;
}

/** A machine that is busy with something else makes time-outs of a scenario run late. */
const RUNS = 2;

async function runOnce(name: string, start: StartServer): Promise<readonly string[]> {
	try {
		const { rows, requests, homes } = await driveScenario(readScenario(name), start);
		const told = compareTranscripts(readGolden(name), rows, { anyOrder: name in RACES });
		const golden = readGoldenRequests(name);
		return [...told, ...(golden === undefined ? [] : compareRequests(golden, shapesOf(requests, homes)))];
	} catch (error) {
		return [`the scenario did not get to its end: ${error instanceof Error ? error.message : String(error)}`];
	}
}

/** Takes a server through a scenario, again if it differed, and compares with the golden transcript. */
export async function judge(name: string, start: StartServer): Promise<Verdict> {
	let problems: readonly string[] = [];
	for (let runs = 1; runs <= RUNS; runs += 1) {
		problems = await runOnce(name, start);
		if (problems.length === 0) return { problems, runs };
	}
	return { problems, runs: RUNS };
}

/** Keeps what this server, the real one, says in a scenario, and asks of its model. */
export async function record(name: string, start: StartServer): Promise<void> {
	const { rows, requests, homes } = await driveScenario(readScenario(name), start);
	writeGolden(name, normalizeRows(rows, homes), shapesOf(requests, homes));
}
