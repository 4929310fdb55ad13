import { describe, expect, test } from "vitest";
import { holdsQuery, incompleteTailAt, scrolledOffPrefix } from "#daemon/pty/escape-scan.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe("escape scan", () => {
	test("incomplete tail: found for every kind of sequence, absent after whole ones", () => {
		for (const tail of ["\x1b", "\x1b[3", "\x1b[?25", "\x1b]2;ti", "\x1bPq..", "\x1b(", "\x1b_x"]) {
			expect(incompleteTailAt(bytes(`ab${tail}`)), JSON.stringify(tail)).toBe(2);
		}
		for (const whole of ["\x1b[m", "\x1b]2;t\x07", "\x1b]2;t\x1b\\", "\x1bc", "\x1b(0", "é", "\x1b[3\x18"]) {
			expect(incompleteTailAt(bytes(whole)), JSON.stringify(whole)).toBe(bytes(whole).length);
		}
		expect(incompleteTailAt(bytes("a日").subarray(0, 3))).toBe(1);
		expect(incompleteTailAt(bytes("🙂").subarray(0, 1))).toBe(0);
	});

	test("query: found wherever a terminal would answer, not in colours and titles", () => {
		for (const query of [
			"\x1b[6n",
			"\x1b[c",
			"\x1b[>c",
			"\x1b[?25$p",
			"\x1b[?u",
			"\x1b[18t",
			"\x1b]11;?\x07",
			"\x1bP$qm\x1b\\",
			"\x1b[>0q",
			"\x05",
		]) {
			expect(holdsQuery(bytes(`text${query}`)), JSON.stringify(query)).toBe(true);
		}
		expect(holdsQuery(bytes("plain \x1b[1;31mred\x1b[m \x1b]2;what now\x07 \x1b[?25h c n"))).toBe(false);
	});

	test("scrolled off: keeps the lines asked for, the colours, and stops at anything that is not plain", () => {
		const text = Array.from({ length: 10 }, (_, n) => `\x1b[m\x1b[3${n % 8}m${n}\r\n`).join("");
		const found = scrolledOffPrefix(bytes(text), 3);
		expect(text.slice(found.cut)).toBe(text.slice(text.indexOf("\x1b[m\x1b[37m7")));
		expect(Buffer.from(found.instead).toString()).toBe("\x1b[m\x1b[36m");
		expect(scrolledOffPrefix(bytes(`\x1b[H${text}`), 3).cut).toBe(0);
		expect(scrolledOffPrefix(bytes(text), 10).cut).toBe(0);
		expect(scrolledOffPrefix(bytes(`${text}\x1b[3`), 3).end).toBe(text.length);
	});
});
