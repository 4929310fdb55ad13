import { describe, expect, test } from "vitest";
import { createHub } from "#daemon/gateway/create-hub.ts";
import { createDispatcher, type Dispatcher } from "#daemon/gateway/dispatch.ts";
import { createGate } from "#daemon/gateway/gate.ts";
import type { CallContext, Caller } from "#daemon/gateway/handler.ts";
import { createOutlet } from "#daemon/gateway/outlet.ts";
import type { ServerLink } from "#daemon/gateway/server-link.ts";
import { createTopicSet } from "#daemon/gateway/topic-set.ts";
import type { Grant } from "#daemon/policy/grant.ts";
import type { Telemetry } from "#daemon/telemetry/port.ts";
import { METHODS } from "#protocol/service/index.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";
import { createMemoryLogger } from "#test/support/logger.ts";
import { openTestStore } from "#test/support/store.ts";

const telemetry: Telemetry = {
	count: () => undefined,
	observe: () => undefined,
	gauge: () => ({ [Symbol.dispose]: () => undefined }),
	trace: () => undefined,
};

function callerWith(grants: readonly Grant[]): Caller {
	return { identity: "device-1", role: "device", grants, clientId: "c", label: "phone", transport: "tcp" };
}

function send(dispatcher: Dispatcher, caller: Caller, method: string, params: unknown): Promise<unknown> {
	return dispatcher.dispatch({
		method,
		params,
		idempotencyKey: undefined,
		caller,
		signal: new AbortController().signal,
		connection: undefined,
	});
}

async function setUp() {
	const clock = createFakeClock();
	const logger = createMemoryLogger();
	const gate = createGate({ clock, logger });
	const store = await openTestStore();
	const handlers = Object.fromEntries(
		METHODS.map(({ name }) => [
			name,
			(_params: unknown, context: CallContext) => ({
				writes: context.allows("terminal.write", "terminal:t1"),
			}),
		]),
	) as never;
	const dispatcher = createDispatcher({ handlers, store, telemetry, logger, clock, gate });
	return { clock, logger, gate, dispatcher, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

function createLink(): ServerLink & { texts: string[]; closes: number[] } {
	const link = {
		texts: [] as string[],
		closes: [] as number[],
		writeTexts: (batches: readonly (readonly string[])[]) => void link.texts.push(...batches.flat()),
		writeBinary: () => undefined,
		bufferedBytes: 0,
		writable: true,
		onDrain: undefined,
		close: (code: number) => void link.closes.push(code),
	};
	return link;
}

const denied = { code: "PERMISSION_DENIED" };

describe("grants at the gateway", () => {
	test("grants: open one thread's methods and nothing beside it, until they expire; refusals are logged", async () => {
		await using parts = await setUp();
		const { clock, dispatcher, logger } = parts;
		const caller = callerWith([
			{ scope: "chat.read", resource: "thread:t1", expires_at_ms: clock.nowMs() + 1_000 },
			{ scope: "terminal.read", resource: "terminal:t1", expires_at_ms: null },
		]);
		await expect(send(dispatcher, caller, "chat.thread.read", { thread_id: "t1" })).resolves.toBeDefined();
		await expect(send(dispatcher, caller, "chat.thread.read", { thread_id: "t2" })).rejects.toMatchObject(
			denied,
		);
		await expect(send(dispatcher, caller, "chat.list", {})).rejects.toMatchObject(denied);
		await expect(send(dispatcher, caller, "chat.approval.list", {})).rejects.toMatchObject(denied);
		await expect(send(dispatcher, caller, "chat.approval.list", { thread_id: "t1" })).resolves.toBeDefined();
		await expect(send(dispatcher, caller, "chat.archive", { thread_id: "t1" })).rejects.toMatchObject(denied);
		await expect(send(dispatcher, caller, "daemon.stop", { broken: 1 })).rejects.toMatchObject(denied);
		await expect(send(dispatcher, caller, "terminal.session.preview", { terminal: "t1" })).resolves.toEqual({
			writes: false,
		});
		clock.advance(1_000);
		await expect(send(dispatcher, caller, "chat.thread.read", { thread_id: "t1" })).rejects.toMatchObject(
			denied,
		);
		const audited = logger.lines.filter(({ fields }) => fields["audit"] === true);
		expect(audited).toHaveLength(6);
		expect(audited[0]?.fields).toMatchObject({
			reason: "grant",
			identity: "device-1",
			scope: "chat.read",
			resource: "thread:t2",
			what: "chat.thread.read",
		});
	});

	test("grants: refuse every method of every scope to who holds none", async () => {
		await using parts = await setUp();
		for (const { name } of METHODS)
			await expect(send(parts.dispatcher, callerWith([]), name, {})).rejects.toMatchObject(denied);
		expect(parts.logger.lines.length).toBeLessThan(METHODS.length);
	});

	test("grants: decide topics by the same rule, and a stream ends with the grant it was opened by", async () => {
		await using parts = await setUp();
		const { clock, gate } = parts;
		const hub = createHub({ epoch: "e" });
		hub.provide("sessions.activity", () => ({ messages: [] }));
		hub.provide("sessions.state", () => ({ sessions: [] }));
		const link = createLink();
		const outlet = createOutlet(link);
		const caller = callerWith([
			{ scope: "weave.read", resource: "session:s1", expires_at_ms: clock.nowMs() + 500 },
			{ scope: "weave.read", resource: "session:s2", expires_at_ms: null },
		]);
		const topics = createTopicSet({ hub, gate, clock }, outlet, caller);
		await topics.subscribe("sessions.activity:s1");
		await topics.subscribe("sessions.activity:s2");
		await expect(topics.subscribe("sessions.activity:s3")).rejects.toMatchObject(denied);
		await expect(topics.subscribe("sessions.state")).rejects.toMatchObject(denied);
		expect(hub.counts).toEqual({ subscribers: 1, topics: 2 });
		clock.advance(499);
		expect(link.closes).toEqual([]);
		clock.advance(1);
		expect(link.closes).toEqual([1008]);
		topics.end();
		expect(clock.pending).toBe(0);
	});

	test("grants: that were given up in time close nobody", async () => {
		await using parts = await setUp();
		const { clock, gate } = parts;
		const hub = createHub({ epoch: "e" });
		hub.provide("sessions.activity", () => ({ messages: [] }));
		const link = createLink();
		const caller = callerWith([
			{ scope: "weave.read", resource: "session:s1", expires_at_ms: clock.nowMs() + 500 },
		]);
		const topics = createTopicSet({ hub, gate, clock }, createOutlet(link), caller);
		await topics.subscribe("sessions.activity:s1");
		topics.unsubscribe("sessions.activity:s1");
		clock.advance(1_000);
		expect(link.closes).toEqual([]);
		expect(clock.pending).toBe(0);
	});
});
