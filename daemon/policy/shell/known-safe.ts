import type { ShellCommand } from "./parse.ts";

/** Programs that only read and print, whatever their arguments. */
const READERS = new Set([
	"basename",
	"cat",
	"cmp",
	"comm",
	"cut",
	"df",
	"dirname",
	"du",
	"echo",
	"egrep",
	"expr",
	"false",
	"fgrep",
	"fold",
	"grep",
	"head",
	"id",
	"jq",
	"ls",
	"nl",
	"paste",
	"printf",
	"pwd",
	"readlink",
	"realpath",
	"rev",
	"seq",
	"stat",
	"tac",
	"tail",
	"test",
	"tr",
	"true",
	"uname",
	"wc",
	"which",
	"whoami",
]);

/** Options that make an otherwise reading program write a file or run another program. */
const UNSAFE_OPTIONS: Readonly<Record<string, readonly string[]>> = {
	find: ["-exec", "-execdir", "-ok", "-okdir", "-delete", "-fls", "-fprint", "-fprint0", "-fprintf"],
	rg: ["--pre", "--hostname-bin", "--search-zip", "-z"],
	sort: ["-o", "--output", "--compress-program", "-T", "--temporary-directory"],
	// -R runs tree again in each folder, with an output file there.
	tree: ["-o", "--output", "-R"],
	// -z and -Z run decompressors.
	file: ["-C", "--compile", "-z", "-Z", "--uncompress"],
	date: ["-s", "--set"],
};

const GIT_READERS = new Set([
	"status",
	"log",
	"diff",
	"show",
	"rev-parse",
	"ls-files",
	"ls-tree",
	"blame",
	"describe",
	"shortlog",
	"cat-file",
	"grep",
]);
const GIT_UNSAFE_OPTIONS = [
	"--output",
	"--ext-diff",
	"--textconv",
	"--exec",
	"--open-files-in-pager",
	"--filters",
];
/** Each with its own words: `git branch list` would make a branch of that name. */
const GIT_LISTINGS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
	["branch", new Set(["-a", "-r", "-v", "-vv", "--all", "--list", "-l", "--show-current", "--remotes"])],
	["tag", new Set(["-l", "--list"])],
	["remote", new Set(["-v"])],
	["stash", new Set(["list"])],
]);

/**
 * True when the command only reads: known program, no option of it that writes or runs, no redirection into a file, no
 * variable. Unknown means unsafe.
 */
export function isKnownSafe(command: ShellCommand): boolean {
	if (command.assignments.length > 0 || command.redirects.length > 0 || command.background) return false;
	if (command.words.some((word) => word.dynamic)) return false;
	const [program, ...args] = command.words.map((word) => word.text);
	if (program === undefined) return false;
	const name = program.replace(/^\/(?:usr\/)?bin\//, "");
	if (name.includes("/")) return false;
	if (command.words.some((word) => word.glob && mayTurnUnsafe(name, word.text))) return false;
	return isReadingProgram(name, args, command);
}

/** What begins with a glob can become an option (a file may be called --pre=sh), and some programs take no file names. */
function mayTurnUnsafe(name: string, glob: string): boolean {
	return name === "test" || name === "printf" || (!READERS.has(name) && /^[*?[]/.test(glob));
}

function isReadingProgram(name: string, args: readonly string[], command: ShellCommand): boolean {
	if (READERS.has(name)) return isReadingBuiltin(name, args);
	const unsafe = UNSAFE_OPTIONS[name];
	if (unsafe !== undefined) {
		// A bare operand of date sets the clock.
		if (name === "date" && !args.every((arg) => /^[-+]/.test(arg))) return false;
		return !hasOption(args, unsafe);
	}
	switch (name) {
		case "cd":
			return args.length === 1 && !(args[0] ?? "-").startsWith("-");
		case "sed":
			return isPrintingSed(args);
		case "uniq":
			// The second operand is the output; `-` is one, and a glob may be several.
			return !command.words.some((word) => word.glob) && args.filter(isUniqOperand).length <= 1;
		case "git":
			return isReadingGit(args);
		default:
			return false;
	}
}

/** After `--` everything is an operand. */
function isUniqOperand(arg: string, index: number, args: readonly string[]): boolean {
	return arg === "-" || !arg.startsWith("-") || args.slice(0, index).includes("--");
}

/** Parts of the shell that set a variable evaluate its subscript, commands in it included; %n sets one too. */
function isReadingBuiltin(name: string, args: readonly string[]): boolean {
	switch (name) {
		case "printf":
			return !(args[0] ?? "").startsWith("-") && !/%[^a-zA-Z%]*[hjlLqtz]*n/.test(args[0] ?? "");
		case "test":
			return !args.includes("-v") && !args.includes("-R");
		case "jq":
			return !args.some((arg) => arg.startsWith("-f") || arg.startsWith("--from-file"));
		default:
			return true;
	}
}

/** Long options may be shortened and carry `=value`; short ones may be joined (`-no`), so any letter counts. */
function hasOption(args: readonly string[], options: readonly string[]): boolean {
	return args.some((arg) =>
		options.some((option) => {
			if (option.startsWith("--")) {
				const given = arg.split("=")[0] ?? "";
				return arg.startsWith("--") && given.length > 2 && option.startsWith(given);
			}
			if (option.length > 2) return arg === option;
			return /^-[^-]/.test(arg) && arg.includes(option.charAt(1));
		}),
	);
}

/** `sed -n 3,7p FILE...`: prints lines and nothing else. */
function isPrintingSed(args: readonly string[]): boolean {
	const [quiet, script, ...files] = args;
	if (quiet !== "-n" || script === undefined || !/^(?:\d+|\$)(?:,(?:\d+|\$))?p$/.test(script)) return false;
	return files.every((file) => !file.startsWith("-"));
}

function isReadingGit(args: readonly string[]): boolean {
	const [subcommand, ...rest] = args;
	// Options ahead of the subcommand (-c, --exec-path, -C ...) can name programs to run or another repository.
	if (subcommand === undefined || subcommand.startsWith("-")) return false;
	if (GIT_READERS.has(subcommand))
		return !hasOption(rest, GIT_UNSAFE_OPTIONS) && !rest.some((arg) => arg.startsWith("-O"));
	const words = GIT_LISTINGS.get(subcommand);
	if (words === undefined) return false;
	return (subcommand !== "stash" || rest[0] === "list") && rest.every((arg) => words.has(arg));
}

/** Options by which a reading program reads more than its words name: followed links, lists of names, modules. */
const WANDERING: Readonly<Record<string, readonly string[]>> = {
	grep: ["-R", "--dereference-recursive"],
	egrep: ["-R", "--dereference-recursive"],
	fgrep: ["-R", "--dereference-recursive"],
	rg: ["-L", "--follow"],
	find: ["-L", "-H", "-follow", "-files0-from"],
	tree: ["-l"],
	ls: ["-L", "-H", "--dereference"],
	du: ["-L", "-D", "-H", "--dereference", "--files0-from"],
	wc: ["--files0-from"],
	sort: ["--files0-from"],
	file: ["-f", "--files-from"],
};

/**
 * True when a known-safe command reads nothing but what its words name, so that checking the words is enough where there
 * is no sandbox. Git is not among them: the repository's own config names programs that `status` and `diff` run.
 */
export function readsOnlyWhatItNames(command: ShellCommand): boolean {
	const [program, ...args] = command.words.map((word) => word.text);
	const name = (program ?? "").replace(/^\/(?:usr\/)?bin\//, "");
	if (name === "git") return false;
	if (name === "jq" && args.some((arg) => /\b(?:import|include)\b/.test(arg) || arg.startsWith("-L")))
		return false;
	return !hasOption(args, WANDERING[name] ?? []);
}
