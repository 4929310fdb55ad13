import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
	pid: number;
	/** Opaque: when the kernel says that it started (clock ticks since boot on Linux). */
	start_time: string;
}

function readText(path: string): string | undefined {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return undefined;
	}
}

/** Fields after the command name, which may itself hold blanks and brackets: state is the first, start ticks the 20th. */
function readProc(pid: number): string | undefined {
	const stat = readText(`/proc/${pid}/stat`);
	if (stat === undefined) return undefined;
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	const [state, ticks] = [fields[0], fields[19]];
	if (ticks === undefined || state === "Z" || state === "X") return undefined;
	return ticks;
}

function readPs(pid: number): string | undefined {
	try {
		const out = execFileSync("ps", ["-o", "state=,lstart=", "-p", String(pid)], {
			encoding: "utf8",
			stdio: ["ignore", "pipe", "ignore"],
		});
		const [state = "", ...started] = out.trim().split(/\s+/);
		return started.length === 0 || state.startsWith("Z") ? undefined : started.join(" ");
	} catch {
		return undefined;
	}
}

/** The identity of a running process; undefined when there is none, or only a zombie nobody has collected. */
export function readProcessIdentity(pid: number): ProcessIdentity | undefined {
	if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
	const startTime = process.platform === "linux" ? readProc(pid) : readPs(pid);
	return startTime === undefined ? undefined : { pid, start_time: startTime };
}

/** True while exactly that process runs; a reused number does not count. */
export function isSameProcess(identity: ProcessIdentity): boolean {
	return readProcessIdentity(identity.pid)?.start_time === identity.start_time;
}

/** Reads `{pid, start_time}` out of something parsed from a file. */
export function parseProcessIdentity(value: unknown): ProcessIdentity | undefined {
	if (typeof value !== "object" || value === null || !("pid" in value) || !("start_time" in value))
		return undefined;
	const { pid, start_time } = value;
	return typeof pid === "number" && typeof start_time === "string" ? { pid, start_time } : undefined;
}

const POLL_MS = 15;

/** Resolves true when that process has ended, false when it still runs after `timeoutMs`. */
export async function waitUntilGone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
	const giveUpMs = performance.now() + timeoutMs;
	while (isSameProcess(identity)) {
		if (performance.now() >= giveUpMs) return false;
		await pause(POLL_MS);
	}
	return true;
}
