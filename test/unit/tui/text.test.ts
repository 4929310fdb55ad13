import { describe, expect, test } from "vitest";
import { suggestCommand } from "#tui/command/index.ts";
import { formatCount, formatDuration, formatElapsed, tildePath } from "#tui/text/format.ts";
import { editDistance, fuzzyFilter, fuzzyScore, nearestName } from "#tui/text/fuzzy.ts";
import { revealText, sanitizeLine, sanitizeText } from "#tui/text/sanitize.ts";

describe("sanitize", () => {
	test.each([
		["colours", "\u001b[31mred\u001b[0m", "red"],
		["clear screen", "a\u001b[2J\u001b[Hb", "ab"],
		["title", "a\u001b]0;owned\u0007b", "ab"],
		["clipboard by ST", "a\u001b]52;c;ZXZpbA==\u001b\\b", "ab"],
		["an OSC without an end", "a\u001b]8;;http://x\nb", "a\nb"],
		["DCS", "a\u001bPq#0\u001b\\b", "ab"],
		["C1 CSI", "a\u009b2Jb", "ab"],
		["a half sequence at the end", "a\u001b[3", "a"],
		["bell and backspace", "a\u0007\u0008b", "ab"],
		["bidi override", "a\u202eb", "ab"],
		["CRLF", "a\r\nb", "a\nb"],
		["a progress bar", "10%\r50%\r100%", "100%"],
		["tabs", "a\tb", "a    b"],
	])("sanitize: removes %s", (_what, dirty, clean) => {
		expect(sanitizeText(dirty)).toBe(clean);
	});

	test("sanitize: one line when a line is wanted", () => {
		expect(sanitizeLine("a\n\nb ")).toBe("a b");
	});

	test("sanitize: what is to be approved shows its hidden characters", () => {
		expect(revealText("rm\u202e\u200b x\u001b[8m\ny")).toBe("rm\\u202e\\u200b x\\x1b[8m\ny");
	});
});

describe("fuzzy", () => {
	test("fuzzy: a subsequence matches, ignoring case, else not", () => {
		expect(fuzzyScore("mod42fil", "src/mod42/File.ts")).toBeDefined();
		expect(fuzzyScore("xyz", "src/mod42/file.ts")).toBeUndefined();
		expect(fuzzyScore("", "anything")).toBe(0);
	});

	test("fuzzy: beginnings and runs come first", () => {
		expect(fuzzyFilter("te", ["latest", "terry", "tester"], (name) => name)).toEqual([
			"terry",
			"tester",
			"latest",
		]);
		expect(fuzzyFilter("st", ["session-tools", "status"], (name) => name)[0]).toBe("status");
	});

	test("fuzzy: distance counts a swap as one edit", () => {
		expect(editDistance("hlep", "help")).toBe(1);
		expect(editDistance("abc", "")).toBe(3);
	});

	test("fuzzy: suggests the nearest command when one is near", () => {
		expect(suggestCommand("hlep")).toBe("help");
		expect(suggestCommand("stauts")).toBe("status");
		expect(suggestCommand("atach")).toBe("attach");
		expect(nearestName("zzzzzz", ["help", "quit"])).toBeUndefined();
	});
});

test("format: durations, counts, folders", () => {
	expect(formatDuration(120)).toBe("0.1 s");
	expect(formatDuration(42_000)).toBe("42 s");
	expect(formatElapsed(42_000)).toBe("0:42");
	expect(formatElapsed(3_723_000)).toBe("1:02:03");
	expect(formatCount(12_400)).toBe("12.4k");
	expect(formatCount(258_000)).toBe("258k");
	expect(tildePath("/home/ana/src", "/home/ana")).toBe("~/src");
	expect(tildePath("/home/anastasia", "/home/ana")).toBe("/home/anastasia");
});
