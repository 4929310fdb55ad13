const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A duration for a tool step: `12 ms`, `0.1 s`, `12 s`, `3 min`. */
export function formatDuration(ms: number): string {
	if (ms < 100) return `${Math.round(Math.max(0, ms))} ms`;
	if (ms < 10_000) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
	if (ms < MINUTE_MS) return `${Math.round(ms / 1000)} s`;
	if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
	return `${Math.floor(ms / HOUR_MS)} h ${Math.round((ms % HOUR_MS) / MINUTE_MS)} min`;
}

/** A running time that counts up: `0:42`, `1:02:03`. */
export function formatElapsed(ms: number): string {
	const seconds = Math.max(0, Math.floor(ms / 1000));
	const pad = (value: number): string => String(value).padStart(2, "0");
	const hours = Math.floor(seconds / 3600);
	const minutes = Math.floor((seconds % 3600) / 60);
	return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

/** How long ago, in one unit: `now`, `5 min ago`, `3 h ago`, `2 d ago`. */
export function formatAgo(ms: number): string {
	if (ms < MINUTE_MS) return "now";
	if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min ago`;
	if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h ago`;
	return `${Math.floor(ms / DAY_MS)} d ago`;
}

/** Local time of day, `14:02`. */
export function formatTime(atMs: number): string {
	const date = new Date(atMs);
	return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
}

/** Tokens: `930`, `12.4k`, `258k`, `1.2M`. */
export function formatCount(count: number): string {
	if (count < 1000) return String(count);
	if (count < 100_000) return `${(count / 1000).toFixed(1)}k`;
	if (count < 1_000_000) return `${Math.round(count / 1000)}k`;
	return `${(count / 1_000_000).toFixed(1)}M`;
}

/** The person's own folder as `~`. */
export function tildePath(path: string, homeDir: string | undefined): string {
	if (homeDir === undefined || homeDir === "" || homeDir === "/") return path;
	if (path === homeDir) return "~";
	return path.startsWith(`${homeDir}/`) ? `~${path.slice(homeDir.length)}` : path;
}

/** `1 line`, `3 lines`. */
export function plural(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
