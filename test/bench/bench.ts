/** One measured row of contracts.md section 6: a ratio to a baseline taken in the same run, or an absolute bound. */
export interface BenchRow {
	readonly name: string;
	/** As contracts.md words it, e.g. "≤ 2 ×". */
	readonly bar: string;
	/** False when it cannot run here; then the reason. */
	available?(): true | string;
	measure(context: BenchContext): Promise<Measured>;
}

export interface BenchContext {
	/** How many rounds; 1 with --quick. */
	readonly rounds: number;
	/** `node -e 0` in ms, median, from this run. */
	readonly nodeMs: number;
}

export interface Measured {
	/** Ours and the baseline's medians, with units for people: "41 ms". */
	readonly ours: string;
	readonly baseline: string;
	/** ours / baseline, or the absolute value where the bar is absolute. */
	readonly value: number;
	/** "×" or a unit. */
	readonly unit: string;
	readonly ok: boolean;
	readonly note?: string;
}

export function median(values: readonly number[]): number {
	return percentile(values, 0.5);
}

/** Nearest-rank percentile of `values`, `at` in [0, 1]. */
export function percentile(values: readonly number[], at: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(at * sorted.length) - 1))] ?? Number.NaN;
}

/** Compares the two in turn, `rounds` times, so that what else the machine does meets both. */
export async function interleaved(
	rounds: number,
	ours: () => Promise<number>,
	baseline: () => Promise<number>,
): Promise<{ ours: number; baseline: number; ratio: number }> {
	const pairs: { ours: number; baseline: number }[] = [];
	for (let round = 0; round < rounds; round += 1)
		pairs.push({ baseline: await baseline(), ours: await ours() });
	return {
		ours: median(pairs.map((pair) => pair.ours)),
		baseline: median(pairs.map((pair) => pair.baseline)),
		ratio: median(pairs.map((pair) => pair.ours / pair.baseline)),
	};
}

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
