import { join, resolve } from "node:path";
import type { Environment } from "#daemon/agent/environment.ts";
import { findGitFolder, readOr } from "./thread-folder.ts";

type ReadText = Environment["readText"];

const COMMIT = /^[0-9a-f]{40,64}$/u;

/** What the files say; undefined when they do not say it: a branch without a commit, another way to keep refs. */
async function readCommit(readText: ReadText, folder: string): Promise<string | undefined> {
	const head = await readOr(readText, join(folder, "HEAD"));
	if (head === undefined || !head.startsWith("ref:")) return head;
	const ref = head.slice("ref:".length).trim();
	const common = await readOr(readText, join(folder, "commondir"));
	const root = common === undefined ? folder : resolve(folder, common);
	const loose = (await readOr(readText, join(folder, ref))) ?? (await readOr(readText, join(root, ref)));
	if (loose !== undefined) return loose;
	const packed = await readOr(readText, join(root, "packed-refs"));
	const line = packed?.split("\n").find((entry) => entry.endsWith(` ${ref}`));
	return line?.split(" ")[0];
}

/**
 * The commit that HEAD of the folder's repository means; null when there is none. Read from the files, because a process
 * per turn costs more than the rest of a short turn; git itself is asked where they do not say it.
 */
export async function findGitHead(
	ports: { readText: ReadText; askGit(folder: string): Promise<string | null> },
	cwd: string,
): Promise<string | null> {
	const folder = await findGitFolder(ports.readText, cwd);
	if (folder === null) return null;
	const commit = await readCommit(ports.readText, folder);
	return commit !== undefined && COMMIT.test(commit) ? commit : ports.askGit(cwd);
}
