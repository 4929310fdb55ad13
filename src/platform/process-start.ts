import { readFileSync } from "node:fs";

const ENDED_STATES = new Set(["Z", "X"]);

/**
 * Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat); with the pid it names a process for
 * good, because a pid is used again. Null where there is no /proc or no such living process.
 * Apart from identity.ts because the pty-host must not load node:child_process.
 */
export function readProcessStartTime(pid: number): string | null {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
		// The name in field 2 may hold blanks and brackets, so fields are counted after its last bracket.
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		// A zombie has ended; only nobody has asked for its exit code yet.
		return ENDED_STATES.has(fields[0] ?? "") ? null : (fields[19] ?? null);
	} catch {
		return null;
	}
}
