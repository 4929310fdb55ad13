import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { systemClock } from "#base/clock.ts";
import { createDeferred } from "#base/deferred.ts";
import type { DaemonClient, Transport } from "#client/client.ts";
import { createClient } from "#client/create-client.ts";
import { createUnixTransport } from "#client/transport/unix.ts";
import { createWebSocketTransport } from "#client/transport/websocket-node.ts";
import type { CallContext } from "#daemon/gateway/handler.ts";
import { STREAM } from "#protocol/frame.ts";
import { expectNoLeak } from "#test/support/leak-check.ts";
import { type GatewayFixture, startGateway, TOKEN } from "./gateway-fixture.ts";

const CLIENT = { name: "contract", version: "0", kind: "test" };

const transports: Readonly<Record<string, (fixture: GatewayFixture) => Transport>> = {
	memory: (fixture) => ({
		address: "memory",
		open: (handlers, signal) => fixture.gateway.connectMemory().open(handlers, signal),
	}),
	unix: (fixture) => createUnixTransport({ socketPath: fixture.socketPath, clock: systemClock }),
	websocket: (fixture) =>
		createWebSocketTransport({ url: `ws://127.0.0.1:${fixture.port}/ws`, token: TOKEN, clock: systemClock }),
};

interface Seen {
	snapshots: unknown[];
	events: unknown[];
	errors: AppError[];
}

function listen(client: DaemonClient, topic: string): Seen & Disposable {
	const seen: Seen = { snapshots: [], events: [], errors: [] };
	const subscription = client.subscribe(topic, {
		onSnapshot: (payload) => void seen.snapshots.push(payload),
		onEvent: (payload) => void seen.events.push(payload),
		onError: (error) => void seen.errors.push(error),
	});
	return { ...seen, [Symbol.dispose]: () => subscription[Symbol.dispose]() };
}

describe.each(Object.entries(transports))("client over %s", (_name, open) => {
	let fixture: GatewayFixture;
	let renames = 0;
	let hang = createDeferred<AbortSignal>();
	const leak = expectNoLeak();

	beforeAll(async () => {
		fixture = await startGateway({
			"daemon.status": (_params: never, { caller }: CallContext) => ({
				label: caller.label,
				transport: caller.transport,
			}),
			"weave.session.create": ({ name }: { name: string }) => {
				renames += 1;
				return { session: { name, count: renames } };
			},
			"weave.session.list": async (_params: never, { signal }: CallContext) => {
				hang.resolve(signal);
				await new Promise((_resolve, reject) =>
					signal.addEventListener("abort", () => reject(signal.reason as Error)),
				);
			},
			"terminal.session.attach": (_params: never, { connection }: CallContext) => {
				const channel = connection?.openChannel();
				if (!channel) throw new AppError("PROTOCOL_OUT_OF_ORDER");
				channel.onFrame(({ offset, payload }) =>
					channel.send({ stream: STREAM.output, flags: 0, offset, payload }),
				);
				return { channel: channel.id };
			},
		});
	});
	afterAll(async () => {
		await fixture[Symbol.asyncDispose]();
		await leak();
	});

	function connect(): DaemonClient {
		return createClient({ transport: open(fixture), client: CLIENT, clock: systemClock, random: () => 0 });
	}

	test("client: says who serves it when it is ready", async () => {
		await using client = connect();
		const hello = await client.ready();
		expect(hello).toMatchObject({
			protocol: 1,
			identity: "local",
			role: "owner",
			server: { epoch: expect.stringMatching(/^epoch-/) },
		});
		expect(await client.callRaw("daemon.status", {})).toMatchObject({ label: "test (contract)" });
	});

	test("client: gets coded errors when a call is refused", async () => {
		await using client = connect();
		await expect(client.callRaw("no.such", {})).rejects.toMatchObject({ code: "METHOD_NOT_FOUND" });
		await expect(client.callRaw("weave.session.create", { name: 1 })).rejects.toMatchObject({
			code: "INVALID_PARAMS",
			data: { issues: [{ path: "name" }] },
		});
		await expect(client.callRaw("chat.list", {})).rejects.toMatchObject({ code: "NOT_FOUND" });
	});

	test("client: runs a change once when a key is repeated, and refuses the key for another", async () => {
		await using client = connect();
		const before = renames;
		const options = { idempotencyKey: `key-${_name}` };
		const [first, second] = await Promise.all([
			client.callRaw("weave.session.create", { name: "a" }, options),
			client.callRaw("weave.session.create", { name: "a" }, options),
		]);
		expect(second).toEqual(first);
		expect(await client.callRaw("weave.session.create", { name: "a" }, options)).toEqual(first);
		expect(renames).toBe(before + 1);
		await expect(client.callRaw("weave.session.create", { name: "b" }, options)).rejects.toMatchObject({
			code: "IDEMPOTENCY_MISMATCH",
		});
	});

	test("client: gets a snapshot, then events, when it subscribes", async () => {
		const provider = fixture.hub.provide("agents.state", () => ({ agents: [] }));
		await using client = connect();
		using seen = listen(client, "agents.state");
		await expect.poll(() => seen.snapshots).toEqual([{ agents: [] }]);
		for (const key of ["a", "b"]) fixture.hub.publish("agents.state", { op: "remove", key });
		await expect
			.poll(() => seen.events)
			.toEqual([
				{ op: "remove", key: "a" },
				{ op: "remove", key: "b" },
			]);
		provider[Symbol.dispose]();
	});

	test("client: is told when a topic does not exist", async () => {
		await using client = connect();
		using seen = listen(client, "nothing.state");
		await expect.poll(() => seen.errors.map(({ code }) => code)).toEqual(["TOPIC_NOT_FOUND"]);
	});

	test("client: carries bytes both ways over a channel", async () => {
		await using client = connect();
		const { channel } = (await client.callRaw("terminal.session.attach", { terminal: "t" })) as {
			channel: number;
		};
		const got: string[] = [];
		client.onFrame(channel, ({ payload }) => void got.push(new TextDecoder().decode(payload)));
		client.sendFrame({
			stream: STREAM.input,
			flags: 0,
			channel,
			offset: 0,
			payload: new TextEncoder().encode("hé"),
		});
		await expect.poll(() => got).toEqual(["hé"]);
	});

	test("client: has its calls aborted at the daemon when it leaves", async () => {
		hang = createDeferred();
		const client = connect();
		const call = client.callRaw("weave.session.list", {});
		call.catch(() => undefined);
		const signal = await hang.promise;
		await client[Symbol.asyncDispose]();
		await expect(call).rejects.toMatchObject({ code: "CANCELLED" });
		await expect.poll(() => signal.aborted).toBe(true);
	});

	test("client: ends a call when its time is over or its signal fires", async () => {
		await using client = connect();
		await client.ready();
		await expect(client.callRaw("weave.session.list", {}, { timeoutMs: 20 })).rejects.toMatchObject({
			code: "TIMEOUT",
		});
		await expect(
			client.callRaw("weave.session.list", {}, { signal: AbortSignal.timeout(20) }),
		).rejects.toMatchObject({ code: "CANCELLED" });
	});

	test("client: comes back, sends again and follows its topics anew when the daemon restarts", async () => {
		await using client = connect();
		await client.ready();
		const states: string[] = [];
		client.onState(({ kind }) => void states.push(kind));
		let agents = 0;
		const first = fixture.hub.provide("agents.state", () => ({ agents: [] }));
		using seen = listen(client, "agents.state");
		await expect.poll(() => seen.snapshots.length).toBe(1);
		const restarting = fixture.restart();
		const call = client.callRaw(
			"weave.session.create",
			{ name: "later" },
			{ idempotencyKey: `restart-${_name}` },
		);
		await restarting;
		fixture.hub.provide("agents.state", () => {
			agents += 1;
			return { agents: [] };
		});
		first[Symbol.dispose]();
		expect(await call).toMatchObject({ session: { name: "later" } });
		await expect.poll(() => seen.snapshots.length).toBeGreaterThan(1);
		expect(agents).toBeGreaterThan(0);
		expect(states).toEqual(expect.arrayContaining(["reconnecting", "connected"]));
	});
});
