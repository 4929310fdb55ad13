import type { Terminal } from "@xterm/headless";
import { type AttributeView, paintCursor, sgrOf } from "./screen-paint.ts";

/** Parts of @xterm/headless 6.0.0 (pinned) that its typed interface leaves out and an exact snapshot needs. */
type Charset = Record<string, string> | undefined;
interface BufferView {
	x: number;
	y: number;
	ybase: number;
	scrollTop: number;
	scrollBottom: number;
	savedX: number;
	savedY: number;
	savedCurAttrData: AttributeView;
	savedCharset: Charset;
	tabs: Record<number, boolean | undefined>;
}
interface CoreView {
	buffer: BufferView;
	_bufferService: { buffers: { normal: BufferView; alt: BufferView } };
	_inputHandler: { _curAttrData: AttributeView; _parser: { currentState: number } };
	coreService: { isCursorHidden: boolean };
	coreMouseService: { activeProtocol: string; activeEncoding: string };
	/** `charset` is the one in force: after a restored cursor not what its level says. */
	_charsetService: { glevel: number; charset: Charset; _charsets: Charset[] };
}

export function coreOf(terminal: Terminal): CoreView {
	return (terminal as unknown as { _core: CoreView })._core;
}

const GROUND = 0;

/** True between escape sequences, and when nothing but complete characters went before as far as the parser knows. */
export function parserAtRest(terminal: Terminal): boolean {
	return coreOf(terminal)._inputHandler._parser.currentState === GROUND;
}

/** True when the active screen scrolls as a whole, one line per line feed. */
export function scrollsAsAWhole(terminal: Terminal): boolean {
	const { scrollTop, scrollBottom } = coreOf(terminal).buffer;
	return scrollTop === 0 && scrollBottom === terminal.rows - 1 && !terminal.modes.insertMode;
}

/** What the emulator does not keep, or does not know, and a person's terminal does. */
export interface SideRecord {
	cursorStyle: number;
	/** XTMODKEYS resource 4. */
	modifyOtherKeys: number;
	/** Kitty keyboard flags, one stack per screen, bottom first. */
	kitty: { normal: number[]; alternate: number[] };
	title: string;
}

const MAX_KITTY_DEPTH = 32;
/** Longer than any window shows; a title goes to every client, and a file that is only printed can hold megabytes of one. */
const MAX_TITLE_CHARS = 256;

/** A title that a program set, as it may be stored and shown: short, without what acts on a terminal or reorders a line. */
export function plainTitle(title: string): string {
	return title
		.slice(0, 2 * MAX_TITLE_CHARS)
		.replace(/[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, "")
		.slice(0, MAX_TITLE_CHARS)
		.toWellFormed();
}

/** Watches a terminal's parser for what serialising would lose. */
export function watchSide(terminal: Terminal): SideRecord {
	const side: SideRecord = {
		cursorStyle: 0,
		modifyOtherKeys: 0,
		kitty: { normal: [], alternate: [] },
		title: "",
	};
	const stack = (): number[] => side.kitty[terminal.buffer.active.type];
	const number = (params: readonly (number | number[])[], at: number, otherwise: number): number => {
		const value = params[at];
		return typeof value === "number" && value >= 0 ? value : otherwise;
	};
	const { parser } = terminal;
	parser.registerCsiHandler({ intermediates: " ", final: "q" }, (params) => {
		side.cursorStyle = number(params, 0, 0);
		return false;
	});
	parser.registerCsiHandler({ prefix: ">", final: "m" }, (params) => {
		if (params.length === 0 || number(params, 0, 0) === 4) side.modifyOtherKeys = number(params, 1, 0);
		return false;
	});
	parser.registerCsiHandler({ prefix: ">", final: "u" }, (params) => {
		if (stack().length >= MAX_KITTY_DEPTH) stack().shift();
		stack().push(number(params, 0, 0));
		return false;
	});
	parser.registerCsiHandler({ prefix: "<", final: "u" }, (params) => {
		const count = Math.max(1, number(params, 0, 1));
		stack().splice(Math.max(0, stack().length - count));
		return false;
	});
	parser.registerCsiHandler({ prefix: "=", final: "u" }, (params) => {
		const flags = number(params, 0, 0);
		const mode = number(params, 1, 1);
		const present = stack().pop() ?? 0;
		stack().push(mode === 2 ? present | flags : mode === 3 ? present & ~flags : flags);
		return false;
	});
	function forget(): void {
		side.cursorStyle = 0;
		side.modifyOtherKeys = 0;
		side.kitty = { normal: [], alternate: [] };
	}
	parser.registerEscHandler({ final: "c" }, () => {
		forget();
		return false;
	});
	terminal.onTitleChange((title) => {
		side.title = plainTitle(title);
	});
	return side;
}

function savedCursor(terminal: Terminal, which: "normal" | "alternate"): string {
	const { normal, alt } = coreOf(terminal)._bufferService.buffers;
	const view = which === "normal" ? normal : alt;
	const y = Math.max(0, view.savedY - view.ybase);
	const save = isLineDrawing(view.savedCharset) ? "\x1b(0\x1b7\x1b(B" : "\x1b7";
	return `\x1b[${y + 1};${view.savedX + 1}H${sgrOf(view.savedCurAttrData)}${save}\x1b[m`;
}

/** The cursor that was saved on the alternate screen, which outlives leaving it. */
export function paintOtherSaved(terminal: Terminal): string {
	const { savedX, savedY, savedCharset } = coreOf(terminal)._bufferService.buffers.alt;
	if (!savedX && !savedY && !savedCharset) return "";
	return `\x1b[?1047h${savedCursor(terminal, "alternate")}\x1b[?1047l`;
}

/** What the normal screen keeps while the alternate one shows: its margins and saved cursor. */
export function paintHiddenState(terminal: Terminal): string {
	const { normal } = coreOf(terminal)._bufferService.buffers;
	return `${paintTabs(normal, terminal.cols)}${paintMargins(terminal, normal)}${savedCursor(terminal, "normal")}\x1b[${normal.y + 1};${Math.min(normal.x, terminal.cols - 1) + 1}H`;
}

function paintMargins(terminal: Terminal, view: BufferView): string {
	if (view.scrollTop === 0 && view.scrollBottom === terminal.rows - 1) return "";
	return `\x1b[${view.scrollTop + 1};${view.scrollBottom + 1}r`;
}

function paintTabs(view: BufferView, cols: number): string {
	const stops = Array.from({ length: cols }, (_, x) => x).filter((x) => view.tabs[x]);
	const standard = Array.from({ length: cols }, (_, x) => x).filter((x) => x % 8 === 0);
	if (stops.join() === standard.join()) return "";
	return `\x1b[3g${stops.map((x) => `\x1b[1;${x + 1}H\x1bH`).join("")}`;
}

/** The one other set that programs use; a national one is shown as ASCII. */
function isLineDrawing(charset: Charset): boolean {
	return charset?.["q"] === "─";
}

function paintCharsets({ glevel, _charsets }: CoreView["_charsetService"]): string {
	const designate = _charsets
		.map((set, g) => (isLineDrawing(set) ? `\x1b${"()*+"[g] ?? "("}0` : ""))
		.join("");
	const shift = ["", "\x0e", "\x1bn", "\x1bo"][glevel] ?? "";
	return designate + shift;
}

/** The cursor's place and the character sets, which restoring the cursor is the only way to set apart from their levels. */
function paintPlaceAndCharsets(terminal: Terminal, kind: "full" | "screen"): string {
	const { buffer, _charsetService: charsets } = coreOf(terminal);
	const place = paintPlace(terminal, buffer, kind);
	const asLevelled = isLineDrawing(charsets.charset) === isLineDrawing(charsets._charsets[charsets.glevel]);
	return asLevelled ? place + paintCharsets(charsets) : `${paintCharsets(charsets)}\x1b8${place}`;
}

/** The whole stack, for a reader that starts from nothing. */
export function paintKeyboardStack(side: SideRecord, which: "normal" | "alternate"): string {
	return side.kitty[which].map((flags) => `\x1b[>${flags}u`).join("");
}

/** The flags in force only: a screen that is painted over keeps its own stack. */
function paintKeyboardTop(side: SideRecord, which: "normal" | "alternate"): string {
	return `\x1b[=${side.kitty[which].at(-1) ?? 0};1u`;
}

const MOUSE: Readonly<Record<string, string>> = {
	X10: "\x1b[?9h",
	VT200: "\x1b[?1000h",
	DRAG: "\x1b[?1002h",
	ANY: "\x1b[?1003h",
};
const MOUSE_ENCODING: Readonly<Record<string, string>> = { SGR: "\x1b[?1006h", SGR_PIXELS: "\x1b[?1016h" };

function paintModes(terminal: Terminal): string {
	const { modes } = terminal;
	const core = coreOf(terminal);
	return [
		modes.applicationCursorKeysMode ? "\x1b[?1h" : "",
		modes.applicationKeypadMode ? "\x1b=" : "",
		modes.bracketedPasteMode ? "\x1b[?2004h" : "",
		modes.sendFocusMode ? "\x1b[?1004h" : "",
		modes.reverseWraparoundMode ? "\x1b[?45h" : "",
		modes.wraparoundMode ? "" : "\x1b[?7l",
		modes.insertMode ? "\x1b[4h" : "",
		MOUSE[core.coreMouseService.activeProtocol] ?? "",
		MOUSE_ENCODING[core.coreMouseService.activeEncoding] ?? "",
	].join("");
}

function paintTitle(title: string): string {
	return title === "" ? "" : `\x1b]2;${title.replace(/[\x00-\x1f\x7f-\x9f]/g, "")}\x07`;
}

/** The cursor. In origin mode its row counts from the top margin, and a cursor outside the margins comes from the other screen only. */
function paintPlace(
	terminal: Terminal,
	{ scrollTop, scrollBottom }: BufferView,
	kind: "full" | "screen",
): string {
	const buffer = terminal.buffer.active;
	const cursor = paintCursor(terminal, buffer, buffer.cursorX, buffer.cursorY);
	if (!terminal.modes.originMode) return cursor;
	const inside = buffer.cursorY >= scrollTop && buffer.cursorY <= scrollBottom;
	if (!inside && kind === "full" && buffer.type === "normal") return `\x1b[?6h\x1b[?47h${cursor}\x1b[?47l`;
	const row = Math.max(0, Math.min(buffer.cursorY, scrollBottom) - scrollTop);
	return `\x1b[?6h${cursor.replace(/^\x1b\[\d+;/, `\x1b[${row + 1};`)}`;
}

/**
 * Everything beside the cells, for the active screen, in an order in which no sequence undoes another: saved cursor, tabs,
 * margins and origin mode (both home the cursor), cursor, charsets, colours, modes, keyboard, shape, visibility.
 */
export function paintActiveState(terminal: Terminal, side: SideRecord, kind: "full" | "screen"): string {
	const core = coreOf(terminal);
	const view = core.buffer;
	const buffer = terminal.buffer.active;
	return [
		savedCursor(terminal, buffer.type),
		paintTabs(view, terminal.cols),
		paintMargins(terminal, view),
		paintPlaceAndCharsets(terminal, kind),
		sgrOf(core._inputHandler._curAttrData),
		paintModes(terminal),
		kind === "full" ? paintKeyboardStack(side, buffer.type) : paintKeyboardTop(side, buffer.type),
		side.modifyOtherKeys ? `\x1b[>4;${side.modifyOtherKeys}m` : "",
		side.cursorStyle ? `\x1b[${side.cursorStyle} q` : "",
		paintTitle(side.title),
		core.coreService.isCursorHidden ? "\x1b[?25l" : "\x1b[?25h",
	].join("");
}
