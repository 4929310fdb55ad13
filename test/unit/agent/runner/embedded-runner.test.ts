import { describe, expect, test } from "vitest";
import { call, createHarness } from "./harness.ts";

const send = (thread_id: string, text: string, more: Record<string, string> = {}) => ({
	thread_id,
	text,
	when_busy: "steer" as const,
	...more,
});

describe("runner: turns", () => {
	test("runner: a message becomes a turn whose text, items and history are stored", async () => {
		await using h = await createHarness({ script: [["Hel", "lo"]] });
		const threadId = await h.thread();
		const sent = await h.runner.sendMessage(send(threadId, "hi", { client_message_id: "m1" }), call());
		expect(sent.delivery).toBe("started");
		await h.when("chat.turn.completed", sent.turn_id);
		const { thread, turns } = h.runner.readThread({ thread_id: threadId, limit: 10 });
		expect(thread).toMatchObject({
			status: "idle",
			turn_count: 1,
			title: "hi",
			sandbox: "read-only",
			approval_policy: "on-request",
		});
		expect(turns).toHaveLength(1);
		expect(turns[0]).toMatchObject({ status: "completed", reason: null });
		expect(turns[0]?.items.map((item) => item.type)).toEqual(["userMessage", "agentMessage"]);
		expect(turns[0]?.items[1]).toMatchObject({ text: "Hello" });
		// Notes that pass through are the loop's to test.
		const own = h.events.filter((event) => event.type !== "chat.codex");
		expect(own.map((event) => event.type)).toEqual([
			"chat.turn.started",
			"chat.item.started",
			"chat.item.completed",
			"chat.item.started",
			"chat.message.delta",
			"chat.item.completed",
			"chat.turn.completed",
		]);
		expect(h.ended).toMatchObject([
			{ turn_id: sent.turn_id, status: "completed", final_text: "Hello", message_ids: [] },
		]);
		await h.runner.sendMessage(send(threadId, "again"), call());
		await h.until(
			(event): event is typeof event =>
				event.type === "chat.turn.completed" && event.turn_id !== sent.turn_id,
		);
		expect(h.provider.requests[1]?.input.map((item) => item["role"])).toEqual(["user", "assistant", "user"]);
	});

	test("runner: the same client id makes one turn and gets the first answer", async () => {
		await using h = await createHarness();
		const threadId = await h.thread();
		const message = send(threadId, "once", { client_message_id: "m1" });
		const answers = await Promise.all([
			h.runner.sendMessage(message, call()),
			h.runner.sendMessage(message, call()),
		]);
		expect(answers[1]).toEqual(answers[0]);
		await h.when("chat.turn.completed");
		expect(h.runner.readThread({ thread_id: threadId, limit: 10 }).turns).toHaveLength(1);
		expect(h.provider.requests).toHaveLength(1);
	});

	test("runner: a client that comes late sees the partial text, and nothing of it twice", async () => {
		await using h = await createHarness({ script: [["part ", { gate: "g" }, "rest"]] });
		const threadId = await h.thread();
		await h.runner.sendMessage(send(threadId, "hi"), call());
		await h.gates.reached("g");
		const snapshot = h.runner.activitySnapshot(threadId);
		const before = h.events.length;
		expect(snapshot.turns[0]?.items[1]).toMatchObject({ type: "agentMessage", text: "part " });
		expect(snapshot.thread.status).toBe("working");
		h.gates.open("g");
		await h.when("chat.turn.completed");
		const deltas = h.events
			.slice(before)
			.flatMap((event) => (event.type === "chat.message.delta" ? event.delta : []));
		expect(deltas.join("")).toBe("rest");
	});

	test("runner: a message while a turn runs steers it; with queue it waits for the next", async () => {
		await using h = await createHarness({ script: [["one ", { gate: "g" }, "never"], ["two"], ["three"]] });
		const threadId = await h.thread();
		const first = await h.runner.sendMessage(send(threadId, "a"), call());
		await h.gates.reached("g");
		const queued = await h.runner.sendMessage({ ...send(threadId, "c"), when_busy: "queue" }, call());
		const steered = await h.runner.sendMessage(send(threadId, "b"), call());
		expect(queued.delivery).toBe("queued");
		expect(steered).toEqual({ thread_id: threadId, turn_id: first.turn_id, delivery: "steered" });
		await h.when("chat.turn.completed", queued.turn_id);
		const { turns } = h.runner.readThread({ thread_id: threadId, limit: 10 });
		expect(turns.map((turn) => turn.turn_id)).toEqual([first.turn_id, queued.turn_id]);
		const said = turns.map((turn) =>
			turn.items.flatMap((item) => (item.type === "userMessage" ? item.content[0]?.text : [])),
		);
		expect(said).toEqual([["a", "b"], ["c"]]);
	});

	test("runner: no more turns run at once than the daemon allows; the next one waits", async () => {
		const script = Array.from({ length: 9 }, () => ["x", { gate: "g" }]);
		await using h = await createHarness({ script, deps: { maxRunningTurns: 8 } });
		for (let n = 0; n < 9; n += 1) await h.runner.sendMessage(send(await h.thread(), "go"), call());
		await h.until((event): event is typeof event => h.provider.requests.length === 8 && event !== undefined);
		expect(h.runner.counts).toEqual({ running_turns: 8, waiting_turns: 1 });
		h.gates.open("g");
	});

	test("runner: steer is refused when that turn is not the running one", async () => {
		await using h = await createHarness();
		const threadId = await h.thread();
		await expect(
			h.runner.steer({ thread_id: threadId, expected_turn_id: "t", text: "x" }, call()),
		).rejects.toMatchObject({
			code: "TURN_NOT_ACTIVE",
		});
		await expect(h.runner.sendMessage(send("nope", "x"), call())).rejects.toMatchObject({
			code: "THREAD_NOT_FOUND",
		});
	});
});

describe("runner: interrupt", () => {
	test("runner: cancel ends the turn at once while its command runs on and completes its item", async () => {
		await using h = await createHarness({ script: [[{ call: { gate: "cmd" }, id: "c1" }], ["next"]] });
		const threadId = await h.thread();
		const sent = await h.runner.sendMessage(send(threadId, "go"), call());
		await h.gates.reached("cmd");
		await h.runner.cancel({ thread_id: threadId }, call("kim"));
		const done = await h.when("chat.turn.completed", sent.turn_id);
		expect(done).toMatchObject({ turn: { status: "interrupted", reason: "interrupted by kim" } });
		expect(h.runner.readThread({ thread_id: threadId, limit: 1 }).thread.status).toBe("idle");
		h.gates.open("cmd");
		await h.until(
			(event): event is typeof event => event.type === "chat.item.completed" && event.item_id === "c1",
		);
		const { turns } = h.runner.readThread({ thread_id: threadId, limit: 1 });
		expect(turns[0]?.items.at(-1)).toMatchObject({ status: "completed", aggregatedOutput: "out" });
		const next = await h.runner.sendMessage(send(threadId, "on"), call());
		await h.when("chat.turn.completed", next.turn_id);
		expect(JSON.stringify(h.provider.requests[1]?.input)).toContain("turn_aborted");
		await expect(h.runner.cancel({ thread_id: threadId }, call())).rejects.toMatchObject({
			code: "TURN_NOT_ACTIVE",
		});
	});

	test("runner: a message that waits is taken back by its turn's id; the model never sees it, the running turn goes on", async () => {
		await using h = await createHarness({ script: [["one ", { gate: "g" }, "two"], ["three"]] });
		const threadId = await h.thread();
		const first = await h.runner.sendMessage(send(threadId, "a"), call());
		await h.gates.reached("g");
		const waits = { ...send(threadId, "b", { client_message_id: "m2" }), when_busy: "queue" as const };
		const queued = await h.runner.sendMessage(waits, call());
		const cancelled = await h.runner.cancel({ thread_id: threadId, turn_id: queued.turn_id }, call("kim"));
		expect(cancelled).toMatchObject({ turn_id: queued.turn_id, withdrawn: true });
		expect(await h.when("chat.turn.completed", queued.turn_id)).toMatchObject({
			turn: { status: "interrupted", reason: "interrupted by kim" },
		});
		await expect(
			h.runner.cancel({ thread_id: threadId, turn_id: queued.turn_id }, call()),
		).rejects.toMatchObject({ code: "TURN_NOT_ACTIVE" });
		expect(await h.runner.sendMessage(waits, call())).toMatchObject({ turn_id: queued.turn_id });
		h.gates.open("g");
		expect(await h.when("chat.turn.completed", first.turn_id)).toMatchObject({
			turn: { status: "completed" },
		});
		const { thread, turns } = h.runner.readThread({ thread_id: threadId, limit: 10 });
		expect(thread).toMatchObject({ status: "idle", turn_count: 2 });
		expect(turns.map((turn) => turn.status)).toEqual(["completed", "interrupted"]);
		expect(turns[1]?.items).toMatchObject([{ type: "userMessage", content: [{ text: "b" }] }]);
		const next = await h.runner.sendMessage(send(threadId, "c"), call());
		await h.when("chat.turn.completed", next.turn_id);
		expect(h.provider.requests).toHaveLength(2);
		expect(JSON.stringify(h.provider.requests[1]?.input)).not.toContain('"b"');
	});

	test("runner: a stopping daemon interrupts running turns with its reason", async () => {
		const h = await createHarness({ script: [["part ", { gate: "g" }]] });
		const threadId = await h.thread();
		const sent = await h.runner.sendMessage(send(threadId, "hi"), call());
		await h.gates.reached("g");
		await h.runner[Symbol.asyncDispose]();
		const { turns } = h.runner.readThread({ thread_id: threadId, limit: 1 });
		expect(turns[0]).toMatchObject({
			turn_id: sent.turn_id,
			status: "interrupted",
			reason: "the daemon stopped",
		});
		expect(turns[0]?.items.at(-1)).toMatchObject({ type: "agentMessage", text: "part " });
		await expect(h.runner.sendMessage(send(threadId, "x"), call())).rejects.toMatchObject({
			code: "DAEMON_STOPPING",
		});
		await h[Symbol.asyncDispose]();
	});
});
