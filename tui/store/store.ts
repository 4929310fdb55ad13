import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import type { Action, Effect } from "./action.ts";
import { reduce } from "./reduce.ts";
import type { State } from "./state.ts";

/** Holds the state outside of any framework: a dispatch is visible to the next `getState` at once, to listeners once per frame. */
export interface Store {
	getState(): State;
	dispatch(action: Action): void;
	/** The state as of the last frame told; what a view renders. */
	getFrame(): State;
	subscribe(listener: () => void): () => void;
	/** Tells listeners now what waits for the end of the frame. */
	flush(): void;
}

interface StoreParts {
	initial: State;
	clock: Clock;
	newId: NewId;
	/** Does what reducers ask for; called after the state is in place. */
	onEffect(effect: Effect): void;
}

/** Sixty frames a second: more cannot be seen (experience.md, terminal UI 1). */
const FRAME_MS = 17;

/** The first change after a quiet time is told at once, what follows is told together when the frame is over. */
export function createStore({ initial, clock, newId, onEffect }: StoreParts): Store {
	const listeners = new Set<() => void>();
	let state = initial;
	let frame = initial;
	let lastFrameMs = Number.NEGATIVE_INFINITY;
	let isScheduled = false;

	function tell(): void {
		isScheduled = false;
		lastFrameMs = clock.monotonicMs();
		if (frame === state) return;
		frame = state;
		for (const listener of [...listeners]) listener();
	}

	function schedule(): void {
		if (isScheduled) return;
		isScheduled = true;
		const wait = FRAME_MS - (clock.monotonicMs() - lastFrameMs);
		if (wait <= 0) queueMicrotask(tell);
		else clock.after(wait, tell);
	}

	return {
		getState: () => state,
		getFrame: () => frame,
		dispatch(action) {
			const update = reduce(state, action, { nowMs: clock.nowMs(), newId });
			if (update.state !== state) {
				state = update.state;
				schedule();
			}
			for (const effect of update.effects) onEffect(effect);
		},
		subscribe(listener) {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
		flush: tell,
	};
}
