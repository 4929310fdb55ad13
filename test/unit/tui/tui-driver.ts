import { printedLines } from "#tui/screen/cell-lines.ts";
import { liveLayout, viewOf } from "#tui/screen/live-region.ts";
import type { Action, Effect } from "#tui/store/action.ts";
import { reduce } from "#tui/store/reduce.ts";
import { createState, type State } from "#tui/store/state.ts";
import { lineText } from "#tui/theme/line.ts";
import { createTheme } from "#tui/theme/theme.ts";
import { AT_MS } from "../../support/tui-records.ts";

/** The reducers with time and ids turned by hand. */
export interface Driver {
	state(): State;
	/** Effects since the last look; what is asked for later comes by `wait`. */
	effects(): Effect[];
	do(...actions: Action[]): void;
	/** Chords, or words as `"text:hello"`. */
	keys(...chords: string[]): void;
	wait(ms: number): void;
	live(): string;
	printed(): string;
}

export function createDriver(part: Partial<State> = {}): Driver {
	let nowMs = AT_MS;
	let ids = 0;
	const surroundings = {
		version: "0.1.0",
		machine: "porto",
		cwd: "/home/ana/src/shop",
		homeDir: "/home/ana",
	};
	let state: State = { ...createState(surroundings, "slot", nowMs), ...part };
	let effects: Effect[] = [];
	const timers: { atMs: number; action: Action }[] = [];
	const theme = createTheme({ LANG: "C.UTF-8", NO_COLOR: "1" });
	function makeId(): string {
		ids += 1;
		return `id-${ids}`;
	}
	function act(action: Action): void {
		const update = reduce(state, action, { nowMs, newId: () => makeId() });
		state = update.state;
		effects.push(...update.effects);
		for (const effect of update.effects)
			if (effect.kind === "later") timers.push({ atMs: nowMs + effect.afterMs, action: effect.action });
	}
	function advance(ms: number): void {
		const untilMs = nowMs + ms;
		for (;;) {
			const next = timers.filter((timer) => timer.atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0];
			if (!next) break;
			timers.splice(timers.indexOf(next), 1);
			nowMs = Math.max(nowMs, next.atMs);
			act(next.action);
		}
		nowMs = untilMs;
	}
	return {
		state: () => state,
		effects() {
			const out = effects;
			effects = [];
			return out;
		},
		do: (...actions) => actions.forEach(act),
		keys(...chords) {
			for (const chord of chords) {
				const text = chord.startsWith("text:") ? chord.slice(5) : undefined;
				const isLetter = chord.length === 1;
				act({ type: "key", event: { chord: text ?? chord, text: text ?? (isLetter ? chord : undefined) } });
			}
		},
		wait: advance,
		live: () => liveLayout(state, theme.glyphs).lines.map(lineText).join("\n"),
		printed: () =>
			state.printed
				.flatMap((cell) => printedLines(cell, viewOf(state, theme.glyphs)).map(lineText))
				.join("\n"),
	};
}
