import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { RolloutFile } from "#daemon/storage/repository/rollout-head.ts";

const NAME = /^rollout-\d{4}-\d\d-\d\dT[\d-]{8}-([0-9a-f-]{36})\.jsonl$/iu;
/** sessions/YYYY/MM/DD; nothing is looked for deeper. */
const DEPTH = 3;

/** The thread's id in a rollout's name; null for a file of another kind. */
export function threadIdOfName(path: string): string | null {
	return NAME.exec(basename(path))?.[1]?.toLowerCase() ?? null;
}

/** Size and time of a file; undefined when it is gone or no file. */
export async function fileAt(path: string): Promise<RolloutFile | undefined> {
	const found = await stat(path).catch(() => undefined);
	if (found === undefined || !found.isFile()) return undefined;
	return { path, size_bytes: found.size, mtime_ms: Math.trunc(found.mtimeMs) };
}

async function* walk(folder: string, depth: number): AsyncGenerator<string> {
	// A folder that is gone or closed to us holds nothing for us.
	const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
	const newestFirst = entries.sort((a, b) => (a.name < b.name ? 1 : -1));
	for (const entry of newestFirst) {
		const path = join(folder, entry.name);
		if (entry.isDirectory() && depth > 0) yield* walk(path, depth - 1);
		else if (entry.isFile() && threadIdOfName(path) !== null) yield path;
	}
}

/** Folders of a Codex home that hold rollouts: in use, and put away. */
export const sessionFolders = (codexHome: string) => ({
	sessions: join(codexHome, "sessions"),
	archived: join(codexHome, "archived_sessions"),
});

/** Paths of all rollouts of a Codex home, newest first. */
export async function* findRollouts(codexHome: string): AsyncGenerator<{ path: string; archived: boolean }> {
	const { sessions, archived } = sessionFolders(codexHome);
	for await (const path of walk(sessions, DEPTH)) yield { path, archived: false };
	for await (const path of walk(archived, DEPTH)) yield { path, archived: true };
}

const two = (value: number): string => String(value).padStart(2, "0");

/** Where the Codex CLI keeps a thread that began then: folders and time by the local clock. */
export function rolloutPathFor(
	codexHome: string,
	thread: { thread_id: string; created_at_ms: number },
): string {
	const at = new Date(thread.created_at_ms);
	const day = [String(at.getFullYear()), two(at.getMonth() + 1), two(at.getDate())];
	const time = [two(at.getHours()), two(at.getMinutes()), two(at.getSeconds())];
	const name = `rollout-${day.join("-")}T${time.join("-")}-${thread.thread_id}.jsonl`;
	return join(sessionFolders(codexHome).sessions, ...day, name);
}

const V7_TIME = /^([0-9a-f]{8})-([0-9a-f]{4})-7/iu;
const DAY_MS = 24 * 60 * 60 * 1000;

/** The rollout of one thread, looked for on the day that its id says and the days beside it; undefined when there is none. */
export async function findRolloutOf(
	codexHome: string,
	threadId: string,
): Promise<{ path: string; archived: boolean } | undefined> {
	const [, high, low] = V7_TIME.exec(threadId) ?? [];
	if (high === undefined || low === undefined) return undefined;
	const at = Number.parseInt(high + low, 16);
	const { sessions, archived } = sessionFolders(codexHome);
	const days = [at, at - DAY_MS, at + DAY_MS].map((ms) => new Date(ms));
	const folders = days.map((day) =>
		join(sessions, String(day.getFullYear()), two(day.getMonth() + 1), two(day.getDate())),
	);
	for (const folder of [...folders, archived]) {
		for await (const path of walk(folder, 0))
			if (threadIdOfName(path) === threadId) return { path, archived: folder === archived };
	}
	return undefined;
}
