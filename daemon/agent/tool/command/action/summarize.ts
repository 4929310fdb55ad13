import { displayCommand } from "../display.ts";
import {
	awkFile,
	grepOperands,
	looksLikePath,
	operands,
	partFile,
	pythonWalksFiles,
	sedFile,
	shortPath,
} from "./operands.ts";

/** What one command does, as Codex clients show it; `path` of a read is as written until it is placed. */
export type CommandAction =
	| { type: "read"; command: string; name: string; path: string }
	| { type: "listFiles"; command: string; path: string | null }
	| { type: "search"; command: string; query: string | null; path: string | null }
	| { type: "unknown"; command: string };

type Args = readonly string[];
/** What a command does without its text; undefined: not known. */
type Found =
	| { read: string | undefined }
	| { list: string | undefined | null }
	| { query: string | null; path: string | null };

const LS_VALUED = ["-I", "-w", "--block-size", "--format", "--time-style", "--color", "--quoting-style"];
const EZA_VALUED = ["-I", "--ignore-glob", "--color", "--sort", "--time-style", "--time"];
const TREE_VALUED = ["-L", "-P", "-I", "--charset", "--filelimit", "--sort"];
const DU_VALUED = ["-d", "--max-depth", "-B", "--block-size", "--exclude", "--time-style"];
const RG_VALUED = [
	"-g",
	"--glob",
	"--iglob",
	"-t",
	"--type",
	"--type-add",
	"--type-not",
	"-m",
	"--max-count",
	"-A",
	"-B",
	"-C",
	"--context",
	"--max-depth",
];
const AG_VALUED = ["-G", "-g", "--file-search-regex", "--ignore-dir", "--ignore-file", "--path-to-ignore"];
const FD_VALUED = ["-t", "--type", "-e", "--extension", "-E", "--exclude", "--search-path"];
const LESS_VALUED = [
	"-p",
	"-P",
	"-x",
	"-y",
	"-z",
	"-j",
	"--pattern",
	"--prompt",
	"--tabs",
	"--shift",
	"--jump-target",
];
const BAT_VALUED = [
	"--theme",
	"--language",
	"--style",
	"--terminal-width",
	"--tabs",
	"--line-range",
	"--map-syntax",
];

const list =
	(valued: Args) =>
	(args: Args): Found => ({ list: operands(args, valued)[0] });
const readOnly =
	(valued: Args) =>
	(args: Args): Found => {
		const files = operands(args, valued);
		return { read: files.length === 1 ? files[0] : undefined };
	};
const search =
	(valued: Args) =>
	(args: Args): Found => {
		const [query, path] = operands(args, valued);
		return { query: query ?? null, path: shortPath(path) };
	};
const ripgrep = (args: Args): Found =>
	args.includes("--files") ? list(RG_VALUED)(args) : search(RG_VALUED)(args);

function fd(args: Args): Found {
	const [first, second] = operands(args, FD_VALUED);
	if (first === undefined) return { list: null };
	if (second === undefined && looksLikePath(first)) return { list: first };
	return { query: first, path: shortPath(second) };
}

function find(args: Args): Found {
	const path = args.find((arg) => !arg.startsWith("-") && !["!", "(", ")"].includes(arg));
	const at = args.findIndex((arg) => ["-name", "-iname", "-path", "-regex"].includes(arg));
	const query = at < 0 ? undefined : args[at + 1];
	return query === undefined ? { list: path } : { query, path: shortPath(path) };
}

function git(args: Args): Found | undefined {
	if (args[0] === "grep") return grepOperands(args.slice(1));
	if (args[0] !== "ls-files") return undefined;
	return list(["--exclude", "--exclude-from", "--pathspec-from-file"])(args.slice(1));
}

const PROGRAMS: Readonly<Record<string, (args: Args) => Found | undefined>> = {
	ls: list(LS_VALUED),
	eza: list(EZA_VALUED),
	exa: list(EZA_VALUED),
	tree: list(TREE_VALUED),
	du: list(DU_VALUED),
	rg: ripgrep,
	rga: ripgrep,
	"ripgrep-all": ripgrep,
	git,
	fd,
	find,
	grep: grepOperands,
	egrep: grepOperands,
	fgrep: grepOperands,
	ag: search(AG_VALUED),
	ack: search(AG_VALUED),
	pt: search(AG_VALUED),
	cat: readOnly([]),
	more: readOnly([]),
	less: readOnly(LESS_VALUED),
	bat: readOnly(BAT_VALUED),
	batcat: readOnly(BAT_VALUED),
	head: (args) => ({ read: partFile(args, /^\d+$/) }),
	tail: (args) => ({ read: partFile(args, /^\+?\d+$/) }),
	awk: (args) => ({ read: awkFile(args) }),
	nl: (args) => ({ read: operands(args, ["-s", "-w", "-v", "-i", "-b"])[0] }),
	sed: (args) => ({ read: sedFile(args) }),
};

/** One command's action, by its program and operands. */
export function summarize(words: readonly string[]): CommandAction {
	const [name = "", ...args] = words;
	const command = displayCommand(words);
	if (/^(?:python|python2|python3|python[23]\.\d+)$/.test(name) && pythonWalksFiles(args))
		return { type: "listFiles", command, path: null };
	const found = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name]?.(args) : undefined;
	if (found === undefined) return { type: "unknown", command };
	if ("list" in found) return { type: "listFiles", command, path: shortPath(found.list ?? undefined) };
	if ("query" in found) return { type: "search", command, query: found.query, path: found.path };
	if (found.read === undefined) return { type: "unknown", command };
	return { type: "read", command, name: shortPath(found.read) ?? "", path: found.read };
}
