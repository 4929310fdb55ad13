import { isAbsolute, relative } from "node:path";
import type { ToolContext } from "../../tool.ts";
import { findGitRoot } from "../git-root.ts";
import type { ToolServices } from "../services.ts";
import { gitFileDiff } from "./diff.ts";
import type { PlannedChange } from "./plan.ts";

/** Remembers how the files were before the turn first touched them, and where they went. */
export function rememberBaseline(
	changes: readonly PlannedChange[],
	context: ToolContext,
	services: ToolServices,
): void {
	const { turnBaseline } = context;
	const moves = services.moves.get(turnBaseline) ?? new Map<string, string>();
	services.moves.set(turnBaseline, moves);
	for (const change of changes) {
		if (!turnBaseline.has(change.path)) turnBaseline.set(change.path, change.before);
		if (change.moveTo === null) continue;
		if (!turnBaseline.has(change.moveTo)) turnBaseline.set(change.moveTo, undefined);
		const origin = [...moves].find(([, to]) => to === change.path)?.[0] ?? change.path;
		moves.set(origin, change.moveTo);
	}
}

/** The git-style diff between the turn's beginning and now, over every file its patches touched. */
export async function turnDiff(context: ToolContext, services: ToolServices): Promise<string> {
	const { environment, turnBaseline } = context;
	const cwd = await environment.realPath(context.cwd);
	const root = (await findGitRoot(environment, cwd)) ?? cwd;
	const moves = services.moves.get(turnBaseline);
	const now = new Map<string, string | undefined>();
	for (const path of turnBaseline.keys())
		now.set(path, await environment.readText(path).catch(() => undefined));
	const parts: { name: string; diff: string }[] = [];
	const shown = new Set<string>();
	for (const [from, to] of moves ?? []) {
		const text = now.get(to);
		const before = turnBaseline.get(from);
		if (before === undefined || now.get(from) !== undefined || text === undefined) continue;
		if (turnBaseline.get(to) !== undefined) continue;
		const name = displayName(from, root);
		parts.push({ name, diff: gitFileDiff({ name, text: before }, { name: displayName(to, root), text }) });
		shown.add(from).add(to);
	}
	for (const [path, before] of turnBaseline) {
		if (shown.has(path)) continue;
		const name = displayName(path, root);
		parts.push({ name, diff: gitFileDiff({ name, text: before }, { name, text: now.get(path) }) });
	}
	parts.sort((a, b) => (a.name < b.name ? -1 : 1));
	return parts.map((part) => part.diff).join("");
}

function displayName(path: string, root: string): string {
	const way = relative(root, path);
	return way.startsWith("..") || isAbsolute(way) ? path.replace(/^\/+/, "") : way;
}
