import { describe, expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import type { Transport, TransportHandlers } from "#client/client.ts";
import { createClient } from "#client/create-client.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";

interface Said {
	type: string;
	id?: string;
	method?: string;
	params?: { topics?: string[] };
	idempotency_key?: string;
}

/** One link as the daemon sees it. */
interface FarEnd {
	said: Said[];
	handlers: TransportHandlers;
	say(message: unknown): void;
	drop(code?: number): void;
}

const HELLO = {
	type: "hello",
	protocol: 1,
	server: { name: "d", version: "0", epoch: "e" },
	identity: "local",
	role: "owner",
	scopes: [],
	services: [],
	limits: {},
};

function createFarSide(): { transport: Transport; links: FarEnd[]; refuse: AppError | undefined } {
	const side: { transport: Transport; links: FarEnd[]; refuse: AppError | undefined } = {
		links: [],
		refuse: undefined,
		transport: {
			address: "far",
			async open(handlers) {
				if (side.refuse) throw side.refuse;
				let closed = false;
				function drop(code = 1006): void {
					if (closed) return;
					closed = true;
					handlers.onClose({ code, reason: "" });
				}
				const end: FarEnd = {
					said: [],
					handlers,
					say: (message) => handlers.onText(JSON.stringify(message)),
					drop,
				};
				side.links.push(end);
				return {
					sendText: (text) => void end.said.push(JSON.parse(text) as Said),
					sendBinary: () => undefined,
					bufferedBytes: 0,
					close: () => drop(1000),
				};
			},
		},
	};
	return side;
}

async function settle(): Promise<void> {
	for (let n = 0; n < 10; n += 1) await Promise.resolve();
}

function setUp(options: { failFast?: boolean; refuse?: AppError } = {}) {
	const clock = createFakeClock();
	const far = createFarSide();
	far.refuse = options.refuse;
	const client = createClient({
		transport: far.transport,
		client: { name: "t", version: "0", kind: "test" },
		clock,
		random: () => 0,
		failFast: options.failFast ?? false,
	});
	async function greet(): Promise<FarEnd> {
		await settle();
		const link = far.links.at(-1);
		if (!link) throw new Error("no link");
		link.say(HELLO);
		await settle();
		return link;
	}
	return { clock, far, client, greet };
}

const requests = (link: FarEnd) => link.said.filter(({ type }) => type === "request");

describe("client", () => {
	test("client: says hello first and keeps calls until it is greeted", async () => {
		const { client, far, greet } = setUp();
		const call = client.callRaw("a.b", { x: 1 });
		await settle();
		expect(far.links[0]?.said).toEqual([
			{ type: "hello", protocol: { min: 1, max: 1 }, client: { name: "t", version: "0", kind: "test" } },
		]);
		const link = await greet();
		expect(requests(link)).toMatchObject([
			{ method: "a.b", params: { x: 1 }, idempotency_key: expect.any(String) },
		]);
		link.say({ type: "response", id: requests(link)[0]?.id, result: 7 });
		expect(await call).toBe(7);
		await client[Symbol.asyncDispose]();
	});

	test("client: sends unanswered calls again with the same key when the link was lost", async () => {
		const { client, clock, greet } = setUp();
		const first = await greet();
		const call = client.callRaw("a.b", {});
		first.drop();
		expect(client.state).toMatchObject({ kind: "reconnecting", attempt: 1 });
		clock.advance(50);
		const second = await greet();
		expect(requests(second)).toEqual(requests(first));
		second.say({
			type: "response",
			id: requests(second)[0]?.id,
			error: { code: 1, name: "BUSY", message: "later", retryable: true },
		});
		await expect(call).rejects.toMatchObject({ code: "BUSY", message: "later" });
		await client[Symbol.asyncDispose]();
	});

	test("client: sends a call once when it is made at the very moment of the hello", async () => {
		const { client, far, greet } = setUp();
		client.onState(({ kind }) => {
			if (kind === "connected") client.callRaw("a.b", {}).catch(() => undefined);
		});
		const link = await greet();
		expect(requests(link).length).toBe(1);
		expect(far.links.length).toBe(1);
		await client[Symbol.asyncDispose]();
	});

	test("client: waits longer at each attempt, up to five seconds, and starts anew after a hello", async () => {
		const { client, clock, far, greet } = setUp({ refuse: new AppError("DAEMON_UNAVAILABLE") });
		const waits: number[] = [];
		for (let n = 0; n < 8; n += 1) {
			await settle();
			if (client.state.kind !== "reconnecting") throw new Error(client.state.kind);
			waits.push(client.state.retryAtMs - clock.nowMs());
			clock.advance(client.state.retryAtMs - clock.nowMs());
		}
		expect(waits).toEqual([50, 100, 200, 400, 800, 1600, 2500, 2500]);
		await settle();
		far.refuse = undefined;
		clock.advance(2500);
		const link = await greet();
		link.drop();
		expect(client.state).toMatchObject({ kind: "reconnecting", attempt: 1 });
		await client[Symbol.asyncDispose]();
		expect(clock.pending).toBe(0);
	});

	test.each(["AUTH_REQUIRED", "AUTH_ORIGIN", "PROTOCOL_VERSION"] as const)(
		"client: stops for good on %s",
		async (code) => {
			const { client, clock, greet } = setUp();
			const call = client.callRaw("a.b", {});
			call.catch(() => undefined);
			const link = await greet();
			link.say({ type: "reject", code, reason: "no" });
			expect(client.state).toMatchObject({ kind: "refused", error: { code } });
			await expect(call).rejects.toMatchObject({ code });
			await expect(client.callRaw("a.b", {})).rejects.toMatchObject({ code });
			await expect(client.ready()).rejects.toMatchObject({ code });
			expect(clock.pending).toBe(0);
		},
	);

	test("client: gives up at the first attempt when it was told to, and only then", async () => {
		const unavailable = new AppError("DAEMON_UNAVAILABLE");
		const { client } = setUp({ failFast: true, refuse: unavailable });
		await expect(client.ready()).rejects.toMatchObject({ code: "DAEMON_UNAVAILABLE" });
		const later = setUp({ failFast: true });
		(await later.greet()).drop();
		expect(later.client.state.kind).toBe("reconnecting");
		await later.client[Symbol.asyncDispose]();
	});

	test("client: with failFast, gives a daemon that went away five seconds, then says that the outcome is unknown", async () => {
		const { client, clock, greet, far } = setUp({ failFast: true });
		const link = await greet();
		const sent = client.callRaw("a.b", {}, { idempotencyKey: "k1" });
		far.refuse = new AppError("DAEMON_UNAVAILABLE");
		link.drop();
		const unsent = client.callRaw("c.d", {});
		for (const call of [sent, unsent]) call.catch(() => undefined);
		for (let waited = 0; waited < 4_900; waited += 100) {
			clock.advance(100);
			await settle();
		}
		expect(client.state.kind).toBe("reconnecting");
		clock.advance(100);
		await expect(sent).rejects.toMatchObject({
			code: "DAEMON_UNAVAILABLE",
			message: expect.stringContaining("unknown"),
			data: { method: "a.b", outcome: "unknown", idempotency_key: "k1" },
		});
		await expect(unsent).rejects.toMatchObject({ code: "DAEMON_UNAVAILABLE", data: undefined });
		expect(client.state.kind).toBe("refused");
		expect(clock.pending).toBe(0);
	});

	test("client: with failFast, goes on when the daemon is back in time, and may lose it again later", async () => {
		const { client, clock, greet, far } = setUp({ failFast: true });
		const first = await greet();
		const call = client.callRaw("a.b", {});
		far.refuse = new AppError("DAEMON_UNAVAILABLE");
		first.drop();
		clock.advance(4_000);
		await settle();
		far.refuse = undefined;
		clock.advance(900);
		const second = await greet();
		expect(requests(second)).toEqual(requests(first));
		second.say({ type: "response", id: requests(second)[0]?.id, result: 1 });
		expect(await call).toBe(1);
		clock.advance(10_000);
		second.drop();
		clock.advance(4_000);
		await greet();
		expect(client.state.kind).toBe("connected");
		await client[Symbol.asyncDispose]();
	});

	test("client: without failFast, tries for ever", async () => {
		const { client, clock, greet, far } = setUp();
		const link = await greet();
		far.refuse = new AppError("DAEMON_UNAVAILABLE");
		link.drop();
		for (let waited = 0; waited < 600; waited += 1) {
			clock.advance(1_000);
			await settle();
		}
		expect(client.state.kind).toBe("reconnecting");
		far.refuse = undefined;
		clock.advance(5_000);
		await greet();
		expect(client.state.kind).toBe("connected");
		await client[Symbol.asyncDispose]();
	});

	test("client: tells a call that ran out of time whether it was sent", async () => {
		const { client, clock, greet, far } = setUp({ refuse: new AppError("DAEMON_UNAVAILABLE") });
		const unsent = client.callRaw("a.b", {}, { timeoutMs: 10 });
		unsent.catch(() => undefined);
		await settle();
		clock.advance(10);
		await expect(unsent).rejects.toMatchObject({ code: "DAEMON_UNAVAILABLE" });
		far.refuse = undefined;
		clock.advance(100);
		await greet();
		const sent = client.callRaw("a.b", {}, { timeoutMs: 10 });
		clock.advance(10);
		await expect(sent).rejects.toMatchObject({ code: "TIMEOUT" });
		await client[Symbol.asyncDispose]();
	});

	test("client: asks anew when a number is missing, and hands out nothing until the snapshot", async () => {
		const { client, greet } = setUp();
		const link = await greet();
		const seen: string[] = [];
		client.subscribe("t", {
			onSnapshot: (payload) => void seen.push(`s${payload}`),
			onEvent: (payload) => void seen.push(`e${payload}`),
		});
		const hub = (type: string, seq: number, more = {}) =>
			link.say({ type, topic: "t", epoch: "e", seq, payload: seq, ...more });
		hub("event", 3);
		hub("snapshot", 4);
		hub("event", 4);
		hub("event", 5);
		hub("event", 8, { skipped: 2 });
		expect(requests(link).length).toBe(1);
		hub("event", 10);
		expect(requests(link).length).toBe(2);
		hub("event", 11);
		hub("snapshot", 11);
		hub("event", 12);
		link.say({ type: "event", topic: "t", epoch: "other", seq: 13, payload: 13 });
		expect(requests(link).length).toBe(3);
		expect(seen).toEqual(["s4", "e5", "e8", "s11", "e12"]);
		await client[Symbol.asyncDispose]();
	});

	test("client: shares one subscription among listeners and ends it with the last", async () => {
		const { client, greet } = setUp();
		const link = await greet();
		const handlers = { onSnapshot: () => undefined, onEvent: () => undefined };
		const [one, two] = [client.subscribe("t", handlers), client.subscribe("t", handlers)];
		one[Symbol.dispose]();
		expect(requests(link).map(({ method }) => method)).toEqual(["events.subscribe", "events.subscribe"]);
		two[Symbol.dispose]();
		two[Symbol.dispose]();
		expect(requests(link).at(-1)).toMatchObject({ method: "events.unsubscribe", params: { topics: ["t"] } });
		await client[Symbol.asyncDispose]();
	});

	test("client: drops a link that says no hello in time", async () => {
		const { client, clock, far } = setUp();
		await settle();
		expect(far.links.length).toBe(1);
		clock.advance(10_000);
		expect(client.state).toMatchObject({ kind: "reconnecting", error: { code: "TIMEOUT" } });
		await client[Symbol.asyncDispose]();
	});
});
