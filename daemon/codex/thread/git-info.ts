import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { JsonObject } from "../wire/decode.ts";

async function read(path: string): Promise<string | undefined> {
	try {
		return (await readFile(path, "utf8")).trim();
	} catch {
		return undefined;
	}
}

/** The `.git` folder over a folder; a worktree's file that points to one is followed. */
async function findGitFolder(cwd: string): Promise<string | undefined> {
	for (let folder = cwd; ; folder = dirname(folder)) {
		const git = join(folder, ".git");
		if ((await read(join(git, "HEAD"))) !== undefined) return git;
		const pointer = (await read(git))?.match(/^gitdir: (.+)$/u)?.[1];
		if (pointer !== undefined) return resolve(folder, pointer);
		if (dirname(folder) === folder) return undefined;
	}
}

async function readCommit(git: string, common: string, ref: string): Promise<string | null> {
	const loose = (await read(join(git, ref))) ?? (await read(join(common, ref)));
	if (loose !== undefined) return loose;
	const packed = (await read(join(common, "packed-refs"))) ?? "";
	return (
		packed
			.split("\n")
			.find((line) => line.endsWith(` ${ref}`))
			?.split(" ")[0] ?? null
	);
}

/** Codex `GitInfo` of a folder by reading files alone; null outside of repositories and before the first commit. */
export async function readGitInfo(cwd: string): Promise<JsonObject | null> {
	const git = await findGitFolder(cwd);
	const head = git === undefined ? undefined : await read(join(git, "HEAD"));
	if (git === undefined || head === undefined) return null;
	const common = resolve(git, (await read(join(git, "commondir"))) ?? ".");
	const ref = head.match(/^ref: (.+)$/u)?.[1];
	const sha = ref === undefined ? head : await readCommit(git, common, ref);
	if (sha === null) return null;
	const config = (await read(join(common, "config"))) ?? "";
	const origin = config.match(/\[remote "origin"\][^[]*?url = (.+)/u)?.[1];
	return { sha, branch: ref?.replace(/^refs\/heads\//u, "") ?? null, originUrl: origin?.trim() ?? null };
}
