import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLineReader } from "#daemon/transport/uds/line-reader.ts";

describe("line reader", () => {
	it("line reader: the lines are the same however the bytes are cut", () => {
		const text = fc.array(
			fc.string({ unit: "grapheme", maxLength: 20 }).map((line) => line.replaceAll("\n", "")),
			{ maxLength: 20 },
		);
		fc.assert(
			fc.property(text, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (lines, cuts) => {
				const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
				const reader = createLineReader();
				const out: string[] = [];
				for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
					const size = cuts[turn % cuts.length] ?? 1;
					for (const event of reader.push(bytes.subarray(at, at + size)))
						if ("line" in event) out.push(event.line);
					at += size;
				}
				expect(out).toEqual(lines.map((line) => line.trim()).filter((line) => line !== ""));
			}),
			{ seed: 11 },
		);
	});

	it("line reader: a line over the bound is told once and skipped to its end", () => {
		const reader = createLineReader(8);
		expect(reader.push(Buffer.from("123456789"))).toEqual([{ tooLong: true }]);
		expect(reader.push(Buffer.from("more and more"))).toEqual([]);
		expect(reader.push(Buffer.from("\n12345678\n"))).toEqual([{ line: "12345678" }]);
	});
});
