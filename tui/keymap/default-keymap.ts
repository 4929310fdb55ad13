/** Where a key is looked up, innermost first; see `activeContexts`. */
export type KeyContext =
	| "approval"
	| "approval_waiting"
	| "confirm"
	| "search"
	| "panel"
	| "popup"
	| "empty"
	| "working"
	| "composer"
	| "global";

export interface Binding {
	readonly chord: string;
	readonly command: string;
	/** For help; a binding without one is a second key for a command shown already. */
	readonly help?: string;
}

/** The one table of keys. Components and reducers name commands, never keys. */
export const DEFAULT_KEYMAP: Readonly<Record<KeyContext, readonly Binding[]>> = {
	approval: [
		{ chord: "y", command: "approval.once", help: "approve once" },
		{ chord: "a", command: "approval.session", help: "approve for this session" },
		{ chord: "n", command: "approval.decline", help: "decline" },
		{ chord: "c", command: "approval.cancel", help: "decline and stop the turn" },
		{ chord: "escape", command: "approval.later", help: "later" },
		{ chord: "ctrl+x", command: "approval.focus" },
		{ chord: " ", command: "approval.page_down" },
		{ chord: "pagedown", command: "approval.page_down" },
		{ chord: "pageup", command: "approval.page_up" },
		{ chord: "down", command: "approval.down" },
		{ chord: "up", command: "approval.up" },
		{ chord: "home", command: "approval.first" },
		{ chord: "end", command: "approval.last" },
	],
	approval_waiting: [{ chord: "ctrl+x", command: "approval.focus", help: "answer the approval" }],
	confirm: [
		{ chord: "enter", command: "confirm.send" },
		{ chord: "escape", command: "confirm.leave" },
		{ chord: "ctrl+c", command: "confirm.leave" },
		{ chord: "backspace", command: "confirm.backspace" },
		{ chord: "ctrl+u", command: "confirm.clear" },
	],
	search: [
		{ chord: "enter", command: "search.accept" },
		{ chord: "tab", command: "search.accept" },
		{ chord: "escape", command: "search.leave" },
		{ chord: "ctrl+c", command: "search.leave" },
		{ chord: "ctrl+g", command: "search.leave" },
		{ chord: "ctrl+r", command: "search.older" },
		{ chord: "ctrl+s", command: "search.newer" },
		{ chord: "backspace", command: "search.backspace" },
	],
	panel: [
		{ chord: "up", command: "panel.up" },
		{ chord: "down", command: "panel.down" },
		{ chord: "ctrl+p", command: "panel.up" },
		{ chord: "ctrl+n", command: "panel.down" },
		{ chord: "pageup", command: "panel.page_up" },
		{ chord: "pagedown", command: "panel.page_down" },
		{ chord: "enter", command: "panel.choose" },
		{ chord: "escape", command: "panel.close" },
		{ chord: "ctrl+c", command: "panel.close" },
		{ chord: "backspace", command: "panel.backspace" },
	],
	popup: [
		{ chord: "up", command: "popup.up" },
		{ chord: "down", command: "popup.down" },
		{ chord: "ctrl+p", command: "popup.up" },
		{ chord: "ctrl+n", command: "popup.down" },
		{ chord: "tab", command: "popup.complete" },
		{ chord: "enter", command: "popup.accept" },
		{ chord: "escape", command: "popup.close" },
	],
	empty: [
		{ chord: "?", command: "help.open", help: "this help (on an empty line)" },
		{ chord: "ctrl+d", command: "app.exit", help: "leave (on an empty line)" },
	],
	working: [{ chord: "tab", command: "composer.queue", help: "while it works: queue for the next turn" }],
	composer: [
		{ chord: "enter", command: "composer.send", help: "send; while it works: steer it" },
		{ chord: "shift+enter", command: "edit.newline" },
		{ chord: "alt+enter", command: "edit.newline" },
		{ chord: "ctrl+j", command: "edit.newline", help: "new line (also Shift+Enter, Alt+Enter, \\ Enter)" },
		{ chord: "up", command: "edit.up" },
		{ chord: "down", command: "edit.down" },
		{ chord: "ctrl+p", command: "edit.up" },
		{ chord: "ctrl+n", command: "edit.down" },
		{ chord: "ctrl+r", command: "search.open", help: "search what you sent (Up and Down step through it)" },
		{ chord: "ctrl+g", command: "app.editor", help: "write the draft in $VISUAL or $EDITOR" },
		{ chord: "left", command: "edit.left" },
		{ chord: "right", command: "edit.right" },
		{ chord: "ctrl+b", command: "edit.left" },
		{ chord: "ctrl+f", command: "edit.right" },
		{ chord: "ctrl+left", command: "edit.word_left" },
		{ chord: "ctrl+right", command: "edit.word_right" },
		{ chord: "alt+left", command: "edit.word_left" },
		{ chord: "alt+right", command: "edit.word_right" },
		{ chord: "alt+b", command: "edit.word_left" },
		{ chord: "alt+f", command: "edit.word_right" },
		{ chord: "home", command: "edit.line_start" },
		{ chord: "end", command: "edit.line_end" },
		{ chord: "ctrl+a", command: "edit.line_start" },
		{ chord: "ctrl+e", command: "edit.line_end" },
		{ chord: "alt+<", command: "edit.start" },
		{ chord: "alt+>", command: "edit.end" },
		{ chord: "ctrl+home", command: "edit.start" },
		{ chord: "ctrl+end", command: "edit.end" },
		{ chord: "backspace", command: "edit.backspace" },
		{ chord: "shift+backspace", command: "edit.backspace" },
		{ chord: "ctrl+h", command: "edit.backspace" },
		{ chord: "delete", command: "edit.delete" },
		{ chord: "ctrl+d", command: "edit.delete" },
		{
			chord: "ctrl+w",
			command: "edit.kill_word_left",
			help: "cut a word; Ctrl+U, Ctrl+K cut the line's halves",
		},
		{ chord: "alt+backspace", command: "edit.kill_word_left" },
		{ chord: "ctrl+backspace", command: "edit.kill_word_left" },
		{ chord: "alt+d", command: "edit.kill_word_right" },
		{ chord: "alt+delete", command: "edit.kill_word_right" },
		{ chord: "ctrl+u", command: "edit.kill_line_left" },
		{ chord: "ctrl+k", command: "edit.kill_line_right" },
		{ chord: "ctrl+y", command: "edit.yank", help: "put back what was cut (Alt+Y: the one before)" },
		{ chord: "alt+y", command: "edit.yank_pop" },
		{ chord: "ctrl+_", command: "edit.undo", help: "undo (Alt+_ redoes)" },
		{ chord: "alt+_", command: "edit.redo" },
		{ chord: "ctrl+t", command: "edit.transpose" },
	],
	global: [
		{ chord: "escape", command: "app.escape", help: "close the top layer, else interrupt" },
		{ chord: "ctrl+c", command: "app.break", help: "interrupt, then clear, then twice to leave" },
		{ chord: "ctrl+o", command: "transcript.expand", help: "show the last step in full" },
		{ chord: "shift+tab", command: "settings.cycle_approval", help: "next approval mode" },
		{ chord: "ctrl+l", command: "app.redraw", help: "redraw" },
		{ chord: "ctrl+z", command: "app.suspend", help: "suspend" },
	],
};

/** How a chord is written for people. */
export function chordLabel(chord: string): string {
	return chord
		.split("+")
		.map((part) =>
			part === "escape" ? "Esc" : part.length === 1 ? part : part.charAt(0).toUpperCase() + part.slice(1),
		)
		.map((part, index, all) => (index > 0 && part.length === 1 && all.length > 1 ? part.toUpperCase() : part))
		.join("+");
}
