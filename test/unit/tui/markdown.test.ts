import { describe, expect, test } from "vitest";
import { markdownLines } from "#tui/screen/markdown-lines.ts";
import { quoteWord, shellScript, shellWords } from "#tui/text/shell-words.ts";
import { lineText } from "#tui/theme/line.ts";

describe("markdown", () => {
	test("markdown: code is indented and never filled, its marks go", () => {
		const rows = markdownLines("Look:\n```ts\nconst a = `x`; // **no** bold\n```\n# Then\n`x` and **y**", 24);
		expect(rows.map(lineText)).toEqual([
			"Look:",
			"ts",
			"  const a = `x`; // **no",
			"  ** bold",
			"Then",
			"x and y",
		]);
	});
});

describe("shell words", () => {
	test.each([
		["echo hi", ["echo", "hi"]],
		[
			`/bin/bash -lc 'find . -name '"'*.ts' \\"a\\" "'$f'`,
			["/bin/bash", "-lc", `find . -name '*.ts' "a" $f`],
		],
		["a\\ b ''", ["a b", ""]],
		["a 'b", undefined],
	])("words: %s", (line, words) => {
		expect(shellWords(line)).toEqual(words);
	});

	test("script: only a shell with one script is taken apart", () => {
		expect(shellScript(["/bin/zsh", "-c", "ls"])).toEqual({ shell: "/bin/zsh -c", script: "ls" });
		expect(shellScript(["bash", "-c", "ls", "x"])).toBeUndefined();
		expect(shellScript(["python3", "-c", "ls"])).toBeUndefined();
	});

	test("quote: what is read back is the word", () => {
		for (const word of ["a b", "it's", "$x", "", "-la", "`x`"])
			expect(shellWords(quoteWord(word))).toEqual([word]);
	});
});
