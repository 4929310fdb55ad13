import type { Clock } from "#base/clock.ts";
import { saveStepsWrite, type TurnStep } from "#daemon/storage/repository/chat-turn.ts";
import type { Store } from "#daemon/storage/store.ts";

/** Steps that nobody waits for are saved this late at most, so that a short turn costs two commits and not ten. */
const STEP_DELAY_MS = 50;
/** Partial text is saved at most twice a second (architecture.md 4). */
const TEXT_DELAY_MS = 500;

/** Writes down a turn's steps in order; what is awaited is on disk, the rest follows soon. */
export interface Journal {
	add(step: TurnStep): void;
	/** Some open item's text grew. */
	textGrew(): void;
	/** Resolves when everything added so far is committed. @throws AppError of the store. */
	flush(): Promise<void>;
	/** Takes the steps out to be committed with another change. */
	take(): TurnStep[];
}

interface JournalPorts {
	store: Store;
	clock: Clock;
	turn: { thread_id: string; turn_id: string };
	/** Partial texts that grew since the last call. */
	partials(): TurnStep[];
	onFailure(error: unknown): void;
}

export function createJournal({ store, clock, turn, partials, onFailure }: JournalPorts): Journal {
	let steps: TurnStep[] = [];
	let last: Promise<unknown> = Promise.resolve();
	let stepTimer: Disposable | undefined;
	let textTimer: Disposable | undefined;

	function take(): TurnStep[] {
		stepTimer?.[Symbol.dispose]();
		textTimer?.[Symbol.dispose]();
		stepTimer = textTimer = undefined;
		const taken = [...steps, ...partials()];
		steps = [];
		return taken;
	}

	async function flush(): Promise<void> {
		const taken = take();
		if (taken.length > 0) last = store.write(saveStepsWrite, { ...turn, steps: taken });
		await last;
	}

	function flushLater(): void {
		flush().catch(onFailure);
	}

	return {
		add(step) {
			steps.push(step);
			stepTimer ??= clock.after(STEP_DELAY_MS, flushLater);
		},
		textGrew() {
			textTimer ??= clock.after(TEXT_DELAY_MS, flushLater);
		},
		flush,
		take,
	};
}
