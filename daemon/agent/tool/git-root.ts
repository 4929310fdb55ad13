import { dirname, join } from "node:path";
import type { Environment } from "../environment.ts";

/** Root of the git work tree around `folder` (absolute); null outside one. */
export async function findGitRoot(environment: Environment, folder: string): Promise<string | null> {
	for (let at = folder; ; at = dirname(at)) {
		if (await holdsGit(environment, at)) return at;
		if (dirname(at) === at) return null;
	}
}

async function holdsGit(environment: Environment, folder: string): Promise<boolean> {
	try {
		if ((await environment.readText(join(folder, ".git", "HEAD"))) !== undefined) return true;
		// In a linked work tree .git is a file.
		return (await environment.readText(join(folder, ".git"))) !== undefined;
	} catch {
		return false;
	}
}
