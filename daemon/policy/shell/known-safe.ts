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
	tree: ["-o", "--output"],
	file: ["-C", "--compile"],
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
const GIT_LISTINGS = new Set(["branch", "tag", "remote", "stash"]);
const GIT_LIST_ARGUMENTS = new Set([
	"-a",
	"-r",
	"-v",
	"-vv",
	"--all",
	"--list",
	"-l",
	"--show-current",
	"show-current",
	"list",
	"--remotes",
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
	if (READERS.has(name))
		return name !== "jq" || !args.some((arg) => arg.startsWith("-f") || arg.startsWith("--from-file"));
	const unsafe = UNSAFE_OPTIONS[name];
	if (unsafe !== undefined) return !hasOption(args, unsafe);
	switch (name) {
		case "cd":
			return args.length === 1 && !(args[0] ?? "-").startsWith("-");
		case "sed":
			return isPrintingSed(args);
		case "uniq":
			return args.filter((arg) => !arg.startsWith("-")).length <= 1;
		case "git":
			return isReadingGit(args);
		default:
			return false;
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
	if (GIT_LISTINGS.has(subcommand))
		return (subcommand !== "stash" || rest[0] === "list") && rest.every((arg) => GIT_LIST_ARGUMENTS.has(arg));
	return false;
}
