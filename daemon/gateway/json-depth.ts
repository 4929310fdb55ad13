/** True when arrays and objects nest deeper than `max`; never recurses, so that depth itself does no harm. */
export function isDeeperThan(value: unknown, max: number): boolean {
	let level: unknown[] = [value];
	for (let depth = 0; level.length > 0; depth += 1) {
		const next: unknown[] = [];
		for (const entry of level) {
			if (typeof entry !== "object" || entry === null) continue;
			if (depth >= max) return true;
			for (const member of Object.values(entry))
				if (typeof member === "object" && member !== null) next.push(member);
		}
		level = next;
	}
	return false;
}
