import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import type { SandboxMode } from "#protocol/record.ts";
import { isInside, type ProtectedPaths } from "../../policy/protected.ts";
import { openFolders } from "./open-folders.ts";
import { resolveRealPath } from "./real-path.ts";

const run = promisify(execFile);

/** A sandbox that is not up by then is taken as broken. */
const PROBE_TIMEOUT_MS = 5_000;
/** Shared folders full of other programs' sockets (tmux, dbus, docker, agents of keys): a command gets empty ones. */
const PRIVATE_FOLDERS = ["/tmp", "/run", "/var/run"];
/** Of /run only what names name servers and, on NixOS, the programs themselves. */
const RUN_EXPOSED = [
	"/run/systemd/resolve/stub-resolv.conf",
	"/run/systemd/resolve/resolv.conf",
	"/run/resolvconf/resolv.conf",
	"/run/NetworkManager/resolv.conf",
	"/run/current-system",
];
/** A user namespace of its own takes even root's rights away; the strictest that the system allows is used. */
const USER_NAMESPACE_CHOICES: readonly (readonly string[])[] = [
	["--unshare-user", "--disable-userns"],
	["--unshare-user"],
	[],
];

/** A bubblewrap that was seen to work. */
export interface Bubblewrap {
	readonly program: string;
	readonly userNamespace: readonly string[];
}

export interface SandboxPlan {
	mode: Exclude<SandboxMode, "danger-full-access">;
	/** Where the command runs; symlinks resolved. */
	cwd: string;
	/** The folders that workspace-write opens, the workspace first. */
	roots: readonly string[];
	networkAccess: boolean;
	hidden: ProtectedPaths;
	/** Sockets of other programs (foreign-sockets.ts); each is covered. */
	sockets: readonly string[];
	/** Stands in for /tmp; an empty one of the command's own when absent. */
	scratch?: string | undefined;
	/** Nothing may be written in /tmp. */
	tmpReadOnly?: boolean;
	/** The person's home, which is never writable as a whole. */
	home: string | undefined;
}

/** Looks for bwrap and runs it once; the text says why there is none. */
export async function detectBubblewrap(
	env: Readonly<Record<string, string | undefined>>,
): Promise<Bubblewrap | string> {
	if (process.platform !== "linux") return "bubblewrap exists on Linux only";
	const program = findProgram("bwrap", env["PATH"]);
	if (program === undefined) return "bwrap was not found in PATH (Debian: apt-get install bubblewrap)";
	let reason = "";
	for (const userNamespace of USER_NAMESPACE_CHOICES) {
		const nothing = { folders: [], files: [], exposed: [] };
		const plan: SandboxPlan = {
			mode: "read-only",
			cwd: "/",
			roots: [],
			networkAccess: false,
			hidden: nothing,
			sockets: [],
			home: undefined,
		};
		const [file = program, ...args] = sandboxArgv({ program, userNamespace }, plan, ["/bin/sh", "-c", ":"]);
		try {
			await run(file, args, { timeout: PROBE_TIMEOUT_MS, env: {} });
			return { program, userNamespace };
		} catch (error) {
			reason = firstLine(error);
		}
	}
	return `bwrap cannot make a sandbox here: ${reason}`;
}

function findProgram(name: string, path: string | undefined): string | undefined {
	const folders = (path ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
	return folders
		.map((folder) => join(folder, name))
		.find((file) => {
			try {
				accessSync(file, constants.X_OK);
				return true;
			} catch {
				return false;
			}
		});
}

function firstLine(error: unknown): string {
	const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
	const text = stderr.trim() === "" ? String(error instanceof Error ? error.message : error) : stderr;
	return text.trim().split("\n")[0] ?? "unknown";
}

/**
 * The argv that runs `argv` in its sandbox. Mount order is the guarantee: open folders first, what is hidden last, so
 * that a workspace above or around a protected folder does not bring it back.
 */
export function sandboxArgv(bubblewrap: Bubblewrap, plan: SandboxPlan, argv: readonly string[]): string[] {
	const writable = plan.mode === "workspace-write";
	const { roots } = plan;
	const args = [bubblewrap.program, writable && roots.includes("/") ? "--bind" : "--ro-bind", "/", "/"];
	// Root without any right may still write the kernel's settings, of which one names a program that the kernel runs.
	args.push("--dev", "/dev", "--proc", "/proc", "--remount-ro", "/proc");
	const privateFolders = PRIVATE_FOLDERS.filter((folder) => isPlainFolder(folder));
	args.push(...privateMounts(privateFolders, plan.scratch));
	if (privateFolders.includes("/run")) for (const file of RUN_EXPOSED) args.push("--ro-bind-try", file, file);
	args.push(...openFolders(plan, privateFolders));
	const visible = plan.sockets.filter((path) => !privateFolders.some((folder) => isInside(path, folder)));
	args.push(...hide({ ...plan.hidden, files: [...plan.hidden.files, ...visible] }));
	for (const folder of privateFolders)
		if (folder !== "/tmp" || plan.tmpReadOnly === true || (!writable && !roots.includes("/tmp")))
			args.push("--remount-ro", folder);
	args.push(
		...bubblewrap.userNamespace,
		"--unshare-pid",
		"--unshare-ipc",
		"--unshare-uts",
		"--unshare-cgroup-try",
	);
	if (!plan.networkAccess) args.push("--unshare-net");
	args.push("--new-session", "--die-with-parent", "--cap-drop", "ALL", "--chdir", plan.cwd, "--", ...argv);
	return args;
}

function privateMounts(folders: readonly string[], scratch: string | undefined): string[] {
	return folders.flatMap((folder) =>
		folder === "/tmp" && scratch !== undefined ? ["--bind", scratch, folder] : ["--tmpfs", folder],
	);
}

/** Folders become empty, files unreadable. A file is not covered where its folder can be: a rename over it would show the new one. */
function hide(hidden: ProtectedPaths): string[] {
	const folders = unique(hidden.folders.filter((folder) => isFolder(folder)));
	const outermost = folders.filter(
		(folder) => !folders.some((other) => other !== folder && isInside(folder, other)),
	);
	const args: string[] = [];
	for (const folder of outermost) {
		args.push("--tmpfs", folder);
		const open = hidden.exposed.filter((path) => isInside(path, folder));
		const inner = folders.filter((other) => other !== folder && isInside(other, folder));
		for (const path of open) {
			if (existsSync(path) && !inner.some((other) => isInside(path, other)))
				args.push("--ro-bind", path, path);
		}
		args.push("--remount-ro", folder);
	}
	for (const file of unique(hidden.files)) {
		if (!existsSync(file) || outermost.some((folder) => isInside(file, folder))) continue;
		args.push(
			...(isFolder(file) ? ["--tmpfs", file, "--remount-ro", file] : ["--ro-bind", "/dev/null", file]),
		);
	}
	return args;
}

/** Resolved, because a mount on a symlink is a mount on its target, and each place is covered once. */
function unique(paths: readonly string[]): string[] {
	return [...new Set(paths.map((path) => resolveRealPath(path)))];
}

function isFolder(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isPlainFolder(path: string): boolean {
	return isFolder(path) && resolveRealPath(path) === path;
}
