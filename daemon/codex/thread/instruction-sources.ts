import { access } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The first that is there counts. */
const NAMES = ["AGENTS.override.md", "AGENTS.md"];

async function exists(path: string): Promise<boolean> {
	try {
		await access(path);
		return true;
	} catch {
		return false;
	}
}

async function sourceIn(folder: string): Promise<string | undefined> {
	for (const name of NAMES) {
		const path = join(folder, name);
		if (await exists(path)) return path;
	}
	return undefined;
}

/** From the repository's root down to the folder; only the folder itself outside of repositories. */
async function projectFolders(cwd: string): Promise<string[]> {
	const folders = [cwd];
	for (let folder = cwd; ; folder = dirname(folder)) {
		if (folder !== cwd) folders.unshift(folder);
		if (await exists(join(folder, ".git"))) return folders;
		if (dirname(folder) === folder) return [cwd];
	}
}

/** Files with instructions that a thread in the folder reads, for the client to show; outermost first. */
export async function findInstructionSources(codexHome: string, cwd: string): Promise<string[]> {
	const folders = [codexHome, ...(await projectFolders(cwd))];
	const found = await Promise.all(folders.map(sourceIn));
	return found.filter((path) => path !== undefined);
}
