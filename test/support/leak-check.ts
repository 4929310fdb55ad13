/** Kinds of handles that come and go with the runner itself. */
const IGNORED = new Set(["TTYWrap", "PipeWrap", "Immediate", "TickObject"]);

function countResources(): Map<string, number> {
	const counts = new Map<string, number>();
	for (const kind of process.getActiveResourcesInfo()) {
		if (!IGNORED.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
	}
	return counts;
}

function findMore(before: ReadonlyMap<string, number>): string[] {
	return [...countResources()]
		.filter(([kind, count]) => count > (before.get(kind) ?? 0))
		.map(([kind, count]) => `${kind}: ${before.get(kind) ?? 0} -> ${count}`);
}

/** How long closed handles may take to be gone. */
const SETTLE_MS = 2_000;

/**
 * Notes what the process holds now (sockets, servers, timers, workers); the returned check fails when it holds more in the end.
 * @throws Error naming the kinds of handles left over.
 */
export function expectNoLeak(): () => Promise<void> {
	const before = countResources();
	return async () => {
		const untilMs = performance.now() + SETTLE_MS;
		for (;;) {
			const more = findMore(before);
			if (more.length === 0) return;
			if (performance.now() > untilMs) throw new Error(`left over: ${more.join(", ")}`);
			await new Promise((resolve) => setImmediate(resolve));
		}
	};
}
