function isContainer(value: unknown): value is object {
	return typeof value === "object" && value !== null;
}

/** True when arrays and objects nest deeper than `max`; never recurses, so that depth itself does no harm. */
export function isDeeperThan(value: unknown, max: number): boolean {
	let level = [value].filter(isContainer);
	for (let depth = 0; level.length > 0; depth += 1) {
		if (depth >= max) return true;
		const next: object[] = [];
		for (const container of level) {
			for (const member of Object.values(container)) if (isContainer(member)) next.push(member);
		}
		level = next;
	}
	return false;
}
