import { Static, Text, useApp, useCursor, useInput, usePaste } from "ink";
import { type ReactNode, useInsertionEffect, useSyncExternalStore } from "react";
import { decodeInput } from "../keymap/key-event.ts";
import { printedLines } from "../screen/cell-lines.ts";
import { liveLayout, viewOf } from "../screen/live-region.ts";
import type { Cell } from "../store/cell.ts";
import type { Store } from "../store/store.ts";
import type { Line, Theme } from "../theme/theme.ts";

/** Hands the terminal to somebody else while `work` runs; what Ink gives to components, for the effect runner. */
export type SuspendTerminal = (work: () => Promise<void>) => Promise<void>;

interface AppProps {
	readonly store: Store;
	readonly theme: Theme;
	/** Called once, before the first frame. */
	readonly onTerminal: (suspend: SuspendTerminal) => void;
}

function paintRows(lines: readonly Line[], theme: Theme): string {
	return lines.map(theme.paint).join("\n");
}

/** The whole TUI: finished entries go to the scrollback once, everything that changes is one text under it. */
export function App({ store, theme, onTerminal }: AppProps): ReactNode {
	const state = useSyncExternalStore(store.subscribe, store.getFrame);
	const { suspendTerminal } = useApp();
	const { setCursorPosition } = useCursor();
	useInsertionEffect(() => {
		onTerminal(async (work) => {
			await suspendTerminal(work);
		});
	}, [onTerminal, suspendTerminal]);
	useInput((input, key) => {
		// Several keys may come at once; each sees the state that the one before left.
		for (const event of decodeInput(input, key)) store.dispatch({ type: "key", event });
	});
	usePaste((text) => store.dispatch({ type: "paste", text }));

	const layout = liveLayout(state, theme.glyphs);
	setCursorPosition(layout.cursor);
	const view = viewOf(state, theme.glyphs);
	return (
		<>
			<Static items={state.printed as Cell[]}>
				{(cell) => (
					<Text key={cell.key} wrap="truncate">
						{paintRows(printedLines(cell, view), theme)}
					</Text>
				)}
			</Static>
			<Text wrap="truncate">{paintRows(layout.lines, theme)}</Text>
		</>
	);
}
