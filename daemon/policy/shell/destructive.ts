import { isAbsolute, resolve } from "node:path";
import { isInside } from "../protected.ts";
import { parseShell, type ShellCommand, type ShellWord } from "./parse.ts";

/** Kinds of harm that need an explicit word (contracts.md 5), and the word. */
export const DESTRUCTIVE_WORDS = {
	"delete outside git": "delete",
	"history rewrite": "rewrite",
	"force push": "force-push",
	privilege: "privilege",
	disk: "disk",
	"network listener": "listen",
} as const;
export type DestructiveClass = keyof typeof DESTRUCTIVE_WORDS;

/** Where a command runs, to judge what a deletion can lose. */
export interface Ground {
	readonly cwd: string;
	/** Root of the git work tree around `cwd`; null outside one. */
	readonly gitRoot: string | null;
}

const PRIVILEGE = new Set([
	"sudo",
	"su",
	"doas",
	"pkexec",
	"setcap",
	"visudo",
	"usermod",
	"useradd",
	"passwd",
	"chpasswd",
	"nsenter",
]);
const DISK = new Set([
	"dd",
	"fdisk",
	"sfdisk",
	"parted",
	"wipefs",
	"mount",
	"umount",
	"losetup",
	"cryptsetup",
	"mkswap",
	"swapoff",
	"blkdiscard",
]);
const DELETERS = new Set(["rm", "rmdir", "unlink", "shred", "truncate"]);
const SERVERS = new Set(["http-server", "live-server", "sshd", "ngrok", "cloudflared"]);
/** Programs that run the program named in their arguments. */
const WRAPPERS = new Set([
	"env",
	"nohup",
	"nice",
	"ionice",
	"timeout",
	"time",
	"xargs",
	"setsid",
	"stdbuf",
	"command",
	"exec",
	"builtin",
	"watch",
	"chroot",
]);
const SHELLS = new Set(["sh", "bash", "dash", "zsh", "ksh", "fish"]);

/** The worst class that the text belongs to, null for none. What cannot be parsed is searched for the names alone. */
export function classifyDestructive(text: string, ground: Ground): DestructiveClass | null {
	const commands = parseShell(text);
	if (commands === undefined) return classifyLoosely(text, ground);
	for (const command of commands) {
		const found = classifyWords(command.words, ground) ?? classifyRedirects(command);
		if (found !== null) return found;
	}
	return null;
}

function classifyRedirects(command: ShellCommand): DestructiveClass | null {
	return command.redirects.some(({ target }) => /^\/dev\/(?:sd|nvme|vd|hd|mapper|disk)/.test(target.text))
		? "disk"
		: null;
}

function classifyWords(words: readonly ShellWord[], ground: Ground): DestructiveClass | null {
	const [program, ...args] = words;
	if (program === undefined) return null;
	const name = program.text.slice(program.text.lastIndexOf("/") + 1);
	if (SHELLS.has(name) || name === "eval") return classifyInner(name, args, ground);
	if (WRAPPERS.has(name)) return classifyWrapped(args, ground);
	if (PRIVILEGE.has(name)) return "privilege";
	if (DISK.has(name) || name.startsWith("mkfs")) return "disk";
	if (DELETERS.has(name)) return losesFiles(args, ground) ? "delete outside git" : null;
	if (name === "find") return classifyFind(args, ground);
	if (name === "git")
		return classifyGit(
			args.map((word) => word.text),
			ground,
		);
	if (
		listens(
			name,
			args.map((word) => word.text),
		)
	)
		return "network listener";
	return null;
}

function classifyInner(name: string, args: readonly ShellWord[], ground: Ground): DestructiveClass | null {
	if (name === "eval") return classifyDestructive(args.map((word) => word.text).join(" "), ground);
	const flag = args.findIndex((word) => /^-[a-z]*c[a-z]*$/.test(word.text));
	const script = flag < 0 ? undefined : args[flag + 1];
	return script === undefined ? null : classifyDestructive(script.text, ground);
}

/** Where the wrapped program begins depends on the wrapper's options, so every position is tried. */
function classifyWrapped(args: readonly ShellWord[], ground: Ground): DestructiveClass | null {
	for (let index = 0; index < args.length; index += 1) {
		const found = classifyWords(args.slice(index), ground);
		if (found !== null) return found;
	}
	return null;
}

/** Git brings back what is inside its work tree; a glob or variable may lead anywhere, and .git is the memory itself. */
function losesFiles(args: readonly ShellWord[], ground: Ground): boolean {
	const { gitRoot } = ground;
	if (gitRoot === null) return true;
	const operands = args.filter((word) => !word.text.startsWith("-"));
	if (operands.length === 0) return true;
	return operands.some((word) => {
		if (word.dynamic || word.tilde) return true;
		const path = isAbsolute(word.text) ? word.text : resolve(ground.cwd, word.text);
		return !isInside(path, gitRoot) || path === gitRoot || isInside(path, resolve(gitRoot, ".git"));
	});
}

function classifyFind(args: readonly ShellWord[], ground: Ground): DestructiveClass | null {
	const places = args.slice(
		0,
		args.findIndex((word) => word.text.startsWith("-")),
	);
	if (args.some((word) => word.text === "-delete") && losesFiles(places, ground)) return "delete outside git";
	const run = args.findIndex((word) => /^-(?:exec|execdir|ok|okdir)$/.test(word.text));
	return run < 0 ? null : classifyWords(args.slice(run + 1), ground);
}

const GIT_OPTIONS_WITH_VALUE = new Set([
	"-C",
	"-c",
	"--git-dir",
	"--work-tree",
	"--namespace",
	"--exec-path",
]);
const FORCING = [
	"-f",
	"--force",
	"--force-with-lease",
	"--force-if-includes",
	"--mirror",
	"--delete",
	"-d",
	"--prune",
];
/** Subcommands that forget commits: always, or with one of the options or words. */
const HISTORY: Readonly<Record<string, readonly string[] | "always">> = {
	rebase: "always",
	"filter-branch": "always",
	"filter-repo": "always",
	replace: "always",
	"update-ref": "always",
	prune: "always",
	commit: ["--amend"],
	reset: ["--hard", "--keep", "--merge"],
	reflog: ["expire", "delete"],
	branch: ["-D", "-d", "--delete", "-M", "--force", "-f"],
	tag: ["-d", "--delete", "-f", "--force"],
	stash: ["drop", "clear"],
	gc: ["--prune"],
};

function classifyGit(args: readonly string[], ground: Ground): DestructiveClass | null {
	let index = 0;
	while (args[index]?.startsWith("-")) index += GIT_OPTIONS_WITH_VALUE.has(args[index] ?? "") ? 2 : 1;
	const subcommand = args[index] ?? "";
	const rest = args.slice(index + 1);
	if (subcommand === "push") return forces(rest) ? "force push" : null;
	if (forgetsCommits(subcommand, rest)) return "history rewrite";
	// What was never committed is gone for good.
	const cleans = subcommand === "clean" && rest.some((arg) => /^-[a-z]*f|^--force/.test(arg));
	return cleans || (subcommand === "rm" && ground.gitRoot === null) ? "delete outside git" : null;
}

function forgetsCommits(subcommand: string, args: readonly string[]): boolean {
	const row = Object.hasOwn(HISTORY, subcommand) ? HISTORY[subcommand] : undefined;
	return row === "always" || (row !== undefined && hasAny(args, row));
}

function hasAny(args: readonly string[], options: readonly string[]): boolean {
	return args.some((arg) => options.some((option) => arg === option || arg.startsWith(`${option}=`)));
}

/** By option, by a joined short option, or by a refspec that begins with + (force) or : (delete). */
function forces(args: readonly string[]): boolean {
	return hasAny(args, FORCING) || args.some((arg) => /^[+:]./.test(arg) || /^-[a-z]*[fd]/.test(arg));
}

/** Arguments with which a program listens for connections. */
const LISTENING: readonly { program: RegExp; argument: RegExp }[] = [
	{ program: /^(?:nc|ncat|netcat|socat)$/, argument: /^-[a-zA-Z]*l|listen/i },
	{ program: /^python[0-9.]*$/, argument: /^(?:-m)?(?:http\.server|SimpleHTTPServer)$/ },
	{ program: /^php$/, argument: /^-S/ },
	{ program: /^ssh$/, argument: /^-[a-zA-Z]*[RLD]/ },
	{ program: /^(?:npx|bunx|pnpx)$/, argument: /^(?:http-server|live-server|serve|ngrok)$/ },
];

function listens(name: string, args: readonly string[]): boolean {
	if (SERVERS.has(name)) return true;
	return LISTENING.some(
		({ program, argument }) => program.test(name) && args.some((arg) => argument.test(arg)),
	);
}

/** Used where the parser gave up: each word that stands alone is tried as if it were a command with the rest as arguments. */
function classifyLoosely(text: string, ground: Ground): DestructiveClass | null {
	for (const line of text.split(/[\n;|&]|\$\(|`/)) {
		const words = line
			.split(/[\s'"(){}<>]+/)
			.filter((word) => word !== "")
			.map((word) => ({ text: word, glob: false, dynamic: word.includes("$"), tilde: word.startsWith("~") }));
		const found = classifyWrapped(words, ground);
		if (found !== null) return found;
	}
	return null;
}
