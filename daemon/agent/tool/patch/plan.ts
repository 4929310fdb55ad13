import { resolve } from "node:path";
import type { FileChangeItem } from "#protocol/codex-item.ts";
import type { Environment } from "../../environment.ts";
import { unifiedHunks } from "./diff.ts";
import { applyHunks } from "./match.ts";
import type { PatchOperation } from "./parse.ts";

/** One operation with its places resolved. */
export interface PlacedOperation {
	readonly operation: PatchOperation;
	/** Absolute, symlinks resolved. */
	readonly path: string;
	readonly moveTo: string | null;
}

/** One file as it is and as the patch leaves it; undefined text: not there. */
export interface PlannedChange {
	readonly kind: "add" | "update" | "delete";
	readonly path: string;
	readonly moveTo: string | null;
	readonly before: string | undefined;
	readonly after: string | undefined;
	/** As the patch names it, for the answer to the model. */
	readonly name: string;
}

export type PatchPlan = { ok: true; changes: readonly PlannedChange[] } | { ok: false; reason: string };

/** Resolves where every operation leads, before anything is read. */
export function placeOperations(
	operations: readonly PatchOperation[],
	cwd: string,
	environment: Environment,
): Promise<PlacedOperation[]> {
	return Promise.all(
		operations.map(async (operation) => {
			const moved = operation.kind === "update" ? operation.moveTo : null;
			return {
				operation,
				path: await environment.realPath(resolve(cwd, operation.path)),
				moveTo: moved === null ? null : await environment.realPath(resolve(cwd, moved)),
			};
		}),
	);
}

/** Works the whole patch out in memory: it fits as a whole, or the reason says where it does not. Writes nothing. */
export async function planPatch(
	placed: readonly PlacedOperation[],
	environment: Environment,
): Promise<PatchPlan> {
	// Later operations see what earlier ones of the same patch left.
	const texts = new Map<string, string | undefined>();
	async function current(path: string): Promise<string | undefined> {
		if (!texts.has(path)) texts.set(path, await environment.readText(path));
		return texts.get(path);
	}
	const changes: PlannedChange[] = [];
	for (const one of placed) {
		let change: PlannedChange | string;
		const again = changes.find(({ path, moveTo }) => path === one.path || moveTo === one.path);
		if (again !== undefined)
			return { ok: false, reason: `invalid patch: multiple operations target ${one.path}` };
		try {
			change = await planOperation(one, current);
		} catch (error) {
			change = readProblem(one, error instanceof Error ? error.message : String(error));
		}
		if (typeof change === "string") return { ok: false, reason: change };
		changes.push(change);
		texts.set(change.path, change.moveTo === null ? change.after : undefined);
		if (change.moveTo !== null) texts.set(change.moveTo, change.after);
	}
	return { ok: true, changes };
}

/** In the reference server's words, which models know. */
function readProblem({ operation, path }: PlacedOperation, why: string): string {
	const reason = / is not a file\.$/.test(why) ? `path \`${path}\` is not a file` : why;
	return operation.kind === "update"
		? `Failed to read file to update ${path}: ${reason}`
		: `Failed to read ${path}: ${reason}`;
}

async function planOperation(
	placed: PlacedOperation,
	current: (path: string) => Promise<string | undefined>,
): Promise<PlannedChange | string> {
	const { operation, path } = placed;
	const moveTo = placed.moveTo === path ? null : placed.moveTo;
	const before = await current(path);
	if (operation.kind === "add") {
		return { kind: "add", path, moveTo: null, before, after: operation.text, name: operation.path };
	}
	if (before === undefined) return readProblem(placed, "No such file or directory (os error 2)");
	if (operation.kind === "delete") {
		return { kind: "delete", path, moveTo: null, before, after: undefined, name: operation.path };
	}
	if (moveTo !== null && (await current(moveTo)) !== undefined)
		return `Failed to move ${path}: ${moveTo} exists already`;
	const result = applyHunks(before, operation.hunks, path);
	if (!result.ok) return result.reason;
	return {
		kind: "update",
		path,
		moveTo,
		before,
		after: result.text,
		name: operation.moveTo ?? operation.path,
	};
}

/** Lines around a change in an item, as the reference server shows it; the turn's diff has git's three. */
const ITEM_CONTEXT_LINES = 1;

/** The changes as an item shows them: by path, a whole text for added and deleted files, hunks for others. */
export function itemChanges(changes: readonly PlannedChange[]): FileChangeItem["changes"] {
	return changes
		.map((change) => {
			if (change.kind === "add")
				return { path: change.path, kind: { type: "add" as const }, diff: change.after ?? "" };
			if (change.kind === "delete")
				return { path: change.path, kind: { type: "delete" as const }, diff: change.before ?? "" };
			const hunks = unifiedHunks(change.before ?? "", change.after ?? "", ITEM_CONTEXT_LINES);
			const diff = change.moveTo === null ? hunks : `${hunks}\n\nMoved to: ${change.moveTo}`;
			return { path: change.path, kind: { type: "update" as const, move_path: change.moveTo }, diff };
		})
		.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What the model reads after success: added, changed, deleted, in this order. */
export function successSummary(changes: readonly PlannedChange[]): string {
	const lines = (kind: PlannedChange["kind"], mark: string): string[] =>
		changes.filter((change) => change.kind === kind).map((change) => `${mark} ${change.name}`);
	const files = [...lines("add", "A"), ...lines("update", "M"), ...lines("delete", "D")];
	return `Success. Updated the following files:\n${files.join("\n")}\n`;
}
