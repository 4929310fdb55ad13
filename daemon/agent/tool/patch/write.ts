import type { Environment } from "../../environment.ts";
import type { PlannedChange } from "./plan.ts";

/** Writes the planned files, each atomically; when one fails those before it are put back. The reason of a failure, else null. */
export async function writeChanges(
	changes: readonly PlannedChange[],
	environment: Environment,
): Promise<string | null> {
	const stale = await findStale(changes, environment);
	if (stale !== null) return stale;
	const undo: (() => Promise<void>)[] = [];
	try {
		for (const change of changes) {
			undo.push(() => restore(change, environment));
			await writeChange(change, environment);
		}
		return null;
	} catch (error) {
		for (const step of undo.reverse()) await step().catch(() => undefined);
		return error instanceof Error ? error.message : String(error);
	}
}

/** A person may have taken long to answer: what they saw must still be what is there. */
async function findStale(
	changes: readonly PlannedChange[],
	environment: Environment,
): Promise<string | null> {
	const seen = new Set<string>();
	for (const change of changes) {
		for (const path of [change.path, change.moveTo]) {
			if (path === null || seen.has(path)) continue;
			seen.add(path);
			if ((await environment.realPath(path)) !== path) return `${path} leads elsewhere now`;
			const expected = path === change.path ? change.before : undefined;
			if ((await environment.readText(path).catch(() => null)) !== expected)
				return `${path} has changed since the patch was checked`;
		}
	}
	return null;
}

async function writeChange(change: PlannedChange, environment: Environment): Promise<void> {
	if (change.after === undefined) return environment.remove(change.path);
	await environment.writeText(change.moveTo ?? change.path, change.after);
	// The old name goes last: a crash in between leaves the text twice, never not at all.
	if (change.moveTo !== null) await environment.remove(change.path);
}

async function restore(change: PlannedChange, environment: Environment): Promise<void> {
	if (change.before !== undefined) await environment.writeText(change.path, change.before);
	else await environment.remove(change.path);
	if (change.moveTo !== null) await environment.remove(change.moveTo);
}
