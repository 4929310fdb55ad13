import fc from "fast-check";
import { expect, test } from "vitest";
import { createSseParser } from "#daemon/agent/provider/wire/sse.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("sse: reads events, names, comments, several data lines and all line endings", () => {
	const parser = createSseParser();
	const stream =
		'\uFEFF: hello\r\nevent: a\r\ndata: {"x":1}\r\n\r\ndata:one\ndata: two\n\nid: 7\revent: b\rdata\r\rdata: open';
	expect(parser.push(bytes(stream))).toEqual([
		{ event: "a", data: '{"x":1}' },
		{ event: "message", data: "one\ntwo" },
		{ event: "b", data: "" },
	]);
	expect(parser.push(bytes(" end\n\n"))).toEqual([{ event: "message", data: "open end" }]);
});

test("sse: chunk borders make no difference, wherever they fall", () => {
	const stream = bytes("event: x\r\ndata: grüße 😀\r\n\r\ndata: a\r\rdata: b\n\n");
	const whole = createSseParser().push(stream);
	expect(whole).toHaveLength(3);
	fc.assert(
		fc.property(fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 12 }), (cuts) => {
			const parser = createSseParser();
			const borders = [0, ...[...cuts].sort((a, b) => a - b), stream.length];
			const events = borders
				.slice(1)
				.flatMap((border, index) => parser.push(stream.subarray(borders[index], border)));
			expect(events).toEqual(whole);
		}),
	);
});

test("sse: an event over the bound is refused instead of kept", () => {
	const parser = createSseParser(100);
	parser.push(bytes(`data: ${"x".repeat(80)}`));
	expect(() => parser.push(bytes("x".repeat(40)))).toThrow(/over 100 characters/);
});

test("sse: bytes that are no UTF-8 break the stream when they come, and not where a character is only cut", () => {
	const parser = createSseParser();
	const word = bytes("data: ü\n\n");
	expect(parser.push(word.subarray(0, 7))).toEqual([]);
	expect(parser.push(word.subarray(7))).toEqual([{ event: "message", data: "ü" }]);
	expect(() => parser.push(Uint8Array.of(0x64, 0xff, 0x0a))).toThrow();
});
