import { describe, expect, test } from "vitest";
import { createEmulatorNeed } from "#daemon/pty/emulator-need.ts";

function needs(...pieces: string[]): boolean[] {
	const isNeeded = createEmulatorNeed();
	return pieces.map((piece) => isNeeded(Buffer.from(piece)));
}

describe("emulator need", () => {
	test("text, colours and modes can wait", () => {
		expect(needs("$ ", "\x1b[?2004h\x1b[1;32mme\x1b[m$ ", "é\r\n", "\x1b(B")).toEqual([
			false,
			false,
			false,
			false,
		]);
	});

	test("queries and titles cannot, however they are cut", () => {
		expect(needs("\x1b[6n")).toEqual([true]);
		expect(needs("a\x1b", "[", "c", "$ ")).toEqual([true, true, true, false]);
		expect(needs("\x1b]0;title", " goes on", "\x07", "$ ")).toEqual([true, true, true, false]);
		expect(needs(`\x1b]52;c;${"A".repeat(9000)}`, "A".repeat(9000), "\x07", "$ ")).toEqual([
			true,
			true,
			true,
			false,
		]);
		expect(needs("\x05")).toEqual([true]);
	});
});
