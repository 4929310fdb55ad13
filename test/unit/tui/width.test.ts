import { describe, expect, test } from "vitest";
import { graphemeWidth, padCells, sliceCells, truncateCells, widthCells } from "#tui/text/width.ts";
import { wrapExact, wrapText } from "#tui/text/wrap.ts";

describe("width", () => {
	test.each([
		["abc", 3],
		["日本", 4],
		["é", 1],
		["e\u0301", 1],
		["👨‍👩‍👧", 2],
		["🇩🇪", 2],
		["❤️", 2],
		["가", 2],
		["ｱ", 1],
		["\u200b", 0],
		["", 0],
		["›●▲✓", 4],
	])("width: %s takes %i cells", (text, cells) => {
		expect(widthCells(text)).toBe(cells);
	});

	test("width: a lone regional letter is one cell when it makes no flag", () => {
		expect(graphemeWidth("🇩")).toBe(1);
	});

	test("width: cuts never halve a wide character", () => {
		expect(sliceCells("a日本", 2)).toBe("a");
		expect(truncateCells("日本語", 4)).toBe("日…");
		expect(truncateCells("ab", 4)).toBe("ab");
		expect(padCells("日", 4)).toBe("日  ");
	});
});

describe("wrap", () => {
	test("wrap: breaks at words and keeps empty lines", () => {
		expect(wrapText("one two three\n\nfour", 8)).toEqual(["one two", "three", "", "four"]);
	});

	test("wrap: cuts a word longer than a line when nothing else helps", () => {
		expect(wrapText("abcdefgh", 3)).toEqual(["abc", "def", "gh"]);
		expect(wrapText("日本語", 3)).toEqual(["日", "本", "語"]);
	});

	test("wrap: a list's continuation hangs under its text", () => {
		expect(wrapText("- one two three", 9)).toEqual(["- one two", "  three"]);
	});

	test("wrap: no row is wider than asked, for any text and width", () => {
		const text = "Grüße 日本語のテキスト with 👨‍👩‍👧 emoji and averyveryverylongwordwithoutanyspaces - end";
		for (let width = 2; width < 60; width += 1)
			for (const row of wrapText(text, width)) expect(widthCells(row)).toBeLessThanOrEqual(width);
	});

	test("wrap: a draft's rows join to the draft when cut exactly", () => {
		const rows = wrapExact("ab cd\n日本x", 3);
		expect(rows.map((row) => row.text)).toEqual(["ab ", "cd", "日", "本x"]);
		expect(rows.map((row) => row.startIndex)).toEqual([0, 3, 6, 7]);
	});
});
