/** mulberry32: small, seeded, good enough to pick frames. */
export function createRandom(seed: number): (below: number) => number {
	let state = seed >>> 0;
	return (below) => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
	};
}

/** An integer in [0, below). */
export type Random = (below: number) => number;

/** One of a list that is not empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
	const found = list[random(list.length)];
	if (found === undefined) throw new Error("nothing to pick from");
	return found;
}

/** A JSON value that no schema expects. */
export function junkValue(random: Random, depth = 0): unknown {
	const simple = [null, true, -1, 1e308, "", "x".repeat(random(300)), "\u0000\ud800", "__proto__", [], {}];
	const kind = random(depth > 3 ? simple.length : simple.length + 2);
	if (kind === simple.length) return Array.from({ length: random(4) }, () => junkValue(random, depth + 1));
	if (kind > simple.length)
		return { [pick(random, ["name", "constructor", "thread_id", "a"])]: junkValue(random, depth + 1) };
	return simple[kind];
}
