import xterm from "@xterm/headless";
import { incompleteTailAt, lastColours, scrolledOffPrefix } from "./escape-scan.ts";
import { paintRows } from "./screen-paint.ts";
import { createScreenParser } from "./screen-parse.ts";
import {
	paintActiveState,
	paintHiddenState,
	paintKeyboardStack,
	paintOtherSaved,
	parserAtRest,
	plainTitle,
	type SideRecord,
	scrollsAsAWhole,
	watchSide,
} from "./screen-side.ts";

/** `full` makes any emulator equal (both screens, history); `screen` paints the active screen over whatever was shown. */
export type ScreenPaint = "full" | "screen";

export interface ScreenState extends Disposable {
	/** Parses; `answer` lets queries in these bytes be answered. Resolves when they are on the screen. In order of calls. */
	feed(bytes: Uint8Array, answer: boolean): Promise<void>;
	resize(cols: number, rows: number): Promise<void>;
	/** Of everything fed before this call. */
	paint(kind: ScreenPaint): Promise<Uint8Array>;
	lines(): Promise<{ lines: string[]; cursor: { x: number; y: number } }>;
	/** Lines that scrolled off the normal screen; without those that are not parsed yet. */
	readonly historyLines: number;
}

export interface ScreenOptions {
	cols: number;
	rows: number;
	/** Lines of history kept. */
	scrollback: number;
	onAnswer(data: string): void;
	onTitle(title: string): void;
}

/** Below this the search for lines that need no parsing costs more than it saves. */
const SKIP_FROM_BYTES = 256 * 1024;
/** More than this is not put off: it would make the next look slow. */
const MAX_PUT_BYTES = 512 * 1024;
/** An unfinished sequence (an image, a clipboard) is kept for snapshots up to this size; then its beginning only. */
const MAX_UNFINISHED_BYTES = 1024 * 1024;
/** Leaves every mode that could distort the painting, without clearing history or leaving the screen that the reader is on. */
const PAINT_OVER =
	"\x1b[?2026l\x1b[?6l\x1b[r\x1b[?7h\x1b[4l\x1b[?45l\x1b(B\x1b)B\x0f\x1b[m\x1b[?1l\x1b>\x1b[?2004l\x1b[?1004l\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1016l\x1b[>4m\x1b[0 q\x1b[H\x1b[2J";

const NOTHING = new Uint8Array(0);

function readLines({ buffer: { active }, rows }: xterm.Terminal) {
	const lines = Array.from(
		{ length: rows },
		(_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? "",
	);
	return { lines, cursor: { x: active.cursorX, y: active.cursorY } };
}

/** One emulator. Unicode widths are @xterm/headless's own (version 6 tables). */
export function createScreenState(options: ScreenOptions): ScreenState {
	const terminal = new xterm.Terminal({
		cols: options.cols,
		rows: options.rows,
		scrollback: options.scrollback,
		allowProposedApi: true,
	});
	const side = watchSide(terminal);
	let answering = false;
	terminal.onData((data) => {
		if (answering) options.onAnswer(data);
	});
	terminal.onTitleChange((title) => options.onTitle(plainTitle(title)));
	/** Bytes since the last place between sequences; empty there. */
	let unfinished: Uint8Array = NOTHING;
	/** The beginning of a sequence, not parsed yet. */
	let held: Uint8Array = NOTHING;
	/** Plain lines that the next piece of a flood may make scroll off; parsed when somebody looks. */
	let put: Uint8Array = NOTHING;
	let last: Promise<void> = Promise.resolve();

	function inTurn<T>(work: () => T | Promise<T>): Promise<T> {
		const done = last.then(work);
		last = done.then(() => undefined);
		return done;
	}

	const parse = createScreenParser(terminal);

	/** Puts bytes onto the screen. */
	async function show(bytes: Uint8Array): Promise<void> {
		await parse(bytes);
		const since = unfinished.length === 0 ? bytes : Buffer.concat([unfinished, bytes]);
		if (parserAtRest(terminal) && (since.at(-1) ?? 0) < 0x80) unfinished = NOTHING;
		else unfinished = since.slice(incompleteTailAt(since)).subarray(0, MAX_UNFINISHED_BYTES);
	}
	async function settle(): Promise<void> {
		if (put.length === 0) return;
		const bytes = put;
		put = NOTHING;
		await show(bytes);
	}
	async function feed(incoming: Uint8Array, answer: boolean): Promise<void> {
		answering = answer;
		const bytes = held.length === 0 ? incoming : Buffer.concat([held, incoming]);
		held = NOTHING;
		if (bytes.length >= SKIP_FROM_BYTES && unfinished.length === 0 && scrollsAsAWhole(terminal))
			await feedFlood(bytes);
		else {
			await settle();
			await show(bytes);
		}
	}
	async function feedFlood(bytes: Uint8Array): Promise<void> {
		const { cut, instead, end, plain } = scrolledOffPrefix(bytes, options.scrollback + 2 * terminal.rows);
		if (cut > 0) {
			await parse(lastColours(put));
			await parse(instead);
			put = NOTHING;
		} else await settle();
		// A flood is mostly cut inside a sequence; parsed only when whole, it leaves the next piece skippable.
		held = bytes.slice(end);
		const rest = bytes.subarray(cut, end);
		if (plain && unfinished.length === 0 && rest.length <= MAX_PUT_BYTES) put = rest.slice();
		else await show(rest);
	}

	return {
		feed: (bytes, answer) => inTurn(() => feed(bytes, answer)),
		resize: (cols, rows) =>
			inTurn(async () => {
				await settle();
				terminal.resize(cols, rows);
			}),
		paint: (kind) =>
			inTurn(async () => {
				await settle();
				const painted = kind === "full" ? paintFull(terminal, side) : paintScreen(terminal, side);
				return Buffer.concat([Buffer.from(painted), unfinished, held]);
			}),
		lines: () =>
			inTurn(async () => {
				await settle();
				return readLines(terminal);
			}),
		get historyLines() {
			return terminal.buffer.normal.baseY;
		},
		[Symbol.dispose]: () => terminal.dispose(),
	};
}

function paintFull(terminal: xterm.Terminal, side: SideRecord): string {
	const { normal, alternate, active } = terminal.buffer;
	const { cols, rows } = terminal;
	const base = `\x1bc${paintRows(normal, cols, 0, normal.baseY + rows)}`;
	if (active.type === "normal")
		return base + paintOtherSaved(terminal) + paintActiveState(terminal, side, "full");
	const under = paintHiddenState(terminal) + paintKeyboardStack(side, "normal");
	return `${base}${under}\x1b[?1047h\x1b[H${paintRows(alternate, cols, 0, rows)}${paintActiveState(terminal, side, "full")}`;
}

function paintScreen(terminal: xterm.Terminal, side: SideRecord): string {
	const { active } = terminal.buffer;
	return (
		PAINT_OVER +
		paintRows(active, terminal.cols, active.baseY, active.baseY + terminal.rows) +
		paintActiveState(terminal, side, "screen")
	);
}
