import { closeSync, readdirSync, readFileSync } from "node:fs";

type Env = Readonly<Record<string, string | undefined>>;

/** Descriptors that were handed over on purpose, by the variables that number them. */
const HANDED_OVER = ["WEAVE_READY_FD", "WEAVE_CODEX_SHIM_FD", "NODE_CHANNEL_FD"];
/** stdin, stdout, stderr. */
const STANDARD_MAX = 2;
const O_CLOEXEC = 0o2000000;

/**
 * Closes what the starter of this process happened to have open (Linux). Every child would inherit it, a sandboxed command
 * too, and an open folder leads out of any sandbox. Call it first in a process that lives on; Node's own are marked
 * close-on-exec and stay.
 */
export function closeInheritedDescriptors(env: Env): void {
	const kept = new Set(HANDED_OVER.map((name) => Number(env[name] ?? Number.NaN)));
	for (const fd of listDescriptors()) {
		if (fd <= STANDARD_MAX || kept.has(fd) || !isInherited(fd)) continue;
		try {
			closeSync(fd);
		} catch {
			// Closed meanwhile: that is what was wanted.
		}
	}
}

function listDescriptors(): number[] {
	try {
		return readdirSync("/proc/self/fd").map(Number);
	} catch {
		return [];
	}
}

function isInherited(fd: number): boolean {
	try {
		const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
		return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
	} catch {
		return false;
	}
}
