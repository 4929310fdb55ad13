import { createDeferred, type Deferred } from "#base/deferred.ts";

/** Lets at most `cap` in at once, the others wait in order of arrival. */
export interface Lane {
	/** Resolves with the place; disposing it lets the next one in. Rejects with the signal's reason while waiting. */
	enter(signal: AbortSignal): Promise<Disposable>;
	readonly running: number;
	readonly waiting: number;
}

export function createLane(cap: number): Lane {
	let running = 0;
	const queue: Deferred<Disposable>[] = [];

	function place(): Disposable {
		let held = true;
		running += 1;
		return {
			[Symbol.dispose]() {
				if (!held) return;
				held = false;
				running -= 1;
				if (running < cap) queue.shift()?.resolve(place());
			},
		};
	}

	return {
		async enter(signal) {
			signal.throwIfAborted();
			if (running < cap) return place();
			const turn = createDeferred<Disposable>();
			queue.push(turn);
			function onAbort(): void {
				const at = queue.indexOf(turn);
				if (at >= 0) queue.splice(at, 1);
				turn.reject(signal.reason);
			}
			signal.addEventListener("abort", onAbort, { once: true });
			try {
				return await turn.promise;
			} finally {
				signal.removeEventListener("abort", onAbort);
			}
		},
		get running() {
			return running;
		},
		get waiting() {
			return queue.length;
		},
	};
}
