import { expect, test } from "vitest";
import { escapeUnseenJson, showUnseen } from "#base/visible-text.ts";

test("visible text: what would act on a terminal or reorder a line is written out, all else stays", () => {
	expect(showUnseen("a\u001b[2Jb\u009b31mc\u0007\rd\u0000")).toBe("a\\x1b[2Jb\\x9b31mc\\x07\\x0dd\\x00");
	expect(showUnseen("rm \u202ex\u2069")).toBe("rm \\u202ex\\u2069");
	expect(showUnseen("grün\tü\r\n👩‍👩‍👧\n")).toBe("grün\tü\n👩‍👩‍👧\n");
});

test("visible text: JSON says the same after its unseen characters were escaped", () => {
	const value = { a: "\u009b31m\u007f\u202e", b: "\u001b[0m\n" };
	const escaped = escapeUnseenJson(JSON.stringify(value));
	expect(JSON.parse(escaped)).toEqual(value);
	expect(escaped).toMatch(/^[\x20-\x7e]*$/);
});
