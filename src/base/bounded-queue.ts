/** A first-in first-out queue with a bound by count and by cost (bytes, usually). */
export interface BoundedQueue<T> {
	/** False when the item would break a bound; then nothing is queued. */
	push(item: T, cost?: number): boolean;
	shift(): T | undefined;
	/** Takes everything out, oldest first. */
	drain(): T[];
	readonly length: number;
	readonly cost: number;
}

export function createBoundedQueue<T>(
	maxLength: number,
	maxCost: number = Number.POSITIVE_INFINITY,
): BoundedQueue<T> {
	let items: { item: T; cost: number }[] = [];
	let head = 0;
	let total = 0;
	return {
		push(item, cost = 0) {
			if (items.length - head >= maxLength || total + cost > maxCost) return false;
			items.push({ item, cost });
			total += cost;
			return true;
		},
		shift() {
			const entry = items[head];
			if (!entry) return undefined;
			head += 1;
			total -= entry.cost;
			if (head > 1024 && head * 2 > items.length) {
				items = items.slice(head);
				head = 0;
			}
			return entry.item;
		},
		drain() {
			const out = items.slice(head).map((entry) => entry.item);
			items = [];
			head = 0;
			total = 0;
			return out;
		},
		get length() {
			return items.length - head;
		},
		get cost() {
			return total;
		},
	};
}
