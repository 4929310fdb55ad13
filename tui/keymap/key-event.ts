/** One key as everything above the terminal sees it: `chord` names it (`ctrl+a`, `alt+enter`, `y`), `text` is what it would type. */
export interface KeyEvent {
	readonly chord: string;
	readonly text: string | undefined;
}

/** What the terminal library says about a key. */
export interface RawKey {
	upArrow: boolean;
	downArrow: boolean;
	leftArrow: boolean;
	rightArrow: boolean;
	pageUp: boolean;
	pageDown: boolean;
	home: boolean;
	end: boolean;
	return: boolean;
	escape: boolean;
	tab: boolean;
	backspace: boolean;
	delete: boolean;
	ctrl: boolean;
	shift: boolean;
	meta: boolean;
	eventType?: "press" | "repeat" | "release" | undefined;
}

const NAMED: readonly (readonly [keyof RawKey, string])[] = [
	["upArrow", "up"],
	["downArrow", "down"],
	["leftArrow", "left"],
	["rightArrow", "right"],
	["pageUp", "pageup"],
	["pageDown", "pagedown"],
	["home", "home"],
	["end", "end"],
	["return", "enter"],
	["escape", "escape"],
	["tab", "tab"],
	["backspace", "backspace"],
	["delete", "delete"],
];

function withModifiers(key: RawKey, name: string): string {
	return `${key.ctrl ? "ctrl+" : ""}${key.meta ? "alt+" : ""}${key.shift ? "shift+" : ""}${name}`;
}

/** A control character that came inside other text. */
function decodeControl(code: number): KeyEvent | undefined {
	if (code === 0x0d) return { chord: "enter", text: undefined };
	if (code === 0x09) return { chord: "tab", text: undefined };
	if (code === 0x1b) return { chord: "escape", text: undefined };
	if (code === 0x7f || code === 0x08) return { chord: "backspace", text: undefined };
	if (code >= 0x01 && code <= 0x1a)
		return { chord: `ctrl+${String.fromCharCode(code + 0x60)}`, text: undefined };
	if (code === 0x1f) return { chord: "ctrl+_", text: undefined };
	if (code === 0x1d) return { chord: "ctrl+]", text: undefined };
	return undefined;
}

/**
 * Keys of one input event, in order. Several keys that arrive together come as one string (fast typing, `tmux send-keys`),
 * so text is split at its control characters: `hello\r` is a text and Enter.
 */
export function decodeInput(input: string, key: RawKey): KeyEvent[] {
	if (key.eventType === "release") return [];
	for (const [flag, name] of NAMED) {
		if (key[flag] !== true) continue;
		// ESC ESC and Alt+Escape are one key to a terminal.
		if (name === "escape") return [{ chord: "escape", text: undefined }];
		return [{ chord: withModifiers(key, name), text: undefined }];
	}
	if (key.ctrl || key.meta) {
		if (input.length === 0) return [];
		if (key.meta && !key.ctrl && input.length > 2) return splitText(input);
		return [{ chord: withModifiers({ ...key, shift: false }, input.toLowerCase()), text: undefined }];
	}
	return splitText(input);
}

function splitText(input: string): KeyEvent[] {
	const out: KeyEvent[] = [];
	let run = "";
	function flush(): void {
		if (run !== "") out.push({ chord: run, text: run });
		run = "";
	}
	for (const character of input) {
		const code = character.codePointAt(0) ?? 0;
		if (code >= 0x20 && code !== 0x7f && !(code >= 0x80 && code < 0xa0)) {
			run += character;
			continue;
		}
		flush();
		const event = decodeControl(code);
		if (event) out.push(event);
	}
	flush();
	return out;
}
