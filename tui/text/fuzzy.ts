/** What a match is worth; a gap costs, a word's beginning and a run of neighbours earn. */
const EARLY = 6;
const WORD = 8;
const RUN = 5;
const GAP = 1;

function isWordStart(text: string, index: number): boolean {
	return index === 0 || /[^\p{L}\p{N}]/u.test(text.charAt(index - 1));
}

/** Where the next wanted character is taken: a word's beginning is preferred over the nearest place, if the rest still fits. */
function placeOf(hay: string, rest: string, from: number, previous: number): number {
	const character = rest.charAt(0);
	const near = hay.indexOf(character, from);
	if (near === -1 || near === previous + 1) return near;
	for (let index = near; index !== -1; index = hay.indexOf(character, index + 1)) {
		if (isWordStart(hay, index)) return isSubsequence(rest.slice(1), hay, index + 1) ? index : near;
	}
	return near;
}

/** Scores `query` as a subsequence of `text`, ignoring case: undefined when it is none, higher is better, 0 for no query. */
export function fuzzyScore(query: string, text: string): number | undefined {
	const wanted = query.toLowerCase();
	const hay = text.toLowerCase();
	let score = 0;
	let previous = -1;
	for (let done = 0; done < wanted.length; done += 1) {
		const at = placeOf(hay, wanted.slice(done), previous + 1, previous);
		if (at === -1) return undefined;
		if (at === 0) score += EARLY;
		if (isWordStart(hay, at)) score += WORD;
		if (previous !== -1) score += at === previous + 1 ? RUN : -Math.min(8, GAP * (at - previous - 1));
		previous = at;
	}
	return wanted === "" ? 0 : score - Math.floor(hay.length / 16);
}

function isSubsequence(wanted: string, hay: string, start: number): boolean {
	let from = start;
	for (const character of wanted) {
		const at = hay.indexOf(character, from);
		if (at === -1) return false;
		from = at + 1;
	}
	return true;
}

/** Items that match, best first; equal scores keep their order. */
export function fuzzyFilter<T>(query: string, items: readonly T[], textOf: (item: T) => string): T[] {
	return items
		.map((item, index) => ({ item, index, score: fuzzyScore(query, textOf(item)) }))
		.filter((entry): entry is { item: T; index: number; score: number } => entry.score !== undefined)
		.sort((a, b) => b.score - a.score || a.index - b.index)
		.map((entry) => entry.item);
}

/** Edits (insert, delete, replace, swap of neighbours) from `a` to `b`. */
export function editDistance(a: string, b: string): number {
	let beforeLast: number[] = [];
	let last = Array.from({ length: b.length + 1 }, (_, index) => index);
	for (let row = 1; row <= a.length; row += 1) {
		const current = [row];
		for (let column = 1; column <= b.length; column += 1) {
			const same = a[row - 1] === b[column - 1];
			let cost = Math.min(
				(last[column] ?? 0) + 1,
				(current[column - 1] ?? 0) + 1,
				(last[column - 1] ?? 0) + (same ? 0 : 1),
			);
			const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
			if (isSwap) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
			current.push(cost);
		}
		beforeLast = last;
		last = current;
	}
	return last[b.length] ?? 0;
}

/** The name most likely meant: the fewest edits, else a fuzzy match; undefined when nothing is near. */
export function nearestName(typed: string, names: readonly string[]): string | undefined {
	const ranked = names
		.map((name) => ({ name, distance: editDistance(typed.toLowerCase(), name.toLowerCase()) }))
		.sort((a, b) => a.distance - b.distance);
	const best = ranked[0];
	if (best && best.distance <= Math.max(1, Math.floor(typed.length / 2))) return best.name;
	return fuzzyFilter(typed, names, (name) => name)[0];
}
