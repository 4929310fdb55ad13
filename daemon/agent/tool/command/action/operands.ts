type Args = readonly string[];

/** The operands of a program: options, the values that `valued` options take, and `--opt=value` left out. */
export function operands(args: Args, valued: Args): string[] {
	const found: string[] = [];
	for (let at = 0; at < args.length; at += 1) {
		const arg = args[at] ?? "";
		if (arg === "--") return [...found, ...args.slice(at + 1)];
		if (arg.startsWith("--") && arg.includes("=")) continue;
		if (valued.includes(arg)) at += 1;
		else if (!arg.startsWith("-")) found.push(arg);
	}
	return found;
}

/** Parts of a path that say little about what was looked at. */
const DULL = new Set(["", "build", "dist", "node_modules", "src"]);

/** The telling last part of a path, as clients show it. */
export function shortPath(path: string | undefined): string | null {
	if (path === undefined) return null;
	const trimmed = path.replaceAll("\\", "/").replace(/\/+$/, "");
	return trimmed.split("/").findLast((part) => !DULL.has(part)) ?? trimmed;
}

/** Whether a word is a file or folder rather than something to look for. */
export function looksLikePath(word: string): boolean {
	return word === "." || word === ".." || /[/\\]/.test(word);
}

const PRINTED_LINES = /^(?:\d+,)?\d+p$/;

/** The file whose lines `sed -n RANGEp FILE` prints; undefined for any other use of sed. */
export function sedFile(args: Args): string | undefined {
	if (!args.includes("-n")) return undefined;
	const scripts = args.filter((_, at) => ["-e", "--expression"].includes(args[at - 1] ?? ""));
	const free = operands(args, ["-e", "-f", "--expression", "--file"]);
	const isRange = (word: string): boolean => PRINTED_LINES.test(word);
	if (!scripts.some(isRange) && !args.some(isRange)) return undefined;
	return isRange(free[0] ?? "") ? free[1] : free[0];
}

/** The first file that an awk program reads. */
export function awkFile(args: Args): string | undefined {
	const hasScriptFile = args.includes("-f") || args.includes("--file");
	const free = operands(args, ["-F", "-v", "-f", "--field-separator", "--assign", "--file"]);
	return hasScriptFile ? free[0] : free[1];
}

/** The file of `head` or `tail`, bare or with a count of lines. `count` is how the count may look. */
export function partFile(args: Args, count: RegExp): string | undefined {
	const [first = "", second = ""] = args;
	const apart = first === "-n" && count.test(second);
	if (apart || (first.startsWith("-n") && count.test(first.slice(2))))
		return args.slice(apart ? 2 : 0).find((arg) => !arg.startsWith("-"));
	return args.length === 1 && !first.startsWith("-") ? first : undefined;
}

/** What `grep` looks for, and where. */
export function grepOperands(args: Args): { query: string | null; path: string | null } {
	const free: string[] = [];
	let pattern: string | undefined;
	for (let at = 0; at < args.length; at += 1) {
		const arg = args[at] ?? "";
		if (arg === "--") {
			free.push(...args.slice(at + 1));
			break;
		}
		if (["-e", "--regexp", "-f", "--file"].includes(arg)) {
			at += 1;
			pattern ??= args[at];
		} else if (GREP_COUNTS.includes(arg)) at += 1;
		else if (!arg.startsWith("-")) free.push(arg);
	}
	return { query: pattern ?? free[0] ?? null, path: shortPath(free[pattern === undefined ? 1 : 0]) };
}
const GREP_COUNTS = [
	"-m",
	"--max-count",
	"-C",
	"--context",
	"-A",
	"--after-context",
	"-B",
	"--before-context",
];

/** Where a `cd` leads; undefined for the home or the folder before. */
export function cdTarget(args: Args): string | undefined {
	const end = args.indexOf("--");
	if (end >= 0) return args[end + 1];
	return args.findLast((arg) => !arg.startsWith("-"));
}

/** Ways of Python to walk through files. */
const PYTHON_WALKS = [
	"os.walk",
	"os.listdir",
	"os.scandir",
	"glob.glob",
	"glob.iglob",
	"pathlib.Path",
	".rglob(",
];

export function pythonWalksFiles(args: Args): boolean {
	const at = args.indexOf("-c");
	const script = at < 0 ? undefined : args[at + 1];
	return script !== undefined && PYTHON_WALKS.some((way) => script.includes(way));
}
