import { createConnection, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createDeferred } from "#base/deferred.ts";
import { connectLocal } from "#client/node/connect-local.ts";
import { createGateway } from "#daemon/gateway/create-gateway.ts";
import { createHub } from "#daemon/gateway/create-hub.ts";
import type { CallContext } from "#daemon/gateway/handler.ts";
import { REALTIME_OFFENCES_MAX } from "#daemon/gateway/realtime.ts";
import { metaSet } from "#daemon/storage/repository/meta.ts";
import { LIMITS } from "#protocol/limits.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";
import { createMemoryLogger } from "#test/support/logger.ts";
import { completeHandlers, startGateway, TOKEN } from "./gateway-fixture.ts";

type Message = Record<string, unknown>;

interface Raw extends Disposable {
	send(message: unknown): void;
	readonly got: Message[];
	readonly closed: Promise<{ code: number }>;
	readonly tcp: Socket;
}

async function dial(socketPath: string, path: string): Promise<Raw> {
	const tcp = createConnection(socketPath);
	const socket = new WebSocket(`ws://localhost${path}`, {
		createConnection: () => tcp,
		perMessageDeflate: false,
	});
	const got: Message[] = [];
	const closed = createDeferred<{ code: number }>();
	socket.on("message", (data) => void got.push(JSON.parse(String(data)) as Message));
	socket.on("close", (code) => closed.resolve({ code }));
	await new Promise((resolve, reject) => {
		socket.once("open", resolve);
		socket.on("error", reject);
	});
	return {
		send: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
		got,
		closed: closed.promise,
		tcp,
		[Symbol.dispose]: () => socket.terminate(),
	};
}

const HELLO = {
	type: "hello",
	protocol: { min: 0, max: 5 },
	client: { name: "raw", version: "0", kind: "test" },
};

describe("gateway: connection", () => {
	test("gateway: picks the highest common version and names services and limits", async () => {
		await using fixture = await startGateway({}, { web: false });
		using raw = await dial(fixture.socketPath, "/ws");
		raw.send(HELLO);
		await expect
			.poll(() => raw.got[0])
			.toMatchObject({
				type: "hello",
				protocol: 1,
				limits: { ...LIMITS },
				services: expect.arrayContaining([
					{ name: "events", version: "1", features: ["subscribe", "unsubscribe"] },
				]),
			});
		raw.send(HELLO);
		await expect
			.poll(() => raw.got[1])
			.toMatchObject({ type: "error", error: { name: "PROTOCOL_OUT_OF_ORDER" } });
	});

	test("gateway: runs requests side by side and answers BUSY over the limit", async () => {
		const gate = createDeferred<object>();
		await using fixture = await startGateway(
			{ "weave.session.list": () => gate.promise, "daemon.status": () => ({}) },
			{ web: false },
		);
		using raw = await dial(fixture.socketPath, "/ws");
		raw.send(HELLO);
		for (let id = 0; id <= LIMITS.concurrent_requests; id += 1)
			raw.send({ type: "request", id, method: "weave.session.list" });
		await expect
			.poll(() => raw.got.at(-1))
			.toMatchObject({
				type: "response",
				id: LIMITS.concurrent_requests,
				error: { name: "BUSY", retryable: true },
			});
		gate.resolve({});
		await expect.poll(() => raw.got.length).toBe(LIMITS.concurrent_requests + 2);
		expect(raw.got.filter((message) => "result" in message).length).toBe(LIMITS.concurrent_requests);
	});

	test("gateway: closes a client that does not read with 1013, and the others hear everything", async () => {
		await using fixture = await startGateway({}, { web: false });
		fixture.hub.provide("sessions.activity", () => ({ messages: [] }));
		const topics = ["sessions.activity:s"];
		using slow = await dial(fixture.socketPath, "/api/realtime");
		using well = await dial(fixture.socketPath, "/api/realtime");
		for (const raw of [slow, well]) {
			raw.send({ type: "subscribe", topics });
			await expect.poll(() => raw.got.length).toBe(1);
		}
		slow.tcp.pause();
		const text = "x".repeat(64 * 1024);
		const rounds = (LIMITS.buffered_bytes * 2) / text.length;
		for (let n = 1; n <= rounds; n += 1) {
			fixture.hub.publish("sessions.activity", { message: { text } } as never, { parameter: "s" });
			await expect.poll(() => well.got.length, { interval: 1 }).toBe(n + 1);
		}
		expect(fixture.gateway.connections).toBeLessThanOrEqual(2);
		slow.tcp.resume();
		expect((await slow.closed).code).toBe(1013);
		expect(well.got.map((message) => message["seq"])).toEqual(
			Array.from({ length: rounds + 1 }, (_, n) => n),
		);
	});

	test("gateway: speaks the events-only codec, answers what is broken, and closes who keeps on", async () => {
		await using fixture = await startGateway({}, { web: false });
		fixture.hub.provide("agents.state", () => ({ agents: [] }));
		using raw = await dial(fixture.socketPath, "/api/realtime");
		raw.send({ type: "ping" });
		raw.send({ type: "subscribe", topics: ["agents.state", "none.state"] });
		await expect.poll(() => raw.got.length).toBe(3);
		expect(raw.got[0]).toEqual({ type: "pong" });
		expect(raw.got).toContainEqual({
			type: "snapshot",
			topic: "agents.state",
			epoch: "epoch-1",
			seq: 0,
			payload: { agents: [] },
		});
		expect(raw.got).toContainEqual({
			type: "error",
			topic: "none.state",
			message: expect.stringContaining("TOPIC_NOT_FOUND"),
		});
		fixture.hub.publish("agents.state", { op: "remove", key: "a" });
		await expect
			.poll(() => raw.got.at(-1))
			.toEqual({
				type: "event",
				topic: "agents.state",
				epoch: "epoch-1",
				seq: 1,
				payload: { op: "remove", key: "a" },
			});
		raw.send({ type: "unsubscribe", topics: ["agents.state"] });
		raw.send({ type: "ping" });
		await expect.poll(() => raw.got.at(-1)).toEqual({ type: "pong" });
		fixture.hub.publish("agents.state", { op: "remove", key: "b" });
		for (let n = 0; n < REALTIME_OFFENCES_MAX; n += 1) raw.send("nonsense");
		expect((await raw.closed).code).toBe(1008);
		expect(raw.got.filter((message) => message["type"] === "error").length).toBe(REALTIME_OFFENCES_MAX + 1);
		expect(raw.got.filter((message) => message["type"] === "event").length).toBe(1);
	});

	test("gateway: rejects a client that is silent, by its clock, and closes one that answers no ping", async () => {
		await using fixture = await startGateway({}, { web: false });
		const clock = createFakeClock();
		const gateway = await createGateway({
			paths: { daemonSocket: `${fixture.socketPath}2` },
			port: undefined,
			web: false,
			token: TOKEN,
			epoch: "e",
			handlers: completeHandlers({}),
			hub: createHub({ epoch: "e" }),
			store: fixture.store,
			telemetry: {
				count: () => undefined,
				observe: () => undefined,
				gauge: () => ({ [Symbol.dispose]: () => undefined }),
				trace: () => undefined,
			},
			renderMetrics: () => "",
			logger: createMemoryLogger(),
			clock,
			isReady: () => true,
		});
		using silent = await dial(`${fixture.socketPath}2`, "/ws");
		await expect.poll(() => gateway.connections).toBe(1);
		clock.advance(5_000);
		expect((await silent.closed).code).toBe(4001);
		expect(silent.got[0]).toMatchObject({ type: "reject", code: "TIMEOUT" });
		using deaf = await dial(`${fixture.socketPath}2`, "/api/realtime");
		await expect.poll(() => gateway.connections).toBe(1);
		deaf.tcp.pause();
		clock.advance(45_000);
		deaf.tcp.resume();
		expect((await deaf.closed).code).toBe(4000);
		await gateway[Symbol.asyncDispose]();
		await expect.poll(() => clock.pending).toBe(0);
	});
});

describe("gateway: idempotency", () => {
	test("gateway: returns the first result after a restart, whether the handler or the gateway stored it", async () => {
		let runs = 0;
		await using fixture = await startGateway(
			(store) => ({
				"weave.session.create": async ({ name }: { name: string }, { idempotency }: CallContext) => {
					runs += 1;
					await store.write(metaSet, { key: name, value: "x" }, { idempotency });
					return undefined;
				},
				"weave.session.close": () => {
					runs += 1;
					return { run: runs };
				},
			}),
			{ web: false },
		);
		const connect = () => connectLocal({ daemonSocket: fixture.socketPath }, { kind: "test" });
		const ask = async () => {
			await using client = connect();
			await client.callRaw("weave.session.create", { name: "a" }, { idempotencyKey: "one" });
			return await client.callRaw("weave.session.close", { session: "s" }, { idempotencyKey: "two" });
		};
		const first = await ask();
		expect(first).toEqual({ run: 2 });
		await fixture.restart();
		expect(await ask()).toEqual(first);
		expect(runs).toBe(2);
	});

	test("gateway: runs a keyed call again for its second caller when the first has left", async () => {
		const started: AbortSignal[] = [];
		const entered = createDeferred<undefined>();
		const finish = createDeferred<undefined>();
		await using fixture = await startGateway(
			{
				"weave.session.create": async (_params: never, { signal }: CallContext) => {
					started.push(signal);
					entered.resolve(undefined);
					await Promise.race([
						finish.promise,
						new Promise((_resolve, reject) =>
							signal.addEventListener("abort", () => reject(new Error("gone"))),
						),
					]);
					return { session: { session_id: "s" } };
				},
			},
			{ web: false },
		);
		const paths = { daemonSocket: fixture.socketPath };
		const leaving = connectLocal(paths, { kind: "test" });
		await using staying = connectLocal(paths, { kind: "test" });
		const options = { idempotencyKey: "shared" };
		leaving.callRaw("weave.session.create", { name: "a" }, options).catch(() => undefined);
		await entered.promise;
		const call = staying.callRaw("weave.session.create", { name: "a" }, options);
		await expect.poll(() => fixture.gateway.inFlight).toBe(2);
		await leaving[Symbol.asyncDispose]();
		await expect.poll(() => started.length).toBe(2);
		finish.resolve(undefined);
		expect(await call).toEqual({ session: { session_id: "s" } });
		expect(started[0]?.aborted).toBe(true);
	});
});
