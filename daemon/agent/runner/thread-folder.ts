import { stat } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { AppError } from "#base/app-error.ts";
import type { Environment } from "#daemon/agent/environment.ts";

/** @throws AppError INVALID_PARAMS when the folder is not absolute or is none. */
export async function assertFolder(cwd: string): Promise<void> {
	if (!isAbsolute(cwd))
		throw new AppError("INVALID_PARAMS", `The working folder must be an absolute path: ${cwd}`);
	const found = await stat(cwd).catch(() => undefined);
	if (!found?.isDirectory()) throw new AppError("INVALID_PARAMS", `There is no folder ${cwd}.`);
}

type ReadText = Environment["readText"];

/** Undefined for whatever cannot be read. */
export async function readOr(readText: ReadText, path: string): Promise<string | undefined> {
	try {
		return (await readText(path))?.trim();
	} catch {
		// A folder named .git, a file without permission: no git folder for our purposes.
		return undefined;
	}
}

/** The folder with HEAD and refs that governs `cwd`: `.git` itself, or where a worktree's `.git` file points. */
export async function findGitFolder(readText: ReadText, cwd: string): Promise<string | null> {
	for (let folder = resolve(cwd); ; folder = dirname(folder)) {
		const direct = join(folder, ".git");
		if ((await readOr(readText, join(direct, "HEAD"))) !== undefined) return direct;
		const pointer = await readOr(readText, direct);
		if (pointer?.startsWith("gitdir:")) return resolve(folder, pointer.slice("gitdir:".length).trim());
		if (dirname(folder) === folder) return null;
	}
}
