import type { Clock } from "#base/clock.ts";

const WINDOW_MS = 60_000;
/** Names remembered; only bounds memory. */
const NAMES_MAX = 1024;

/** Failures of the last minute, per name; counts on up to one over `max`. */
export function createFailureCount(clock: Clock, max: number): { add(name: string): number } {
	const byName = new Map<string, number[]>();
	return {
		add(name) {
			const now = clock.monotonicMs();
			const recent = (byName.get(name) ?? []).filter((atMs) => now - atMs < WINDOW_MS).slice(-max);
			recent.push(now);
			byName.delete(name);
			byName.set(name, recent);
			const oldest = byName.keys().next().value;
			if (byName.size > NAMES_MAX && oldest !== undefined) byName.delete(oldest);
			return recent.length;
		},
	};
}
