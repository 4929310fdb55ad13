import { execFileSync } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { readProcessStartTime } from "./process-start.ts";

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
	pid: number;
	/** Opaque: when the kernel says that it started (clock ticks since boot on Linux). */
	start_time: string;
}

function readPs(pid: number): string | null {
	try {
		const out = execFileSync("ps", ["-o", "state=,lstart=", "-p", String(pid)], {
			encoding: "utf8",
			stdio: ["ignore", "pipe", "ignore"],
		});
		const [state = "", ...started] = out.trim().split(/\s+/);
		return started.length === 0 || state.startsWith("Z") ? null : started.join(" ");
	} catch {
		return null;
	}
}

/** The identity of a running process; undefined when there is none, or only a zombie nobody has collected. */
export function readProcessIdentity(pid: number): ProcessIdentity | undefined {
	if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
	const startTime = process.platform === "linux" ? readProcessStartTime(pid) : readPs(pid);
	return startTime === null ? undefined : { pid, start_time: startTime };
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
