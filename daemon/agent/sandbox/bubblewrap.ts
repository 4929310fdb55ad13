import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import type { SandboxMode } from "#protocol/record.ts";
import { isInside, type ProtectedPaths } from "../../policy/protected.ts";
import { resolveRealPath } from "./real-path.ts";

const run = promisify(execFile);

/** A sandbox that is not up by then is taken as broken. */
const PROBE_TIMEOUT_MS = 5_000;
/** Shared folders full of other programs' sockets (tmux, dbus, docker, agents of keys): a command gets empty ones. */
const PRIVATE_FOLDERS = ["/tmp", "/run"];
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
	// Parents first: a folder bound later covers what was bound below it.
	const roots = [...plan.roots].sort((a, b) => a.length - b.length);
	const args = [bubblewrap.program, writable && roots.includes("/") ? "--bind" : "--ro-bind", "/", "/"];
	args.push("--dev", "/dev", "--proc", "/proc");
	const privateFolders = PRIVATE_FOLDERS.filter((folder) => isPlainFolder(folder));
	for (const folder of privateFolders) args.push("--tmpfs", folder);
	if (privateFolders.includes("/run")) for (const file of RUN_EXPOSED) args.push("--ro-bind-try", file, file);
	args.push(...openFolders(plan, roots, privateFolders));
	args.push(...hide(plan.hidden));
	if (!writable && privateFolders.includes("/tmp") && !roots.includes("/tmp"))
		args.push("--remount-ro", "/tmp");
	if (privateFolders.includes("/run")) args.push("--remount-ro", "/run");
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

function openFolders(
	plan: SandboxPlan,
	roots: readonly string[],
	privateFolders: readonly string[],
): string[] {
	const args: string[] = [];
	const bind = plan.mode === "workspace-write" ? "--bind" : "--ro-bind";
	const writable = plan.mode === "workspace-write";
	const pins = writable ? pinnedFolders(plan.hidden, roots, privateFolders) : [];
	const folders = [...new Set([...roots.filter((root) => root !== "/" && existsSync(root)), ...pins])];
	for (const folder of folders.sort((a, b) => a.length - b.length)) args.push(bind, folder, folder);
	const covered = roots.some((root) => root !== "/" && isInside(plan.cwd, root));
	const emptied = privateFolders.some((folder) => plan.cwd !== folder && isInside(plan.cwd, folder));
	if (!covered && emptied) args.push("--ro-bind", plan.cwd, plan.cwd);
	if (!writable) return args;
	// Hooks and config in .git run outside the sandbox later, so they are not the command's to write.
	for (const root of roots) {
		const git = join(root, ".git");
		if (existsSync(git)) args.push("--ro-bind", git, git);
	}
	return args;
}

/**
 * The folders between an open root and what is hidden below it. Each becomes a mount of its own, which the kernel lets
 * nobody rename: else a command moves the folder around a secret away, and the next command finds it uncovered.
 */
function pinnedFolders(
	hidden: ProtectedPaths,
	roots: readonly string[],
	privateFolders: readonly string[],
): string[] {
	const pins: string[] = [];
	for (const path of unique([...hidden.folders, ...hidden.files]).filter((one) => existsSync(one))) {
		for (let at = dirname(path); at !== dirname(at); at = dirname(at)) {
			const holders = roots.filter((root) => root !== at && isInside(at, root));
			// Below "/" the private folders are empty ones, which must not come back.
			const emptied = privateFolders.some((folder) => isInside(at, folder));
			if (holders.some((root) => root !== "/" || !emptied)) pins.push(at);
		}
	}
	return pins;
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
