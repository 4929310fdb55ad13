/** Programs that run the program named behind them, with rights or variables of the model's choice. */
const LAUNCHERS = new Set(
	[
		"env sudo doas su runuser pkexec nohup timeout nice ionice setsid stdbuf time command builtin exec eval source .",
		"xargs parallel watch strace ltrace gdb unshare nsenter chroot busybox toybox flock script expect ssh find",
	].flatMap((names) => names.split(" ")),
);
/** Programs that run the text that they are given. */
const INTERPRETERS = new Set(
	[
		"sh bash dash zsh ksh mksh ash fish csh tcsh rbash pwsh powershell cmd",
		"python pypy py node nodejs deno bun perl ruby php lua luajit tclsh osascript rscript awk gawk mawk nawk",
	].flatMap((names) => names.split(" ")),
);
/** Programs that nobody means whole: they remove, or start others by one of their words. */
const NEVER_ALONE = new Set("rm git npx npm pnpm yarn bunx uv uvx pipx docker podman kubectl".split(" "));
const RUN_WORDS = new Set(["run", "exec", "x", "dlx", "run-script", "runx"]);
/** Subcommands of git that run programs, or say what others run later. */
const GIT_RUNNERS = new Set(
	"config bisect rebase filter-branch submodule difftool mergetool hook daemon maintenance".split(" "),
);
/** Subcommands of git itself; any other word may be an alias, which is a command of the repository's choice. */
const GIT_OWN = new Set(
	[
		"add am apply archive blame branch bundle cat-file check-ignore checkout cherry cherry-pick clean clone",
		"commit describe diff fetch format-patch fsck gc grep init log ls-files ls-remote ls-tree merge merge-base",
		"mv notes pull push range-diff reflog remote reset restore rev-list rev-parse revert rm shortlog show",
		"show-ref sparse-checkout stash status switch symbolic-ref tag update-index update-ref worktree",
	].flatMap((names) => names.split(" ")),
);

/** `/usr/bin/python3.12` is python. */
function programOf(word: string): string {
	const name = word.slice(word.lastIndexOf("/") + 1).toLowerCase();
	return name.replace(/\.exe$/, "").replace(/(?<=[a-z])[\d.]+$/, "");
}

/** What an interpreter would run is its first word, or stands behind an option that takes code; other options say nothing. */
function namesNoProgram([first, second]: readonly string[]): boolean {
	if (first === undefined) return true;
	if (first.startsWith("-"))
		return second === undefined || !/^(?:-[a-z]*[cep]|--(?:eval|print|command))$/i.test(first);
	return RUN_WORDS.has(first);
}

/** Control characters are shown to nobody. */
const hasControls = (word: string): boolean => /\p{Cc}/u.test(word);

/** True when a rule for these first words would let a command of any kind through. */
export function leavesOpen(prefix: readonly string[]): boolean {
	const [first, ...operands] = prefix;
	if (first === undefined || first === "" || prefix.some(hasControls)) return true;
	// An assignment ahead of a command says what its program loads.
	if (/^\w+=/.test(first)) return true;
	const program = programOf(first);
	const [second] = operands;
	if (LAUNCHERS.has(program)) return true;
	if (INTERPRETERS.has(program)) return namesNoProgram(operands);
	if (program === "git")
		return second === undefined || second.startsWith("-") || GIT_RUNNERS.has(second) || !GIT_OWN.has(second);
	if (!NEVER_ALONE.has(program)) return false;
	return (
		second === undefined ||
		second.startsWith("-") ||
		(RUN_WORDS.has(second) && operands.slice(1).every((word) => word.startsWith("-")))
	);
}

/** True when the words are a removal in full: nothing of it is left to the model but further operands of the same kind. */
export function isExactText(words: readonly string[]): boolean {
	return programOf(words[0] ?? "") === "rm" && words.length > 1 && !words.some(hasControls);
}
