import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import { saveStepsWrite, type TurnStep } from "#daemon/storage/repository/chat-turn.ts";
import type { Store } from "#daemon/storage/store.ts";

/** Steps that nobody waits for are saved this late at most, so that a short turn costs two commits and not ten. */
const STEP_DELAY_MS = 50;
/** A finished item is told once it is saved: soon, yet late enough for the last answer to go with the turn's end in one commit. */
const SOON_MS = 5;
/** Partial text is saved at most twice a second (architecture.md 4). */
const TEXT_DELAY_MS = 500;

/** Writes down a turn's steps in order, one batch after the other; what is awaited is on disk, the rest follows soon. */
export interface Journal {
	/** `soon`: somebody waits to be told of it. Returns the number of the batch that it will be committed with. */
	add(step: TurnStep, soon?: boolean): number;
	/** Some open item's text grew. */
	textGrew(): void;
	/** Resolves when everything added so far is committed. @throws AppError of the store. */
	flush(): Promise<void>;
	/** Commits everything added so far together with another change; batches on their way come first. */
	commitWith<T>(write: (steps: readonly TurnStep[]) => Promise<T>): Promise<T>;
}

interface JournalPorts {
	store: Store;
	clock: Clock;
	turn: { thread_id: string; turn_id: string };
	/** Partial texts that grew since the last call. */
	partials(): TurnStep[];
	/** Batches up to this one are on disk. */
	onSettled(batch: number): void;
	/** This batch will never be: the store refused it for good. */
	onLost(batch: number): void;
	onFailure(error: unknown): void;
}

function isFull(error: unknown): boolean {
	return error instanceof AppError && error.code === "STORAGE_FULL";
}

export function createJournal(ports: JournalPorts): Journal {
	const { store, clock, turn, partials, onSettled, onLost, onFailure } = ports;
	let steps: TurnStep[] = [];
	let batch = 1;
	let last: Promise<unknown> = Promise.resolve();
	let stepTimer: Disposable | undefined;
	let isSoon = false;
	let textTimer: Disposable | undefined;

	function take(): TurnStep[] {
		stepTimer?.[Symbol.dispose]();
		textTimer?.[Symbol.dispose]();
		stepTimer = textTimer = undefined;
		isSoon = false;
		const taken = [...steps, ...partials()];
		steps = [];
		batch += 1;
		return taken;
	}

	async function commit<T>(write: (taken: readonly TurnStep[]) => Promise<T>): Promise<T> {
		const number = batch;
		const taken = take();
		try {
			const result = await write(taken);
			onSettled(number);
			return result;
		} catch (error) {
			// They stay first in line: what came after them must not overtake them.
			if (isFull(error)) steps = [...taken, ...steps];
			else onLost(number);
			throw error;
		}
	}

	function commitWith<T>(write: (taken: readonly TurnStep[]) => Promise<T>): Promise<T> {
		const committed = last.then(() => commit(write));
		last = committed.catch(() => undefined);
		return committed;
	}

	async function flush(): Promise<void> {
		await commitWith(async (taken) => {
			if (taken.length > 0) await store.write(saveStepsWrite, { ...turn, steps: taken });
		});
	}

	function flushLater(): void {
		flush().catch(onFailure);
	}

	return {
		add(step, soon = false) {
			steps.push(step);
			if (soon && !isSoon) {
				stepTimer?.[Symbol.dispose]();
				stepTimer = clock.after(SOON_MS, flushLater);
				isSoon = true;
			}
			stepTimer ??= clock.after(STEP_DELAY_MS, flushLater);
			return batch;
		},
		textGrew() {
			textTimer ??= clock.after(TEXT_DELAY_MS, flushLater);
		},
		flush,
		commitWith,
	};
}
