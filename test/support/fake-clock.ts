import type { Clock } from "#base/clock.ts";

/** A clock turned by hand: `advance` fires what is due, in order of time. */
export interface FakeClock extends Clock {
	advance(byMs: number): void;
	readonly pending: number;
}

export function createFakeClock(startMs = 1_700_000_000_000): FakeClock {
	let now = startMs;
	const timers = new Set<{ atMs: number; fire: () => void }>();
	return {
		nowMs: () => now,
		monotonicMs: () => now - startMs,
		after(delayMs, fire) {
			const timer = { atMs: now + delayMs, fire };
			timers.add(timer);
			return { [Symbol.dispose]: () => void timers.delete(timer) };
		},
		advance(byMs) {
			const until = now + byMs;
			for (;;) {
				const due = [...timers].filter((timer) => timer.atMs <= until).sort((a, b) => a.atMs - b.atMs)[0];
				if (!due) break;
				timers.delete(due);
				now = Math.max(now, due.atMs);
				due.fire();
			}
			now = until;
		},
		get pending() {
			return timers.size;
		},
	};
}
