import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createByteRing } from "#base/ring-buffer.ts";

describe("ring buffer", () => {
	test("ring: what is read from any held offset equals the tail of all bytes ever written", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 9000 }),
				fc.array(fc.uint8Array({ maxLength: 6000 }), { maxLength: 12 }),
				(capacity, chunks) => {
					const ring = createByteRing(capacity);
					let all = Buffer.alloc(0);
					for (const chunk of chunks) {
						ring.append(chunk);
						all = Buffer.concat([all, chunk]);
						expect(ring.endOffset).toBe(all.length);
						expect(ring.endOffset - ring.startOffset).toBe(Math.min(all.length, capacity));
						const from = ring.startOffset + Math.floor((ring.endOffset - ring.startOffset) / 2);
						expect(Buffer.from(ring.readFrom(from) ?? []).equals(all.subarray(from))).toBe(true);
					}
				},
			),
			{ numRuns: 200 },
		);
	});

	test("ring: an offset that is gone, or not yet there, reads as undefined", () => {
		const ring = createByteRing(4);
		ring.append(Buffer.from("abcdef"));
		expect(ring.readFrom(1)).toBeUndefined();
		expect(Buffer.from(ring.readFrom(2) ?? []).toString()).toBe("cdef");
		expect(ring.readFrom(7)).toBeUndefined();
	});
});
