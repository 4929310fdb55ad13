import { CodexError, type CodexMethods } from "../method.ts";
import { string, struct } from "../wire/decode.ts";

const diffParams = struct("GitDiffToRemoteParams", { cwd: string });

/** `git` in a folder: its output; undefined when it failed. */
export type RunGit = (cwd: string, args: readonly string[]) => Promise<string | undefined>;

/** `gitDiffToRemote`: what a folder has beyond the newest commit that a remote knows. */
export function createGitMethods({ git }: { git: RunGit }): CodexMethods {
	return {
		async gitDiffToRemote(params) {
			const { cwd } = diffParams.decode(params);
			const base = await git(cwd, ["rev-list", "--max-count=1", "HEAD", "--not", "--remotes", "--boundary"]);
			const remotes = await git(cwd, ["branch", "--remotes", "--format=%(refname)"]);
			const [first] = (remotes ?? "").split("\n").filter((name) => name !== "");
			const sha = first === undefined ? undefined : await git(cwd, ["merge-base", "HEAD", first]);
			const diff = sha === undefined ? undefined : await git(cwd, ["diff", "--no-color", sha.trim()]);
			if (base === undefined || sha === undefined || diff === undefined)
				throw new CodexError(`failed to compute git diff to remote for cwd: ${JSON.stringify(cwd)}`);
			return { sha: sha.trim(), diff };
		},
	};
}
