import { join } from "node:path";

const two = (value: number): string => String(value).padStart(2, "0");

/** Where the reference would keep the thread's rollout; clients show it and derive names from it. */
export function rolloutPath(
	codexHome: string,
	thread: { thread_id: string; created_at_ms: number; archived: boolean },
): string {
	const at = new Date(thread.created_at_ms);
	const day = [String(at.getFullYear()), two(at.getMonth() + 1), two(at.getDate())];
	const time = [two(at.getHours()), two(at.getMinutes()), two(at.getSeconds())];
	const file = `rollout-${day.join("-")}T${time.join("-")}-${thread.thread_id}.jsonl`;
	return thread.archived
		? join(codexHome, "archived_sessions", file)
		: join(codexHome, "sessions", ...day, file);
}
