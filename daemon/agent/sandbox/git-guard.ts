import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/** Keeps a command from making a repository where none is; see `createGitGuard`. */
export interface GitGuard {
	/** Until disposed each of the folders has a `.git` to mount something on. */
	hold(roots: readonly string[]): Disposable;
}

/**
 * A repository that a sandboxed command makes in the workspace would run its hooks and config as soon as the person's own
 * git, or their prompt, looks at the folder. A name that does not exist cannot be covered, so an empty `.git` stands there
 * while commands run; git passes over it. Commands side by side share it, and the last one takes it away.
 */
export function createGitGuard(): GitGuard {
	const holders = new Map<string, number>();

	function take(path: string): boolean {
		const count = holders.get(path);
		if (count === undefined) {
			if (existsSync(path)) return false;
			try {
				mkdirSync(path, 0o755);
			} catch {
				// Not ours to write, so not the command's either.
				return false;
			}
		}
		holders.set(path, (count ?? 0) + 1);
		return true;
	}

	function release(path: string): void {
		const count = (holders.get(path) ?? 1) - 1;
		if (count > 0) {
			holders.set(path, count);
			return;
		}
		holders.delete(path);
		try {
			rmdirSync(path);
		} catch {
			// Somebody outside filled it meanwhile: it is a repository now.
		}
	}

	return {
		hold(roots) {
			const held = roots.filter((root) => root !== "/").map((root) => join(root, ".git"));
			const taken = held.filter(take);
			return {
				[Symbol.dispose]() {
					for (const path of taken.splice(0)) release(path);
				},
			};
		},
	};
}
