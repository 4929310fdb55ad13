import { describe, expect, test } from "vitest";
import { createDeferred } from "#base/deferred.ts";
import { createHub } from "#daemon/gateway/create-hub.ts";
import type { Hub, HubSink } from "#daemon/gateway/hub.ts";

interface Message {
	type: string;
	topic: string;
	epoch: string;
	seq: number;
	skipped?: number;
	payload: unknown;
}

interface TestSink extends HubSink {
	writable: boolean;
	got: Message[];
	closed: number;
	texts: string[];
	wake(): void;
}

function createSink(): TestSink {
	let waiting: (() => void)[] = [];
	const sink: TestSink = {
		writable: true,
		got: [],
		texts: [],
		closed: 0,
		push(text) {
			sink.texts.push(text);
			sink.got.push(JSON.parse(text) as Message);
			return true;
		},
		closeSlow() {
			sink.closed += 1;
		},
		onceWritable(listener) {
			waiting.push(listener);
		},
		wake() {
			sink.writable = true;
			const listeners = waiting;
			waiting = [];
			for (const listener of listeners) listener();
		},
	};
	return sink;
}

/** A hub whose ticks end when the test says so. */
function createTestHub(bounds: { maxBytes?: number; maxLength?: number } = {}): { hub: Hub; tick(): void } {
	const ticks: (() => void)[] = [];
	const hub = createHub({ epoch: "e", schedule: (flush) => void ticks.push(flush), ...bounds });
	return {
		hub,
		tick() {
			for (const flush of ticks.splice(0)) flush();
		},
	};
}

const put = (key: string, n: number) => ({ op: "put", key, value: { n } }) as never;
const brief = (messages: readonly Message[]) =>
	messages.map(({ type, seq, skipped }) => `${type[0]}${seq}${skipped === undefined ? "" : `+${skipped}`}`);

describe("hub", () => {
	test("hub: numbers without gaps and gives a snapshot first when somebody subscribes late", async () => {
		const { hub, tick } = createTestHub();
		const sink = createSink();
		hub.provide("agents.state", () => ({ agents: [] }));
		hub.publish("agents.state", put("a", 1));
		await hub.subscribe(sink, "agents.state");
		hub.publish("agents.state", put("a", 2));
		hub.publish("agents.state", put("b", 3));
		tick();
		expect(brief(sink.got)).toEqual(["s1", "e2", "e3"]);
		expect(sink.got[0]).toEqual({
			type: "snapshot",
			topic: "agents.state",
			epoch: "e",
			seq: 1,
			payload: { agents: [] },
		});
	});

	test("hub: hands every subscriber the same encoded text, once per tick", async () => {
		const { hub, tick } = createTestHub();
		hub.provide("agents.state", () => ({ agents: [] }));
		const sinks = [createSink(), createSink()];
		for (const sink of sinks) await hub.subscribe(sink, "agents.state");
		tick();
		hub.publish("agents.state", put("a", 1));
		expect(sinks.map((sink) => sink.got.length)).toEqual([1, 1]);
		tick();
		expect(sinks[0]?.texts[1]).toBe(sinks[1]?.texts[1]);
	});

	test("hub: keeps topics of different parameters apart, each with its own count", async () => {
		const { hub, tick } = createTestHub();
		const asked: string[] = [];
		hub.provide("sessions.activity", (parameter) => {
			asked.push(parameter);
			return { messages: [] };
		});
		const sink = createSink();
		await hub.subscribe(sink, "sessions.activity:one");
		hub.publish("sessions.activity", { message: {} } as never, { parameter: "two" });
		hub.publish("sessions.activity", { message: {} } as never, { parameter: "one" });
		tick();
		expect(asked).toEqual(["one"]);
		expect(sink.got.map(({ topic, seq }) => `${topic} ${seq}`)).toEqual([
			"sessions.activity:one 0",
			"sessions.activity:one 1",
		]);
	});

	test("hub: says again what came to a state topic while its snapshot was made", async () => {
		const { hub, tick } = createTestHub();
		const sink = createSink();
		const made = createDeferred<{ agents: [] }>();
		hub.provide("agents.state", () => made.promise);
		const subscribing = hub.subscribe(sink, "agents.state");
		hub.publish("agents.state", put("a", 1));
		made.resolve({ agents: [] });
		await subscribing;
		hub.publish("agents.state", put("a", 2));
		tick();
		expect(brief(sink.got)).toEqual(["s0", "e1", "e2"]);
	});

	test("hub: repeats nothing of an activity topic that its snapshot holds", async () => {
		const { hub, tick } = createTestHub();
		const sink = createSink();
		const made = createDeferred<{ messages: [] }>();
		hub.provide("sessions.activity", () => made.promise);
		const subscribing = hub.subscribe(sink, "sessions.activity:s");
		hub.publish("sessions.activity", { message: {} } as never, { parameter: "s" });
		made.resolve({ messages: [] });
		await subscribing;
		hub.publish("sessions.activity", { message: {} } as never, { parameter: "s" });
		tick();
		expect(brief(sink.got)).toEqual(["s1", "e2"]);
	});

	test("hub: gives a slow subscriber the newest per row of a state topic and says how many it left out", async () => {
		const { hub, tick } = createTestHub();
		const sink = createSink();
		hub.provide("agents.state", () => ({ agents: [] }));
		await hub.subscribe(sink, "agents.state");
		tick();
		sink.writable = false;
		for (let n = 1; n <= 3; n += 1) {
			hub.publish("agents.state", put("a", n));
			hub.publish("agents.state", put("b", n));
			tick();
		}
		expect(sink.got.length).toBe(1);
		sink.wake();
		tick();
		expect(brief(sink.got)).toEqual(["s0", "e5+4", "e6"]);
		expect(sink.got.at(-1)?.payload).toEqual(put("b", 3));
		hub.publish("agents.state", put("a", 4));
		tick();
		expect(brief(sink.got).at(-1)).toBe("e7");
	});

	test("hub: skips nothing of an activity topic, and closes the subscriber when it is over its bound", async () => {
		const { hub, tick } = createTestHub({ maxLength: 3 });
		const sink = createSink();
		hub.provide("sessions.activity", () => ({ messages: [] }));
		await hub.subscribe(sink, "sessions.activity:s");
		tick();
		sink.writable = false;
		for (let n = 0; n < 3; n += 1)
			hub.publish("sessions.activity", { message: { n } } as never, { parameter: "s" });
		tick();
		expect(sink.closed).toBe(0);
		hub.publish("sessions.activity", { message: { n: 3 } } as never, { parameter: "s" });
		tick();
		expect(sink.closed).toBe(1);
		expect(hub.counts).toEqual({ subscribers: 0, topics: 0 });
	});

	test("hub: closes a subscriber that is over its bound in bytes, and one whose link refuses", async () => {
		const { hub, tick } = createTestHub({ maxBytes: 500 });
		const [fat, full, well] = [createSink(), createSink(), createSink()];
		hub.provide("sessions.activity", () => ({ messages: [] }));
		for (const sink of [fat, full, well]) await hub.subscribe(sink, "sessions.activity:s");
		tick();
		full.push = () => false;
		hub.publish("sessions.activity", { message: {} } as never, { parameter: "s" });
		tick();
		expect(full.closed).toBe(1);
		fat.writable = false;
		hub.publish("sessions.activity", { message: { text: "x".repeat(300) } } as never, { parameter: "s" });
		tick();
		hub.publish("sessions.activity", { message: { text: "x".repeat(300) } } as never, { parameter: "s" });
		tick();
		expect(fat.closed).toBe(1);
		expect([well.closed, well.got.length]).toEqual([0, 4]);
	});

	test("hub: refuses unknown topics and forgets names that turn out not to exist", async () => {
		const { hub } = createTestHub();
		const sink = createSink();
		hub.provide("sessions.activity", () => Promise.reject(new Error("no such session")));
		await expect(hub.subscribe(sink, "nothing")).rejects.toMatchObject({ code: "TOPIC_NOT_FOUND" });
		await expect(hub.subscribe(sink, "sessions.activity")).rejects.toMatchObject({ code: "TOPIC_NOT_FOUND" });
		await expect(hub.subscribe(sink, "agents.state:x")).rejects.toMatchObject({ code: "TOPIC_NOT_FOUND" });
		await expect(hub.subscribe(sink, "chats.state")).rejects.toMatchObject({ code: "TOPIC_NOT_FOUND" });
		await expect(hub.subscribe(sink, "sessions.activity:s")).rejects.toMatchObject({ code: "INTERNAL" });
		expect(hub.counts.topics).toBe(0);
		expect(() => hub.provide("sessions.activity", () => ({ messages: [] }))).toThrow(
			"two snapshot providers",
		);
	});

	test("hub: keeps the order of what was published to several topics in one tick", async () => {
		const { hub, tick } = createTestHub();
		const [both, one] = [createSink(), createSink()];
		hub.provide("sessions.activity", () => ({ messages: [] }));
		hub.provide("agents.state", () => ({ agents: [] }));
		for (const topic of ["sessions.activity:s", "agents.state"]) await hub.subscribe(both, topic);
		await hub.subscribe(one, "sessions.activity:s");
		tick();
		const say = (n: number): void =>
			hub.publish("sessions.activity", { message: { n } } as never, { parameter: "s" });
		say(1);
		say(2);
		hub.publish("agents.state", put("a", 1));
		say(3);
		tick();
		expect(both.got.slice(2).map(({ topic, seq }) => `${topic} ${seq}`)).toEqual([
			"sessions.activity:s 1",
			"sessions.activity:s 2",
			"agents.state 1",
			"sessions.activity:s 3",
		]);
		expect(brief(one.got)).toEqual(["s0", "e1", "e2", "e3"]);
	});

	test("hub: gives who comes or goes within a tick exactly what was published while it was there", async () => {
		const { hub, tick } = createTestHub();
		const [first, late] = [createSink(), createSink()];
		hub.provide("sessions.activity", () => ({ messages: [] }));
		const say = (n: number): void =>
			hub.publish("sessions.activity", { message: { n } } as never, { parameter: "s" });
		await hub.subscribe(first, "sessions.activity:s");
		say(1);
		await hub.subscribe(late, "sessions.activity:s");
		say(2);
		hub.unsubscribe(first, "sessions.activity:s");
		say(3);
		tick();
		expect(brief(first.got)).toEqual(["s0", "e1", "e2"]);
		expect(brief(late.got)).toEqual(["s1", "e2", "e3"]);
	});

	test("hub: never changes what it shares among subscribers when one of them lags", async () => {
		const { hub, tick } = createTestHub();
		const [quick, slow] = [createSink(), createSink()];
		hub.provide("agents.state", () => ({ agents: [] }));
		for (const sink of [quick, slow]) await hub.subscribe(sink, "agents.state");
		tick();
		slow.writable = false;
		for (let n = 1; n <= 4; n += 1) hub.publish("agents.state", put("a", n));
		tick();
		hub.publish("agents.state", put("a", 5));
		tick();
		slow.wake();
		tick();
		expect(brief(quick.got)).toEqual(["s0", "e1", "e2", "e3", "e4", "e5"]);
		expect(brief(slow.got)).toEqual(["s0", "e5+4"]);
	});

	test("hub: sends nothing more after an unsubscribe, also when its snapshot is still being made", async () => {
		const { hub, tick } = createTestHub();
		const sink = createSink();
		const made = createDeferred<{ agents: [] }>();
		hub.provide("agents.state", () => made.promise);
		const subscribing = hub.subscribe(sink, "agents.state");
		hub.unsubscribe(sink, "agents.state");
		made.resolve({ agents: [] });
		await subscribing;
		hub.publish("agents.state", put("a", 1));
		tick();
		expect(sink.got).toEqual([]);
	});
});
