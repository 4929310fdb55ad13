import { readFileSync } from "node:fs";

/**
 * Whether the process with this pid is the one that was started then. Without a recorded start time the pid alone would
 * name a stranger sooner or later, so the answer is no.
 */
export function isProcessAlive(pid: number, startTime: string | null): boolean {
	if (startTime === null) return false;
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
		// The command's name, field 2, may hold spaces and brackets; counting starts after its last one.
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		return fields[0] !== "Z" && fields[19] === startTime;
	} catch {
		return false;
	}
}
