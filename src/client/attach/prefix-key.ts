import { joinBytes } from "./host-frame.ts";

/** What the person asked of the attach itself, in the order of the typed bytes. */
export type TypedPart =
	| { kind: "send"; bytes: Uint8Array }
	| { kind: "detach" }
	| { kind: "help" }
	/** `Enter ~ .`: leave, whatever the link does. */
	| { kind: "leave" };

export interface PrefixReader {
	push(bytes: Uint8Array): TypedPart[];
}

/** Ctrl+] : a key no shell or editor binds, and not the one of a tmux around us. */
export const DEFAULT_PREFIX = "C-]";
const ESC = 0x1b;
const TILDE = 0x7e;
const PASTE_BEGIN = "\x1b[200~";
const PASTE_END = "\x1b[201~";
/** Longer than any key sequence that could mean the prefix; a longer one is the program's. */
const MAX_KEY_BYTES = 24;

/**
 * The control byte of `C-x`, `^x` or of the byte itself; undefined when it is none.
 * Enter, Escape, Tab and Ctrl+C are not taken: they belong to the program.
 */
export function parsePrefix(text: string): number | undefined {
	const name = /^(?:C-|\^)(.)$/i.exec(text)?.[1];
	const code =
		name === undefined
			? text.length === 1
				? text.charCodeAt(0)
				: undefined
			: name.toUpperCase().charCodeAt(0) & 0x1f;
	if (code === undefined || code === 0 || code >= 0x20 || [0x03, 0x09, 0x0a, 0x0d, ESC].includes(code))
		return undefined;
	return code;
}

/** `C-]` for 0x1d. */
export function prefixLabel(code: number): string {
	return `Ctrl+${String.fromCharCode(code | 0x40)}`;
}

interface Key {
	/** Unicode code point without Ctrl; undefined when the bytes are no single key of interest. */
	code: number | undefined;
	ctrl: boolean;
	/** A key going up: follows a press and means nothing by itself. */
	released: boolean;
}

function plainKey(code: number): Key {
	return code < 0x20
		? { code: code | 0x40, ctrl: true, released: false }
		: { code, ctrl: false, released: false };
}

/** Understands plain bytes, the kitty keyboard protocol (`CSI code ; mods : event u`) and modifyOtherKeys (`CSI 27 ; mods ; code ~`). */
function parseKey(text: string): Key {
	if (text.length === 1) return plainKey(text.charCodeAt(0));
	const kitty = /^\x1b\[(\d+)(?::\d*)*(?:;(\d*)(?::(\d+))?(?:;[\d:]*)?)?u$/.exec(text);
	const other = /^\x1b\[27;(\d+);(\d+)~$/.exec(text);
	const code = kitty?.[1] ?? other?.[2];
	if (code === undefined) return { code: undefined, ctrl: false, released: false };
	const modifiers = Number(kitty ? kitty[2] || 1 : other?.[1]) - 1;
	return { code: Number(code), ctrl: (modifiers & 4) !== 0, released: kitty?.[3] === "3" };
}

/** Splits input into single keys and escape sequences; terminals write a sequence at once, so one cut in two is just passed on. */
function splitKeys(bytes: Uint8Array): Uint8Array[] {
	const out: Uint8Array[] = [];
	let at = 0;
	while (at < bytes.length) {
		let end = at + 1;
		if (bytes[at] === ESC && bytes[at + 1] === 0x5b) {
			end = at + 2;
			while (
				end < bytes.length &&
				end - at < MAX_KEY_BYTES &&
				!((bytes[end] ?? 0) >= 0x40 && (bytes[end] ?? 0) <= 0x7e)
			)
				end += 1;
			end = Math.min(bytes.length, end + 1);
		}
		out.push(bytes.subarray(at, end));
		at = end;
	}
	return out;
}

/**
 * Finds the prefix, and `~.` after Enter, in what is typed; never inside a bracketed paste. `prefix d` detaches, `prefix ?` asks
 * for help, prefix twice sends it once, prefix and anything else sends both.
 */
export function createPrefixReader(prefix: number): PrefixReader {
	let armed: Uint8Array | undefined;
	let afterEnter = true;
	let heldTilde = false;
	let pasting = false;
	const letter = prefix | 0x40;

	function isPrefix(key: Key): boolean {
		return (
			key.ctrl &&
			key.code !== undefined &&
			String.fromCodePoint(key.code).toUpperCase().codePointAt(0) === letter
		);
	}
	/** The key after the prefix. Undefined: still waiting. */
	function afterPrefix(held: Uint8Array, raw: Uint8Array, key: Key): TypedPart[] | undefined {
		if (key.released) return undefined;
		armed = undefined;
		if (isPrefix(key)) return [{ kind: "send", bytes: held }];
		if (!key.ctrl && key.code === 0x64) return [{ kind: "detach" }];
		if (!key.ctrl && (key.code === 0x3f || key.code === 0x2f)) return [{ kind: "help" }];
		return [{ kind: "send", bytes: joinBytes([held, raw]) }];
	}
	function tilde(raw: Uint8Array, key: Key): TypedPart[] | undefined {
		if (heldTilde) {
			heldTilde = false;
			if (key.code === 0x2e && !key.ctrl) return [{ kind: "leave" }];
			const bytes = key.code === TILDE ? raw : joinBytes([Uint8Array.of(TILDE), raw]);
			return [{ kind: "send", bytes }];
		}
		if (!afterEnter || raw.length !== 1 || raw[0] !== TILDE) return undefined;
		heldTilde = true;
		return [];
	}
	/** True for everything from the beginning of a bracketed paste to its end, both included. */
	function isPasted(text: string): boolean {
		if (text === PASTE_BEGIN) pasting = true;
		if (text !== PASTE_END) return pasting;
		pasting = false;
		return true;
	}
	function one(raw: Uint8Array): TypedPart[] {
		const text = String.fromCharCode(...raw);
		if (isPasted(text)) return [{ kind: "send", bytes: raw }];
		const key = parseKey(text);
		if (armed) return afterPrefix(armed, raw, key) ?? [];
		if (isPrefix(key) && !key.released) {
			armed = raw;
			return [];
		}
		const escaped = tilde(raw, key);
		if (!heldTilde) afterEnter = key.code === 0x4d && key.ctrl;
		return escaped ?? [{ kind: "send", bytes: raw }];
	}
	/** Bytes in which nothing can be meant for us: a paste, or plain typing. */
	function isPlain(bytes: Uint8Array): boolean {
		if (armed || heldTilde) return false;
		// A loop: for the one byte of a key it is done before a search has begun.
		for (const byte of bytes) {
			if (byte === ESC || (!pasting && (byte === prefix || byte === TILDE))) return false;
		}
		return bytes.length > 0;
	}
	/** Key by key. */
	function apart(bytes: Uint8Array): TypedPart[] {
		const out: TypedPart[] = [];
		let pieces: Uint8Array[] = [];
		function flush(): void {
			if (pieces.length > 0) out.push({ kind: "send", bytes: joinBytes(pieces) });
			pieces = [];
		}
		for (const part of splitKeys(bytes).flatMap(one)) {
			if (part.kind === "send") pieces.push(part.bytes);
			else {
				flush();
				out.push(part);
			}
		}
		flush();
		return out;
	}
	return {
		push(bytes) {
			if (isPlain(bytes)) {
				afterEnter = bytes[bytes.length - 1] === 0x0d;
				return [{ kind: "send", bytes }];
			}
			return apart(bytes);
		},
	};
}
