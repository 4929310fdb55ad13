import type { Binding, KeyContext } from "./default-keymap.ts";
import { DEFAULT_KEYMAP } from "./default-keymap.ts";

export type Keymap = Readonly<Record<KeyContext, readonly Binding[]>>;

/** The command that a chord means in the innermost context that binds it. */
export function resolveChord(
	chord: string,
	contexts: readonly KeyContext[],
	keymap: Keymap = DEFAULT_KEYMAP,
): string | undefined {
	for (const context of contexts) {
		const binding = keymap[context].find((entry) => entry.chord === chord);
		if (binding) return binding.command;
	}
	return undefined;
}

/** The first key of a command in a context, for hints on the screen. */
export function chordOf(context: KeyContext, command: string, keymap: Keymap = DEFAULT_KEYMAP): string {
	return keymap[context].find((entry) => entry.command === command)?.chord ?? "";
}
