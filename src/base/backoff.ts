interface BackoffOptions {
	firstMs: number;
	maxMs: number;
	/** In [0, 1); a port so that tests are repeatable. */
	random?: () => number;
}

/**
 * Delay before attempt `attempt` (1-based): doubling with full jitter over its upper half, so that many clients of one
 * restarted daemon do not come back in step.
 */
export function backoffMs(attempt: number, { firstMs, maxMs, random = Math.random }: BackoffOptions): number {
	const ceiling = Math.min(maxMs, firstMs * 2 ** Math.max(0, attempt - 1));
	return Math.round(ceiling / 2 + (ceiling / 2) * random());
}
