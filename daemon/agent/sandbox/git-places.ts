import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { resolveRealPath } from "./real-path.ts";

/** Repositories in repositories lie near the top; a walk of more would cost each command more than a program's start. */
const MAX_DEPTH = 3;
const MAX_FOLDERS = 400;
/** Folders that programs fill with other people's files by the thousand. */
const SKIPPED = new Set(["node_modules", ".git", "target", "vendor", "dist", "build", ".venv"]);
/** What else in a workspace says what runs outside the sandbox later: Codex's own settings and skills. */
const SETTINGS = [".codex", ".agents"];

/**
 * The places of a workspace whose contents run outside the sandbox later and so are no command's to write: its `.git`,
 * those of repositories inside it, where linked ones lead, and the folders with settings of agents.
 */
export function listGuardedPlaces(root: string): string[] {
	const found = new Set(SETTINGS.map((name) => join(root, name)).filter(exists));
	const ahead = [{ folder: root, depth: 0 }];
	// Breadth first, so that the nearest are found when there are too many.
	for (let at = 0; at < ahead.length && at < MAX_FOLDERS; at += 1) {
		const { folder, depth } = ahead[at] ?? { folder: root, depth: 0 };
		const entries = entriesOf(folder);
		if (entries.some((entry) => entry.name === ".git"))
			for (const place of gitPlaces(join(folder, ".git"))) found.add(place);
		const inner = entries.filter((entry) => entry.isDirectory() && !SKIPPED.has(entry.name));
		if (depth < MAX_DEPTH)
			ahead.push(...inner.map(({ name }) => ({ folder: join(folder, name), depth: depth + 1 })));
	}
	return [...found];
}

function entriesOf(folder: string) {
	try {
		return readdirSync(folder, { withFileTypes: true });
	} catch {
		return [];
	}
}

/** A `.git` and, where it is a file that names another folder, that folder and the repository it shares. */
function gitPlaces(git: string): string[] {
	const pointer = readPointer(git, /^gitdir:[ \t]*(.+)$/m);
	if (pointer === undefined) return [git];
	const folder = resolve(git, "..", pointer);
	const common = readPointer(join(folder, "commondir"), /^(.+)$/m);
	const places = [git, folder, ...(common === undefined ? [] : [resolve(folder, common)])];
	return places.map((place) => resolveRealPath(place)).filter(exists);
}

function readPointer(file: string, pattern: RegExp): string | undefined {
	try {
		return statSync(file).isFile() ? pattern.exec(readFileSync(file, "utf8"))?.[1]?.trim() : undefined;
	} catch {
		return undefined;
	}
}

function exists(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
