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

async function readOr(readText: ReadText, path: string): Promise<string | undefined> {
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

/** Commit id of HEAD, read from the files because a process per turn would cost more than the rest of a turn; null when there is none. */
export async function readGitHead(readText: ReadText, cwd: string): Promise<string | null> {
	const folder = await findGitFolder(readText, cwd);
	if (folder === null) return null;
	const head = await readOr(readText, join(folder, "HEAD"));
	if (head === undefined || !head.startsWith("ref:")) return head ?? null;
	const ref = head.slice("ref:".length).trim();
	const common = await readOr(readText, join(folder, "commondir"));
	const root = common === undefined ? folder : resolve(folder, common);
	const loose = (await readOr(readText, join(folder, ref))) ?? (await readOr(readText, join(root, ref)));
	if (loose !== undefined) return loose;
	const packed = await readOr(readText, join(root, "packed-refs"));
	return (
		packed
			?.split("\n")
			.find((line) => line.endsWith(` ${ref}`))
			?.split(" ")[0] ?? null
	);
}
