import type { Clock } from "#base/clock.ts";
import { createScreenState, type ScreenOptions, type ScreenState } from "./screen-state.ts";

/** An emulator without history is built again in a millisecond, so it may go early; one with history not so. */
const SLEEP_AFTER_MS = 1_000;
const SLEEP_WITH_HISTORY_AFTER_MS = 60_000;

/** What is left of an emulator that sleeps: answers to whoever looks. */
interface Picture {
	full: Uint8Array;
	screen: Uint8Array;
	lines: Awaited<ReturnType<ScreenState["lines"]>>;
}

/**
 * A screen whose emulator is freed while nothing happens to it: an idle terminal costs the bytes of its snapshot. Looking
 * does not wake it, output and resizing do. No timer runs while it sleeps.
 */
export function createSleepingScreen(
	options: ScreenOptions,
	clock: Clock,
): Omit<ScreenState, "historyLines"> {
	let size = { cols: options.cols, rows: options.rows };
	let title = "";
	let emulator: ScreenState | undefined = open();
	let picture: Picture | undefined;
	let usedMs = clock.monotonicMs();
	let timer: Disposable | undefined;
	let last: Promise<void> = Promise.resolve();
	let disposed = false;

	function open(): ScreenState {
		return createScreenState({
			...options,
			...size,
			onTitle(next) {
				// Told again by the snapshot that it is built from.
				if (next === title) return;
				title = next;
				options.onTitle(next);
			},
		});
	}
	function inTurn<T>(work: () => Promise<T>): Promise<T> {
		const done = last.then(work);
		last = done.then(() => undefined);
		return done;
	}
	async function awake(): Promise<ScreenState> {
		usedMs = clock.monotonicMs();
		if (!disposed) timer ??= clock.after(SLEEP_AFTER_MS, look);
		if (emulator) return emulator;
		emulator = open();
		const built = picture?.full;
		picture = undefined;
		if (built) await emulator.feed(built, false);
		return emulator;
	}
	function look(): void {
		timer = undefined;
		if (!emulator) return;
		const after = emulator.historyLines > 0 ? SLEEP_WITH_HISTORY_AFTER_MS : SLEEP_AFTER_MS;
		const left = usedMs + after - clock.monotonicMs();
		if (left > 0) timer = clock.after(left, look);
		else void inTurn(sleep);
	}
	async function sleep(): Promise<void> {
		if (!emulator || disposed) return;
		picture = {
			full: await emulator.paint("full"),
			screen: await emulator.paint("screen"),
			lines: await emulator.lines(),
		};
		emulator[Symbol.dispose]();
		emulator = undefined;
	}
	return {
		feed: (bytes, answer) => inTurn(async () => (await awake()).feed(bytes, answer)),
		resize: (cols, rows) =>
			inTurn(async () => {
				const screen = await awake();
				size = { cols, rows };
				await screen.resize(cols, rows);
			}),
		// A copy: the receiver takes the memory away.
		paint: (kind) => inTurn(async () => picture?.[kind].slice() ?? (await awake()).paint(kind)),
		lines: () => inTurn(async () => picture?.lines ?? (await awake()).lines()),
		[Symbol.dispose]() {
			disposed = true;
			timer?.[Symbol.dispose]();
			emulator?.[Symbol.dispose]();
		},
	};
}
