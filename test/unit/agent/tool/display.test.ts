import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { displayCommand } from "#daemon/agent/tool/command/display.ts";

test("display: words are quoted as Codex shows them", () => {
	expect(displayCommand(["/bin/bash", "-lc", "true"])).toBe("/bin/bash -lc true");
	expect(displayCommand(["a b", ""])).toBe("'a b' ''");
	expect(displayCommand(["it's"])).toBe(`"it's"`);
	expect(displayCommand(["printf 'a\\n'"])).toBe(`"printf 'a\\\\n'"`);
	expect(displayCommand(["'$x"])).toBe(`"'"'$x'`);
	expect(displayCommand(["^y"])).toBe("'^y'");
});

test("display: a shell splits the line into the same words", () => {
	const word = fc.string({
		unit: fc.constantFrom("a", " ", "'", '"', "\\", "$", "`", "!", "^", "é", "\n", "*", "~", "#"),
		maxLength: 8,
	});
	fc.assert(
		fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (argv) => {
			const shell = spawnSync("/bin/sh", ["-c", `printf '%s\\0' ${displayCommand(argv)}`]);
			expect(shell.stdout.toString("utf8").split("\0").slice(0, -1)).toEqual(argv);
		}),
		{ seed: 7, numRuns: 100 },
	);
});
