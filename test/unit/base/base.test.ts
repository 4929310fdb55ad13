import { describe, expect, test } from "vitest";
import { AppError, toAppError } from "#base/app-error.ts";
import { backoffMs } from "#base/backoff.ts";
import { createBoundedQueue } from "#base/bounded-queue.ts";
import { waitMs } from "#base/clock.ts";
import { createEmitter } from "#base/emitter.ts";
import { newId } from "#base/id.ts";
import { createRegistry } from "#base/registry.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";

describe("base", () => {
	test("ids: are UUIDv7 and sort in order of creation, also within a millisecond", () => {
		const ids = Array.from({ length: 10_000 }, () => newId(1_700_000_000_000));
		expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
		expect([...ids].sort()).toEqual(ids);
		expect(new Set(ids).size).toBe(ids.length);
	});

	test("errors: cross the wire and come back with code and data; an unknown code is kept in the data", () => {
		const error = new AppError("BUSY", "later", { data: { retry_after_ms: 5 } });
		const back = AppError.fromWire(error.toWire());
		expect([back.code, back.message, back.data, back.retryable]).toEqual([
			"BUSY",
			"later",
			{ retry_after_ms: 5 },
			true,
		]);
		expect(AppError.fromWire({ name: "FROM_THE_FUTURE", message: "x" }).data).toEqual({
			peer_code: "FROM_THE_FUTURE",
		});
		expect(toAppError(new Error("secret")).toWire().message).not.toContain("secret");
	});

	test("registry: refuses a second item of a name and forgets an owner's items", () => {
		const registry = createRegistry<{ name: string }>("tool");
		registry.register("builtin", { name: "a" });
		registry.register("plugin", { name: "b" });
		expect(() => registry.register("plugin", { name: "a" })).toThrow(/registered twice/);
		registry.unregisterOwner("plugin");
		expect(registry.list().map((item) => item.name)).toEqual(["a"]);
	});

	test("backoff: doubles to its ceiling and never leaves the upper half", () => {
		const delays = [1, 2, 3, 10].map((attempt) =>
			backoffMs(attempt, { firstMs: 100, maxMs: 1000, random: () => 0 }),
		);
		expect(delays).toEqual([50, 100, 200, 500]);
		expect(backoffMs(10, { firstMs: 100, maxMs: 1000, random: () => 1 })).toBe(1000);
	});

	test("queue: keeps both bounds and its order over many turns", () => {
		const queue = createBoundedQueue<number>(3, 10);
		expect([queue.push(1, 5), queue.push(2, 5), queue.push(3, 1)]).toEqual([true, true, false]);
		expect(queue.shift()).toBe(1);
		expect(queue.push(3, 1)).toBe(true);
		expect([queue.drain(), queue.length, queue.cost]).toEqual([[2, 3], 0, 0]);
	});

	test("emitter: one listener's error does not keep the others from hearing", () => {
		const errors: unknown[] = [];
		const emitter = createEmitter<number>((error) => errors.push(error));
		const heard: number[] = [];
		emitter.on(() => {
			throw new Error("x");
		});
		using _listener = emitter.on((value) => heard.push(value));
		emitter.emit(7);
		expect([heard, errors.length]).toEqual([[7], 1]);
	});

	test("clock: a wait ends when time has come, or with the signal's reason", async () => {
		const clock = createFakeClock();
		const waited = waitMs(clock, 100);
		clock.advance(100);
		await waited;
		const controller = new AbortController();
		const aborted = waitMs(clock, 100, controller.signal);
		controller.abort(new Error("enough"));
		await expect(aborted).rejects.toThrow("enough");
		expect(clock.pending).toBe(0);
	});
});
