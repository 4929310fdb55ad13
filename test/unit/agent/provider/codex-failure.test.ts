import { expect, test } from "vitest";
import { parseModelEvent } from "#daemon/agent/provider/codex/event.ts";
import { parseRetryAfterMs } from "#daemon/agent/provider/codex/failure.ts";

test("codex failures: a time to wait says nothing when it is below zero or no time", () => {
	expect(parseRetryAfterMs("-1", 0)).toBeNull();
	expect(parseRetryAfterMs("soon", 0)).toBeNull();
	expect(parseRetryAfterMs("0", 0)).toBe(0);
	expect(parseRetryAfterMs("1.5", 0)).toBe(1500);
});

test("codex failures: an error event is passed over when its error is no object", () => {
	expect(parseModelEvent('{"type":"error","error":"broken"}')).toBeNull();
	expect(parseModelEvent('{"type":"error","error":null}')).toBeNull();
	const nested = parseModelEvent('{"type":"error","error":{"message":"nested"}}');
	const flat = parseModelEvent('{"type":"error","message":"flat"}');
	expect(nested).toMatchObject({ type: "failed", failure: { message: "nested" } });
	expect(flat).toMatchObject({ type: "failed", failure: { message: "flat" } });
});
