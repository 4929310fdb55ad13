/** One look at a process between two cycles, when nothing of the bench is open. */
interface Look {
	readonly rssMiB: number;
	readonly files: number;
}

export interface GrowthWatch {
	add(look: Look): void;
	/** For people. */
	last(): string;
	/** @throws Error when files leak, or memory keeps growing. */
	assertBounded(): void;
}

/** Looks before these are left out: caches and compiled code are still filling. */
const WARM_LOOKS = 3;
/** Files that come and go: a connection that is just closing, a log that is being turned over. */
const FILES_SLACK = 12;
/** The heap of a busy daemon settles at some 120 MiB over its first looks; a leak of a kilobyte per shot is over this within minutes. */
const RSS_FACTOR = 1.5;
const RSS_SLACK_MIB = 128;

function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Compares the newest third of the looks with the first third after the warm-up. */
export function createGrowthWatch(name: string): GrowthWatch {
	const looks: Look[] = [];

	function compare(of: (look: Look) => number): { early: number; late: number } {
		const settled = looks.slice(WARM_LOOKS).map(of);
		const third = Math.max(1, Math.floor(settled.length / 3));
		return { early: median(settled.slice(0, third)), late: median(settled.slice(-third)) };
	}

	return {
		add: (look) => void looks.push(look),
		last() {
			const look = looks.at(-1);
			return look ? `${look.rssMiB.toFixed(0)} MiB, ${look.files} files` : "unseen";
		},
		assertBounded() {
			if (looks.length < WARM_LOOKS + 3) return;
			const files = compare((look) => look.files);
			if (files.late > files.early + FILES_SLACK)
				throw new Error(`${name} leaks files: ${files.early} became ${files.late}`);
			const rss = compare((look) => look.rssMiB);
			if (rss.late > rss.early * RSS_FACTOR + RSS_SLACK_MIB)
				throw new Error(`${name} grows: ${rss.early.toFixed(0)} MiB became ${rss.late.toFixed(0)} MiB`);
		},
	};
}
