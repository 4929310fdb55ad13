import { readdir } from "node:fs/promises";
import { join } from "node:path";

export interface WalkedFile {
	readonly root: string;
	/** From the root, with `/`. */
	readonly path: string;
	readonly isDirectory: boolean;
}

/** More than any repository a person searches by typing; beyond it the walk stops. */
const FILES_MAX = 200_000;
/** Folders of packages and builds, whose files nobody types the names of. */
const LEFT_OUT: ReadonlySet<string> = new Set(["node_modules", "target", "dist", ".venv"]);

async function walkRoot(root: string, found: WalkedFile[], signal: AbortSignal): Promise<void> {
	const folders = [""];
	for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
		if (signal.aborted || found.length >= FILES_MAX) return;
		const below = folder === "" ? "" : `${folder}/`;
		for (const row of await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])) {
			const path = `${below}${row.name}`;
			found.push({ root, path, isDirectory: row.isDirectory() });
			if (row.isDirectory() && !LEFT_OUT.has(row.name)) folders.push(path);
		}
	}
}

/** Every file and folder below the roots, folders in breadth first; what cannot be read is left out. */
export async function walkFiles(roots: readonly string[], signal: AbortSignal): Promise<WalkedFile[]> {
	const found: WalkedFile[] = [];
	for (const root of roots) await walkRoot(root, found, signal);
	return found;
}
