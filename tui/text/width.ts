/** Ranges that East Asian Width calls wide or fullwidth, emoji apart: those come from the Unicode property. */
const WIDE: readonly (readonly [number, number])[] = [
	[0x1100, 0x115f],
	[0x2329, 0x232a],
	[0x2e80, 0x303e],
	[0x3041, 0x33ff],
	[0x3400, 0x4dbf],
	[0x4e00, 0x9fff],
	[0xa000, 0xa4cf],
	[0xa960, 0xa97c],
	[0xac00, 0xd7a3],
	[0xf900, 0xfaff],
	[0xfe10, 0xfe19],
	[0xfe30, 0xfe6f],
	[0xff01, 0xff60],
	[0xffe0, 0xffe6],
	[0x16fe0, 0x18cff],
	[0x1b000, 0x1b2ff],
	[0x1f200, 0x1f2ff],
	[0x20000, 0x3fffd],
];
const ASCII = /^[\x20-\x7e]*$/;
const EMOJI = /\p{Emoji_Presentation}/u;
const EMOJI_BY_SELECTOR = /\p{Emoji}\ufe0f/u;
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}\u200b]+$/u;
/** Two of these make a flag of two cells; one alone is drawn as a letter of one. */
const REGIONAL = /^[\u{1f1e6}-\u{1f1ff}]$/u;

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Splits text into what a person sees as one character each. */
export function graphemes(text: string): string[] {
	if (ASCII.test(text)) return text.split("");
	return Array.from(segmenter.segment(text), (part) => part.segment);
}

function isWideCodePoint(codePoint: number): boolean {
	if (codePoint < 0x1100) return false;
	for (const [from, to] of WIDE) {
		if (codePoint < from) return false;
		if (codePoint <= to) return true;
	}
	return false;
}

/** Cells of one grapheme: 0 for marks and controls, 2 for CJK, emoji and flags, else 1. */
export function graphemeWidth(grapheme: string): 0 | 1 | 2 {
	const first = grapheme.codePointAt(0);
	if (first === undefined) return 0;
	if (first >= 0x20 && first < 0x7f) return EMOJI_BY_SELECTOR.test(grapheme) ? 2 : 1;
	if (INVISIBLE.test(grapheme)) return 0;
	if (REGIONAL.test(grapheme)) return 1;
	if (EMOJI.test(grapheme) || EMOJI_BY_SELECTOR.test(grapheme) || isWideCodePoint(first)) return 2;
	return 1;
}

/** Terminal cells that `text` takes; it must hold no escape sequences and no newline. */
export function widthCells(text: string): number {
	if (ASCII.test(text)) return text.length;
	let cells = 0;
	for (const grapheme of graphemes(text)) cells += graphemeWidth(grapheme);
	return cells;
}

/** The longest beginning of `text` that fits `maxCells`, never half a wide character. */
export function sliceCells(text: string, maxCells: number): string {
	if (maxCells <= 0) return "";
	if (ASCII.test(text)) return text.slice(0, maxCells);
	let cells = 0;
	let out = "";
	for (const grapheme of graphemes(text)) {
		cells += graphemeWidth(grapheme);
		if (cells > maxCells) return out;
		out += grapheme;
	}
	return out;
}

/** Fits `text` into `maxCells`; a cut is shown by `…`. */
export function truncateCells(text: string, maxCells: number, ellipsis = "…"): string {
	if (widthCells(text) <= maxCells) return text;
	if (maxCells <= widthCells(ellipsis)) return sliceCells(text, maxCells);
	return sliceCells(text, maxCells - widthCells(ellipsis)) + ellipsis;
}

/** Pads with spaces on the right up to `cells`; longer text is returned as it is. */
export function padCells(text: string, cells: number): string {
	return text + " ".repeat(Math.max(0, cells - widthCells(text)));
}
