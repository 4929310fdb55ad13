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
	// Where a path comes twice the first operation met what is on disk.
	const expected = new Map<string, string | undefined>();
	for (const change of changes) {
		if (!expected.has(change.path)) expected.set(change.path, change.before);
		if (change.moveTo !== null && !expected.has(change.moveTo)) expected.set(change.moveTo, undefined);
	}
	for (const [path, text] of expected) {
		if ((await environment.realPath(path)) !== path) return `${path} leads elsewhere now`;
		const present = await environment.readText(path).catch(() => null);
		if (present !== text) return `${path} has changed since the patch was checked`;
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
