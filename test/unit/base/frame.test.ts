import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame, FRAME_FLAG, parseFrame, STREAM } from "#protocol/frame.ts";

describe("binary frame", () => {
	test("frame: the golden bytes of version 1", () => {
		const bytes = encodeFrame({
			stream: STREAM.input,
			flags: FRAME_FLAG.snapshot,
			channel: 7,
			offset: 0x01_02_03_04_05,
			payload: Buffer.from("hi"),
		});
		expect(Buffer.from(bytes).toString("hex")).toBe("010200020000000700000001020304056869");
	});

	test("frame: anything encoded parses back; anything else is refused with a code, never read out of bounds", () => {
		const frame = fc.record({
			stream: fc.integer({ min: 0, max: 6 }),
			flags: fc.nat(0xffff),
			channel: fc.nat(0xffffffff),
			offset: fc.nat(Number.MAX_SAFE_INTEGER),
			payload: fc.uint8Array(),
		});
		fc.assert(
			fc.property(frame, (one) => {
				const parsed = parseFrame(encodeFrame(one));
				expect({ ...parsed, payload: Array.from(parsed.payload) }).toEqual({
					...one,
					payload: Array.from(one.payload),
				});
			}),
		);
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
				try {
					parseFrame(bytes);
				} catch (error) {
					expect((error as { code?: string }).code).toBe("PROTOCOL_INVALID_FRAME");
				}
			}),
		);
	});
});
