import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "#base/app-error.ts";
import { readStreamAfter } from "#daemon/storage/repository/event-log.ts";
import type { WeaveMessage } from "#protocol/record.ts";
import { createScriptedThreads, openTestBus } from "#test/support/bus.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";

const me = { identity: "local", name: "you" };

async function refusal(promise: Promise<unknown>): Promise<AppError> {
	const error: unknown = await promise.then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	if (!(error instanceof AppError)) throw new Error(`expected an AppError, got ${String(error)}`);
	return error;
}

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "bus-test-"));
});
afterEach(async () => {
	await rm(folder, { recursive: true, force: true });
});

describe("bus", () => {
	it("bus: a person's question reaches a thread and its answer the message", async () => {
		await using test = await openTestBus();
		const { bus, threads } = test;
		const threadId = await test.addThread("Tester");
		const message = await bus.send({ to: "tester", text: "run the tests", from: me });
		expect(message).toMatchObject({ state: "accepted", from_name: "you", to_name: "Tester", kind: "user" });
		await test.reaches(message.message_id, "delivered");
		expect(threads.delivered).toEqual([
			{
				thread_id: threadId,
				message_id: message.message_id,
				from_name: "you",
				text: "run the tests",
				kind: "user",
			},
		]);
		threads.endTurn({ message_ids: [message.message_id], final_text: "all green" });
		await test.reaches(message.message_id, "answered");
		expect(bus.readMessage(message.message_id)).toMatchObject({
			state: "answered",
			answer: "all green",
			reason: null,
		});
		const states = test.published
			.filter((one) => one.name === "sessions.activity")
			.map((one) => (one.event as { message: WeaveMessage }).message.state);
		expect(states).toEqual(["accepted", "delivered", "answered"]);
		expect(bus.listMessages({ limit: 10 })).toHaveLength(1);
		expect(bus.listAgents({}).map((agent) => [agent.name, agent.kind])).toEqual([
			["Tester", "thread"],
			["you", "person"],
		]);
	});

	it("bus: a thread that asks gets the answer as a reply, which nobody answers", async () => {
		await using test = await openTestBus();
		const { bus, threads } = test;
		await test.addThread("asker");
		await test.addThread("worker");
		const question = await bus.send({ to: "worker", text: "how many?", from: { agent: "asker" } });
		await test.reaches(question.message_id, "delivered");
		threads.endTurn({ message_ids: [question.message_id], final_text: "three" });
		await test.until(
			() =>
				threads.delivered.length === 2 &&
				bus.listMessages({ agent: "asker", limit: 5 })[0]?.state === "delivered",
		);
		const [reply] = bus.listMessages({ agent: "asker", limit: 5 });
		expect(reply).toMatchObject({
			kind: "reply",
			text: "three",
			from_name: "worker",
			in_reply_to: question.message_id,
		});
		threads.endTurn({ message_ids: [reply?.message_id ?? ""], final_text: "thanks!" });
		await test.reaches(reply?.message_id ?? "", "done");
		threads.endTurn({ message_ids: [question.message_id], final_text: "again" });
		expect(bus.listMessages({ limit: 100 })).toHaveLength(2);
		expect(bus.readMessage(question.message_id).answer).toBe("three");
	});

	it("bus: mail of one target arrives in order, and a blocked target holds nobody else up", async () => {
		await using test = await openTestBus();
		const { bus, threads } = test;
		await test.addThread("slow");
		await test.addThread("fast");
		const gate = Promise.withResolvers<void>();
		threads.onDeliver = async ({ text }) => {
			if (text === "s0") await gate.promise;
		};
		const slow = await Promise.all([0, 1, 2].map((n) => bus.send({ to: "slow", text: `s${n}`, from: me })));
		const fast = await Promise.all([0, 1, 2].map((n) => bus.send({ to: "fast", text: `f${n}`, from: me })));
		await test.reaches(fast[2]?.message_id ?? "", "delivered");
		expect(threads.delivered.map(({ text }) => text)).toEqual(["f0", "f1", "f2"]);
		expect(bus.readMessage(slow[0]?.message_id ?? "").state).toBe("accepted");
		gate.resolve();
		await test.reaches(slow[2]?.message_id ?? "", "delivered");
		expect(threads.delivered.slice(3).map(({ text }) => text)).toEqual(["s0", "s1", "s2"]);
	});

	it("bus: a retried send is the same message, under another text a conflict", async () => {
		await using test = await openTestBus();
		await test.addThread("worker");
		const request = { to: "worker", text: "once", from: me, client_message_id: "c1" };
		const first = await test.bus.send(request);
		expect((await test.bus.send(request)).message_id).toBe(first.message_id);
		expect((await refusal(test.bus.send({ ...request, text: "twice" }))).code).toBe("CONFLICT");
		const claim = { identity: "local", method: "weave.message.send", key: "k", digest: "d" };
		const keyed = await test.bus.send({ to: "worker", text: "keyed", from: me }, claim);
		expect((await test.bus.send({ to: "worker", text: "keyed", from: me }, claim)).message_id).toBe(
			keyed.message_id,
		);
		expect(test.bus.listMessages({ limit: 10 })).toHaveLength(2);
	});

	it("bus: the 1,001st waiting message is refused, and accepted again once mail was taken", async () => {
		await using test = await openTestBus();
		const { bus } = test;
		await test.addThread("worker");
		await bus.joinExternal(
			{ agent_id: "ext", name: "outside" },
			{ deliver: () => new Promise(() => undefined), removed: () => undefined },
		);
		const sent = await Promise.all(
			Array.from({ length: 1_000 }, (_, n) =>
				bus.send({ to: "outside", text: `${n}`, from: { agent: "worker" } }),
			),
		);
		const error = await refusal(bus.send({ to: "outside", text: "over", from: { agent: "worker" } }));
		expect(error).toMatchObject({ code: "MAILBOX_FULL", retryable: true });
		expect(bus.listAgents({}).find((agent) => agent.name === "outside")?.mailbox_length).toBe(1_000);
		await bus.acknowledge({ agent_id: "ext", message_id: sent[0]?.message_id ?? "" });
		expect((await bus.send({ to: "outside", text: "fits", from: { agent: "worker" } })).state).toBe(
			"accepted",
		);
	});

	it("bus: names are unique in a session whatever their case, and a clash proposes a free one", async () => {
		await using test = await openTestBus();
		await test.addThread("Worker");
		await test.addThread("other");
		const error = await refusal(test.bus.renameAgent({ agent: "other", name: "WORKER" }));
		expect(error).toMatchObject({ code: "AGENT_NAME_TAKEN", data: { proposed: "WORKER-2" } });
		expect((await test.bus.renameAgent({ agent: "worker", name: "worker" })).name).toBe("worker");
		expect((await refusal(test.bus.renameAgent({ agent: "other", name: " " }))).code).toBe("INVALID_PARAMS");
		expect((await refusal(test.bus.send({ to: "nobody", text: "x", from: me }))).code).toBe(
			"AGENT_NOT_FOUND",
		);
		expect(
			(await refusal(test.bus.send({ session: "nowhere", to: "other", text: "x", from: me }))).code,
		).toBe("SESSION_NOT_FOUND");
	});

	it("bus: a removed agent's waiting mail fails with the reason", async () => {
		await using test = await openTestBus();
		const { bus } = test;
		await test.addThread("sender");
		let removed: string | undefined;
		await bus.joinExternal(
			{ agent_id: "ext", name: "outside" },
			{
				deliver: async () => undefined,
				removed: (reason) => {
					removed = reason;
				},
			},
		);
		const message = await bus.send({ to: "outside", text: "hello", from: { agent: "sender" } });
		await bus.removeAgent({ agent: "outside" });
		expect(bus.readMessage(message.message_id)).toMatchObject({ state: "failed", reason: "agent_left" });
		expect(removed).toBe("agent_left");
	});

	it("bus: closing a session takes its agents out; the default one stays", async () => {
		await using test = await openTestBus();
		const { bus } = test;
		const session = await bus.createSession({ name: "room" });
		expect(session.state).toBe("empty");
		expect((await refusal(bus.createSession({ name: "ROOM" }))).code).toBe("CONFLICT");
		await bus.joinExternal(
			{ session: "room", agent_id: "ext", name: "outside" },
			{ deliver: async () => undefined, removed: () => undefined },
		);
		expect(bus.listSessions({ closed: false }).find((one) => one.name === "room")).toMatchObject({
			state: "idle",
			agent_count: 1,
		});
		expect(await bus.closeSession({ session: "room" })).toMatchObject({ state: "closed", agent_count: 0 });
		expect(bus.listSessions({ closed: false }).map((one) => one.name)).toEqual(["default"]);
		expect(bus.snapshots.agents().agents).toEqual([]);
		expect((await refusal(bus.closeSession({ session: "default" }))).code).toBe("CONFLICT");
		expect(
			readStreamAfter(test.store, `session:${session.session_id}`, 0, 10).map((event) => event.type),
		).toEqual(["session.created", "agent.joined", "agent.left", "session.closed"]);
	});

	it("bus: a thread's status makes its agent's and its session's state", async () => {
		await using test = await openTestBus();
		const threadId = await test.addThread("worker");
		test.bus.threadChanged({ thread_id: threadId, status: "needs_you" });
		expect(test.bus.snapshots.sessions().sessions).toMatchObject([{ name: "default", state: "needs_you" }]);
		expect(test.published.at(-1)).toMatchObject({
			name: "sessions.state",
			event: { value: { state: "needs_you" } },
		});
		const before = test.published.length;
		test.bus.threadChanged({ thread_id: threadId, status: "needs_you" });
		expect(test.published).toHaveLength(before);
	});

	it("bus: accepted mail is delivered, taken-up mail fails, when the daemon comes back", async () => {
		const path = join(folder, "homie.db");
		let accepted = "";
		let seen = "";
		{
			await using test = await openTestBus({ path, start: false });
			await test.addThread("worker");
			accepted = (await test.bus.send({ to: "worker", text: "later", from: me })).message_id;
			seen = (await test.bus.send({ to: "worker", text: "half done", from: me })).message_id;
			const agentId = test.bus.listAgents({}).find((agent) => agent.name === "worker")?.agent_id ?? "";
			await test.bus.acknowledge({ agent_id: agentId, message_id: seen });
			await test.bus.joinExternal(
				{ agent_id: "ext", name: "outside" },
				{ deliver: async () => undefined, removed: () => undefined },
			);
		}
		await using again = await openTestBus({ path });
		await again.reaches(accepted, "delivered");
		expect(again.threads.delivered.map(({ text }) => text)).toEqual(["later"]);
		expect(again.bus.readMessage(seen)).toMatchObject({ state: "failed", reason: "interrupted" });
		expect(again.bus.listAgents({}).map((agent) => agent.name)).not.toContain("outside");
	});

	it("bus: a thread that is busy is asked again, one that is gone fails the message", async () => {
		const clock = createFakeClock(Date.now());
		const threads = createScriptedThreads();
		await using test = await openTestBus({ clock, threads });
		await test.addThread("worker");
		let refusals = 2;
		const asked = Promise.withResolvers<void>();
		threads.onDeliver = ({ text }) => {
			if (text === "gone") throw new AppError("THREAD_NOT_FOUND");
			if (refusals === 0) return;
			refusals -= 1;
			asked.resolve();
			queueMicrotask(() => clock.advance(60_000));
			throw new AppError("BUSY");
		};
		const busy = await test.bus.send({ to: "worker", text: "busy", from: me });
		await asked.promise;
		const gone = await test.bus.send({ to: "worker", text: "gone", from: me });
		while (refusals > 0 || clock.pending > 0) {
			clock.advance(60_000);
			await new Promise((resolve) => setImmediate(resolve));
		}
		await test.reaches(busy.message_id, "delivered");
		await test.reaches(gone.message_id, "failed");
		expect(test.bus.readMessage(gone.message_id).reason).toBe("thread_not_found");
	});

	it("bus: a late subscriber gets the newest messages, oldest first", async () => {
		await using test = await openTestBus();
		await test.addThread("worker");
		for (const text of ["one", "two"]) await test.bus.send({ to: "worker", text, from: me });
		expect(test.bus.snapshots.activity("default").messages.map((message) => message.text)).toEqual([
			"one",
			"two",
		]);
		expect(() => test.bus.snapshots.activity("nowhere")).toThrow(AppError);
		const big = "x".repeat(700_000);
		for (const _ of [1, 2]) await test.bus.send({ to: "worker", text: big, from: me });
		expect(test.bus.snapshots.activity("default").messages).toHaveLength(1);
	});
});
