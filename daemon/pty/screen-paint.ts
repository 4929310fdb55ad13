import type { IBuffer, IBufferCell, IBufferLine, Terminal } from "@xterm/headless";

/** What @xterm/headless 6.0.0 keeps in its cells and present attribute beyond its typed interface. */
export interface AttributeView {
	isBold(): number;
	isDim(): number;
	isItalic(): number;
	isUnderline(): number;
	isBlink(): number;
	isInverse(): number;
	isInvisible(): number;
	isStrikethrough(): number;
	isOverline(): number;
	getFgColorMode(): number;
	getFgColor(): number;
	getBgColorMode(): number;
	getBgColor(): number;
	getUnderlineStyle(): number;
	getUnderlineColor(): number;
	isUnderlineColorRGB(): boolean;
	isUnderlineColorPalette(): boolean;
}

const RESET = "\x1b[m";

/** Colour modes of @xterm/headless: 16 colours, 256, direct. */
const COLOUR_16 = 0x1000000;
const COLOUR_256 = 0x2000000;
const COLOUR_RGB = 0x3000000;

function colour(base: 3 | 4, mode: number, value: number): string[] {
	if (mode === COLOUR_RGB)
		return [`${base}8;2;${(value >>> 16) & 0xff};${(value >>> 8) & 0xff};${value & 0xff}`];
	if (mode === COLOUR_256) return [`${base}8;5;${value}`];
	if (mode === COLOUR_16) return [String(value & 8 ? (base + 6) * 10 + (value & 7) : base * 10 + value)];
	return [];
}

function underline(attribute: AttributeView): string[] {
	if (!attribute.isUnderline()) return [];
	const style = attribute.getUnderlineStyle();
	const out = [style > 1 ? `4:${style}` : "4"];
	const value = attribute.getUnderlineColor();
	if (attribute.isUnderlineColorRGB())
		out.push(`58:2::${(value >>> 16) & 0xff}:${(value >>> 8) & 0xff}:${value & 0xff}`);
	else if (attribute.isUnderlineColorPalette()) out.push(`58:5:${value & 0xff}`);
	return out;
}

/** The SGR sequence that sets exactly this look, whatever was set before. */
export function sgrOf(attribute: AttributeView): string {
	const codes = [
		...(attribute.isBold() ? ["1"] : []),
		...(attribute.isDim() ? ["2"] : []),
		...(attribute.isItalic() ? ["3"] : []),
		...underline(attribute),
		...(attribute.isBlink() ? ["5"] : []),
		...(attribute.isInverse() ? ["7"] : []),
		...(attribute.isInvisible() ? ["8"] : []),
		...(attribute.isStrikethrough() ? ["9"] : []),
		...(attribute.isOverline() ? ["53"] : []),
		...colour(3, attribute.getFgColorMode(), attribute.getFgColor()),
		...colour(4, attribute.getBgColorMode(), attribute.getBgColor()),
	];
	return codes.length === 0 ? RESET : `\x1b[0;${codes.join(";")}m`;
}

/** An empty cell shows nothing but its background. */
function sgrOfCell(cell: IBufferCell): string {
	if (cell.getChars() !== "") return sgrOf(cell as unknown as AttributeView);
	const codes = colour(4, cell.getBgColorMode(), cell.getBgColor());
	return codes.length === 0 ? RESET : `\x1b[0;${codes.join(";")}m`;
}

interface PaintedRow {
	text: string;
	/** Cells at the right edge that hold nothing, not even a background. */
	emptyCells: number;
}

/** Writes cells one after the other, in a cleared line; begins with default colours. */
function createRowPen(cols: number) {
	let text = "";
	let look = RESET;
	let gap = 0;

	function setLook(next: string): void {
		if (next === look) return;
		text += next;
		look = next;
	}
	/** Cells without content: erased in their background, which is the look still set, then stepped over. */
	function closeGap(atEdge: boolean): void {
		if (gap === 0) return;
		if (look !== RESET) text += `\x1b[${gap}X`;
		if (!atEdge) text += `\x1b[${gap}C`;
		gap = 0;
	}
	return {
		cell(cell: IBufferCell): void {
			const next = sgrOfCell(cell);
			const chars = cell.getChars();
			if (chars !== "" || next !== look) closeGap(false);
			setLook(next);
			if (chars === "") gap += 1;
			else text += chars;
		},
		/** Wrapping onto a new line fills it with the background then set; takes that back. */
		clearRest(): void {
			setLook(RESET);
			text += "\x1b[K";
		},
		end(): PaintedRow {
			const trailing = gap;
			const plain = look === RESET;
			closeGap(true);
			setLook(RESET);
			// A coloured gap cannot be walked over, so such a row never wraps by itself.
			return { text, emptyCells: trailing === 0 || plain ? trailing : cols };
		},
	};
}

/** Paints a row from column 0 on, in a cleared line; begins and ends with default colours. */
function paintRow(line: IBufferLine, cols: number, continues: boolean): PaintedRow {
	const pen = createRowPen(cols);
	const cell = line.getCell(0);
	let first = continues;
	for (let x = 0; cell && x < Math.min(cols, line.length); x += 1) {
		line.getCell(x, cell);
		if (cell.getWidth() === 0) continue;
		pen.cell(cell);
		if (first && cell.getBgColorMode() !== 0 && cols > cell.getWidth()) pen.clearRest();
		first = false;
	}
	return pen.end();
}

/** True when writing the next row's first character right after this row makes the emulator wrap by itself. */
function wrapsInto(row: PaintedRow, next: IBufferLine | undefined): boolean {
	const cell = next?.isWrapped ? next.getCell(0) : undefined;
	if (!cell || cell.getChars() === "") return false;
	return row.emptyCells === 0 || (row.emptyCells === 1 && cell.getWidth() === 2);
}

/**
 * Paints rows [from, to) of a buffer as one flow, from the top left of a cleared screen with default modes: what does not
 * fit scrolls into history, wrapped lines stay wrapped.
 */
export function paintRows(buffer: IBuffer, cols: number, from: number, to: number): string {
	let out = "";
	let continues = false;
	for (let y = from; y < to; y += 1) {
		const line = buffer.getLine(y);
		const row = line ? paintRow(line, cols, continues) : { text: "", emptyCells: cols };
		out += row.text;
		if (y + 1 >= to) break;
		continues = wrapsInto(row, buffer.getLine(y + 1));
		if (!continues) out += "\r\n";
	}
	return out;
}

/** Puts the cursor at (x, y) of the screen, 0-based; x equal to the width means: after the last cell, about to wrap. */
export function paintCursor(terminal: Terminal, buffer: IBuffer, x: number, y: number): string {
	if (x < terminal.cols) return `\x1b[${y + 1};${x + 1}H`;
	const line = buffer.getLine(buffer.baseY + y);
	let column = terminal.cols - 1;
	let cell = line?.getCell(column);
	if (cell?.getWidth() === 0) {
		column -= 1;
		cell = line?.getCell(column);
	}
	const move = `\x1b[${y + 1};${column + 1}H`;
	return cell ? `${move}${sgrOfCell(cell)}${cell.getChars() || " "}` : move;
}
