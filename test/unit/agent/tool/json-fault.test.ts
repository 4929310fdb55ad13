import { expect, test } from "vitest";
import { jsonFault } from "#daemon/agent/tool/json-fault.ts";

/** As Codex 0.169.0 answers to calls with these arguments. */
const KNOWN: readonly (readonly [string, string])[] = [
	['{"cmd":"echo', "EOF while parsing a string at line 1 column 12"],
	["", "EOF while parsing a value at line 1 column 0"],
	["nope", "expected ident at line 1 column 2"],
	['{"cmd":"a",}', "trailing comma at line 1 column 12"],
	["{cmd:1}", "key must be a string at line 1 column 2"],
	['{"cmd":"a"} x', "trailing characters at line 1 column 13"],
	['["a"', "EOF while parsing a list at line 1 column 4"],
	['{"cmd" "a"}', "expected `:` at line 1 column 8"],
	['{"cmd":"\\q"}', "invalid escape at line 1 column 10"],
	['{"cmd":tru}', "expected ident at line 1 column 11"],
	['{"cmd":01}', "invalid number at line 1 column 9"],
	['{"cmd":"a" "b":1}', "expected `,` or `}` at line 1 column 12"],
	['{"cmd":"a",\n "x":[1 2]}', "expected `,` or `]` at line 2 column 9"],
	['{"cmd":-}', "invalid number at line 1 column 9"],
	['{"cmd":"\\u12"}', "invalid escape at line 1 column 14"],
	["{", "EOF while parsing an object at line 1 column 1"],
	['{"cmd"', "EOF while parsing an object at line 1 column 6"],
	['{"cmd":', "EOF while parsing a value at line 1 column 7"],
	['{"cmd":"a",', "EOF while parsing a value at line 1 column 11"],
	["  ", "EOF while parsing a value at line 1 column 2"],
	['{"x":1.}', "invalid number at line 1 column 8"],
	['{"x":1e}', "invalid number at line 1 column 8"],
	['{"x":[,]}', "expected value at line 1 column 7"],
	['{"cmd":"a\nb"}', "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 9"],
	["{,}", "key must be a string at line 1 column 2"],
	['{"x":é}', "expected value at line 1 column 6"],
	['{"é":"é" x}', "expected `,` or `}` at line 1 column 12"],
];

test.each(KNOWN)("arguments: the place and the words of the reference when the text is %j", (text, words) => {
	expect(jsonFault(text)).toBe(words);
});

test("arguments: nothing is wrong when the text is JSON", () => {
	for (const text of ["{}", "[]", ' {"a":[1,-2.5e+3,true,false,null,"\\u00e9\\n"]} ', "0", '""'])
		expect(jsonFault(text)).toBeNull();
});

test("arguments: nesting beyond what the reference reads is a fault of its own when it never ends", () => {
	expect(jsonFault("[".repeat(1_000_000))).toBe("recursion limit exceeded at line 1 column 128");
});
