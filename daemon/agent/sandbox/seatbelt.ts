import { existsSync } from "node:fs";
import type { ProtectedPaths } from "../../policy/protected.ts";
import { listGuardedPlaces } from "./git-places.ts";

/** Only this one: one of a folder in PATH could be anybody's. */
const PROGRAM = "/usr/bin/sandbox-exec";

/** What a macOS sandbox lets through; paths are absolute, symlinks resolved. */
export interface SeatbeltPlan {
	readonly mode: "read-only" | "workspace-write";
	/** The workspace and further folders to write in. */
	readonly roots: readonly string[];
	/** Temporary folders, writable in workspace-write. */
	readonly temporary: readonly string[];
	readonly networkAccess: boolean;
	readonly hidden: ProtectedPaths;
}

/** Whether this machine has sandbox-exec; the text says why not. */
export function detectSeatbelt(
	platform: NodeJS.Platform = process.platform,
	exists: (path: string) => boolean = existsSync,
): { program: string } | string {
	if (platform !== "darwin") return "sandbox-exec exists on macOS only";
	return exists(PROGRAM) ? { program: PROGRAM } : `${PROGRAM} was not found`;
}

/** The argv that runs `argv` under the plan's profile. */
export function seatbeltArgv(plan: SeatbeltPlan, argv: readonly string[]): string[] {
	return [PROGRAM, "-p", seatbeltProfile(plan), "--", ...argv];
}

/**
 * The profile as text. Everything is denied first; later rules win over earlier ones, so what is guarded and hidden comes
 * last and a workspace around it does not bring it back.
 */
export function seatbeltProfile(plan: SeatbeltPlan, guarded = listGuardedPlaces): string {
	const lines = [
		"(version 1)",
		"(deny default)",
		"(allow process-exec process-fork)",
		"(allow signal process-info* (target same-sandbox))",
		"(allow sysctl-read)",
		'(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))',
		'(allow mach-lookup (global-name "com.apple.system.logger"))',
		"(allow ipc-posix-sem)",
		"(allow pseudo-tty)",
		'(allow file-read* file-write* file-ioctl (literal "/dev/ptmx") (regex #"^/dev/ttys[0-9]+$"))',
		"(allow file-read*)",
		'(allow file-write-data file-ioctl (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty"))',
	];
	if (plan.mode === "workspace-write") {
		for (const root of [...plan.roots, ...plan.temporary]) lines.push(`(allow file-write* ${subpath(root)})`);
		for (const place of plan.roots.flatMap((root) => [...new Set([`${root}/.git`, ...guarded(root)])]))
			lines.push(`(deny file-write* ${subpath(place)})`);
	}
	if (plan.networkAccess)
		lines.push(
			"(allow network-outbound network-inbound network-bind)",
			"(allow system-socket)",
			'(allow mach-lookup (global-name "com.apple.SystemConfiguration.configd"))',
			'(allow mach-lookup (global-name "com.apple.trustd.agent"))',
		);
	for (const path of [...plan.hidden.folders, ...plan.hidden.files])
		lines.push(`(deny file-read* file-write* network-outbound ${subpath(path)})`);
	for (const path of plan.hidden.exposed) lines.push(`(allow file-read* ${subpath(path)})`);
	return `${lines.join("\n")}\n`;
}

function subpath(path: string): string {
	return `(subpath "${path.replaceAll(/[\\"]/g, "\\$&")}")`;
}
