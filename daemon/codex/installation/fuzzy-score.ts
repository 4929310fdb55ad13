/** How well a path matches, and where. */
export interface FuzzyMatch {
	readonly score: number;
	/** Positions in the path, ascending. */
	readonly indices: readonly number[];
}

/** A name that holds the query whole goes over every scattered match, as with the real server. */
const WHOLE_NAME_BONUS = 65_536;
const START_BONUS = 8;
const NEXT_BONUS = 16;
const HIT = 16;
const GAP = 1;

function isStart(text: string, at: number): boolean {
	return at === 0 || /[^A-Za-z0-9]/.test(text[at - 1] ?? "/");
}

function scoreOf(path: string, indices: readonly number[]): number {
	let score = 0;
	for (const [order, at] of indices.entries()) {
		const before = indices[order - 1];
		score += HIT + (isStart(path, at) ? START_BONUS : 0);
		if (before === at - 1) score += NEXT_BONUS;
		else if (before !== undefined) score -= Math.min(HIT, (at - before - 1) * GAP);
	}
	return Math.max(1, score);
}

function scattered(path: string, query: string, from: number): number[] | undefined {
	const indices: number[] = [];
	let at = from;
	for (const char of query) {
		at = path.indexOf(char, at);
		if (at < 0) return undefined;
		indices.push(at);
		at += char.length;
	}
	return indices;
}

/** Undefined when the characters of the query are not all in the path, in order. `query` is lower case, not empty. */
export function matchPath(path: string, query: string): FuzzyMatch | undefined {
	const lower = path.toLowerCase();
	const nameAt = lower.lastIndexOf("/") + 1;
	const whole = lower.indexOf(query, nameAt);
	if (whole >= 0) {
		const indices = Array.from(query, (_char, index) => whole + index);
		return { score: WHOLE_NAME_BONUS + scoreOf(path, indices), indices };
	}
	const found = [nameAt, 0].flatMap((from) => scattered(lower, query, from) ?? []);
	const first = scattered(lower, query, nameAt) ?? scattered(lower, query, 0);
	return found.length === 0 || !first ? undefined : { score: scoreOf(path, first), indices: first };
}
