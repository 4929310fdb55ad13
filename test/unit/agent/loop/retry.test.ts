import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { type Clock, systemClock } from "#base/clock.ts";
import { createBench } from "./fixture.ts";

/** The machine's clock with pauses written down and made short: the policy is under test, not patience. */
function createHastyClock(pauses: number[]): Clock {
	return {
		...systemClock,
		after(delayMs, fire) {
			pauses.push(delayMs);
			return systemClock.after(0, fire);
		},
	};
}

const TWO = "request_max_retries = 2\nstream_max_retries = 2";
const OK = { items: [{ type: "text" as const, text: "Whole." }] };

async function bench(responses: Parameters<typeof createBench>[0], toml = TWO) {
	const pauses: number[] = [];
	return Object.assign(await createBench(responses, { toml, clock: createHastyClock(pauses) }), { pauses });
}

test("retry: a dropped and then an ended stream are told and restarted as new items", async () => {
	await using it = await bench([
		{ items: [{ type: "text", text: "Half an", unfinished: true }], end: "drop" },
		{ items: [{ type: "text", text: "Half an", unfinished: true }], end: "eof" },
		OK,
	]);
	expect(await it.run("go")).toEqual({ status: "completed", finalText: "Whole." });
	const errors = it.events.flatMap((event) => (event.type === "error" ? [event] : []));
	expect(errors).toMatchObject([
		{
			willRetry: true,
			error: {
				message: "Reconnecting... 1/2",
				codexErrorInfo: { responseStreamDisconnected: { httpStatusCode: null } },
			},
		},
		{ willRetry: true, error: { message: "Reconnecting... 2/2" } },
	]);
	expect(errors[0]?.error.additionalDetails).toMatch(
		/^stream disconnected before completion: Transport error: /,
	);
	expect(errors[1]?.error.additionalDetails).toBe(
		"stream disconnected before completion: stream closed before response.completed",
	);
	expect(it.lines().filter((line) => line === "item_started agentMessage")).toHaveLength(3);
	expect(it.lines().filter((line) => line === "item_completed agentMessage")).toHaveLength(1);
	expect(it.pauses).toEqual([200, 400]);
	expect(it.inputOf(2)).toEqual(it.inputOf(0));
});

test("retry: a stream that stays dropped fails with `other` after three requests", async () => {
	await using it = await bench([
		{ items: [], end: "eof" },
		{ items: [], end: "eof" },
		{ items: [], end: "eof" },
	]);
	const outcome = await it.run("go");
	expect(outcome).toMatchObject({
		status: "failed",
		error: { codexErrorInfo: "other", additionalDetails: null },
	});
	expect(it.model.requests).toHaveLength(3);
	expect(it.events.at(-1)).toMatchObject({ type: "error", willRetry: false });
});

test("retry: an idle stream counts as broken", async () => {
	await using it = await bench(
		[{ items: [{ type: "text", text: "x", unfinished: true }], end: "hang" }, OK],
		`${TWO}\nstream_idle_timeout_ms = 60`,
	);
	expect(await it.run("go")).toMatchObject({ status: "completed", finalText: "Whole." });
	expect(it.events.find((event) => event.type === "error")).toMatchObject({
		error: { additionalDetails: "stream disconnected before completion: idle timeout waiting for SSE" },
	});
});

test("retry: 500 is tried nine times in three series, then an internal server error", async () => {
	await using it = await bench(Array.from({ length: 9 }, () => ({ status: 500 })));
	expect(await it.run("go")).toMatchObject({
		status: "failed",
		error: { codexErrorInfo: "internalServerError" },
	});
	expect(it.model.requests).toHaveLength(9);
	expect(it.pauses).toEqual([200, 400, 200, 200, 400, 400, 200, 400]);
	expect(it.lines().filter((line) => line.startsWith("error Reconnecting"))).toEqual([
		"error Reconnecting... 1/2 (retry)",
		"error Reconnecting... 2/2 (retry)",
	]);
});

test("retry: one 500, or one connection reset, is silent", async () => {
	await using it = await bench([{ status: 500 }, { reset: true }, OK]);
	expect(await it.run("go")).toMatchObject({ status: "completed" });
	expect(it.lines().some((line) => line.startsWith("error"))).toBe(false);
});

test("retry: 401 is retried as a stream, then names the refused connection", async () => {
	const refused = { status: 401, body: { error: { message: "Incorrect API key provided." } } };
	await using it = await bench([refused, refused, refused]);
	expect(await it.run("go")).toMatchObject({
		status: "failed",
		error: {
			message: expect.stringMatching(
				/^unexpected status 401 Unauthorized: Incorrect API key provided\., url: http:/,
			),
			codexErrorInfo: { httpConnectionFailed: { httpStatusCode: 401 } },
		},
	});
	expect(it.model.requests).toHaveLength(3);
	expect(it.events.find((event) => event.type === "error")).toMatchObject({
		error: { codexErrorInfo: { responseStreamDisconnected: { httpStatusCode: 401 } } },
	});
});

test("retry: 429 waits as long as Retry-After says", async () => {
	await using it = await bench([{ status: 429, headers: { "retry-after": "7" } }, OK]);
	expect(await it.run("go")).toMatchObject({ status: "completed" });
	expect(it.pauses).toEqual([7000]);
	expect(it.events.find((event) => event.type === "error")).toMatchObject({
		error: {
			message: "Reconnecting... 1/2",
			codexErrorInfo: { responseStreamDisconnected: { httpStatusCode: 429 } },
		},
	});
});

test.each([
	["429 without Retry-After", { status: 429 }, { responseTooManyFailedAttempts: { httpStatusCode: 429 } }],
	[
		"a usage limit",
		{ status: 429, body: { error: { type: "usage_limit_reached", message: "limit" } } },
		"usageLimitExceeded",
	],
	["400", { status: 400, body: "bad field" }, "other"],
	[
		"an overloaded model",
		{ items: [], end: { failed: { code: "server_is_overloaded", message: "" } } },
		"serverOverloaded",
	],
	[
		"a used up quota",
		{ items: [], end: { failed: { code: "insufficient_quota", message: "" } } },
		"usageLimitExceeded",
	],
	["an incomplete response", { items: [], end: { incomplete: { reason: "max_output_tokens" } } }, "other"],
] as const)("retry: %s fails at once", async (_name, response, info) => {
	await using it = await bench(["items" in response ? { ...response, items: [] } : response]);
	expect(await it.run("go")).toMatchObject({ status: "failed", error: { codexErrorInfo: info } });
	expect(it.model.requests).toHaveLength(1);
});

test("retry: a full context sets the usage to the window and fails", async () => {
	const failed = { code: "context_length_exceeded", message: "too long" };
	await using it = await createBench([{ items: [], end: { failed } }], { toml: "[unused]" });
	expect(await it.run("go")).toMatchObject({ error: { codexErrorInfo: "contextWindowExceeded" } });
	expect(it.model.requests).toHaveLength(1);
});

test("retry: nobody listening is waited for without limit, until the interrupt", async () => {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	const pauses: number[] = [];
	const options = {
		toml: "request_max_retries = 0\nstream_max_retries = 0",
		url: `http://127.0.0.1:${port}/v1`,
	};
	await using it = await createBench([], { ...options, clock: createHastyClock(pauses) });
	const running = it.run("go");
	await it.told("error Reconnecting... waiting for network (retry)");
	it.interrupt();
	expect(await running).toMatchObject({ status: "interrupted" });
});
