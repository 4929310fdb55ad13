/** The clock port: everything that waits or stamps goes through it, so that tests can turn time by hand. */
export interface Clock {
	/** Wall clock, milliseconds since 1970. */
	nowMs(): number;
	/** Monotonic, milliseconds from an arbitrary start; for durations only. */
	monotonicMs(): number;
	/** Calls `fire` once after `delayMs`; disposing before then cancels it. Does not keep the process alive. */
	after(delayMs: number, fire: () => void): Disposable;
}

/** The machine's own clock. */
export const systemClock: Clock = {
	nowMs: () => Date.now(),
	monotonicMs: () => performance.now(),
	after(delayMs, fire) {
		const timer = setTimeout(fire, delayMs) as unknown as { unref?: () => void };
		timer.unref?.();
		return { [Symbol.dispose]: () => clearTimeout(timer as unknown as number) };
	},
};

/** Resolves after `delayMs`, rejects with the signal's reason when aborted first. */
export function waitMs(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) {
			reject(signal.reason);
			return;
		}
		const timer = clock.after(delayMs, () => {
			signal?.removeEventListener("abort", onAbort);
			resolve();
		});
		function onAbort(): void {
			timer[Symbol.dispose]();
			reject(signal?.reason);
		}
		signal?.addEventListener("abort", onAbort, { once: true });
	});
}
