/** A repository on a slow disk answers within this, or is taken as having no answer. */
const TIMEOUT_MS = 2_000;
/** Longest answer that is read; an id has 40 or 64 characters. */
const OUTPUT_LIMIT_BYTES = 4_096;
/** A person waits for a diff of a large repository, but not for ever; one of this size nobody reads. */
const READ_TIMEOUT_MS = 20_000;
const READ_LIMIT_BYTES = 16 * 1024 * 1024;
/** A repository's own configuration names programs that git would start; these never are. */
const NO_PROGRAMS = ["-c", "core.fsmonitor=", "-c", "core.hooksPath=/dev/null"];
/** What git needs of our environment to find itself and the person's list of trusted folders. */
const KEPT = ["PATH", "HOME", "XDG_CONFIG_HOME"];

/** Questions to a repository; nothing in it is changed, no program of it is started, nobody is asked for anything. */
export interface Git {
	/** The commit that HEAD means; null where there is none, no repository, or no git. Never rejects. */
	head(folder: string): Promise<string | null>;
	/** The commit where HEAD and a branch part; null where there is none. Never rejects. */
	mergeBase(folder: string, branch: string): Promise<string | null>;
	/** What git says to these arguments; undefined when it refuses, says more than 16 MiB, or takes longer than 20 s. Never rejects. */
	read(folder: string, args: readonly string[]): Promise<string | undefined>;
}

export function createGit(env: Readonly<Record<string, string | undefined>>, timeoutMs = TIMEOUT_MS): Git {
	const kept = KEPT.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
	const childEnv = {
		...Object.fromEntries(kept),
		LC_ALL: "C",
		GIT_TERMINAL_PROMPT: "0",
		GIT_OPTIONAL_LOCKS: "0",
		// A commit that is missing would be fetched, by a program that the repository's configuration names.
		GIT_ALLOW_PROTOCOL: "none",
	};

	async function ask(
		folder: string,
		args: readonly string[],
		bounds = { timeout: timeoutMs, maxBuffer: OUTPUT_LIMIT_BYTES },
	): Promise<string | undefined> {
		// Loaded with the first question: most daemons never ask one.
		const { execa } = await import("execa");
		const result = await execa("git", [...NO_PROGRAMS, ...args], {
			...{ cwd: folder, env: childEnv, extendEnv: false, stdin: "ignore", stderr: "ignore" },
			...{ ...bounds, killSignal: "SIGKILL", reject: false, stripFinalNewline: false },
		});
		return result.failed ? undefined : String(result.stdout);
	}

	async function askCommit(folder: string, args: readonly string[]): Promise<string | null> {
		const commit = (await ask(folder, args))?.trim() ?? "";
		return /^[0-9a-f]{40,64}$/u.test(commit) ? commit : null;
	}

	return {
		head: (folder) =>
			askCommit(folder, ["rev-parse", "--verify", "--quiet", "--end-of-options", "HEAD^{commit}"]),
		mergeBase: (folder, branch) => askCommit(folder, ["merge-base", "--end-of-options", "HEAD", branch]),
		read: (folder, args) => ask(folder, args, { timeout: READ_TIMEOUT_MS, maxBuffer: READ_LIMIT_BYTES }),
	};
}
