import { afterEach, beforeEach, expect, test } from "vitest";
import { endTurnWrite } from "#daemon/storage/repository/chat-end.ts";
import { sendMessageWrite, steerWrite } from "#daemon/storage/repository/chat-message.ts";
import {
	archiveThreadWrite,
	createThreadWrite,
	findThread,
	listThreads,
	renameThreadWrite,
	resumeThreadWrite,
} from "#daemon/storage/repository/chat-thread.ts";
import { readTurns } from "#daemon/storage/repository/chat-turn.ts";
import { listAgents } from "#daemon/storage/repository/weave-agent.ts";
import type { Store } from "#daemon/storage/store.ts";
import { openTestStore } from "#test/support/store.ts";

let store: Store;
beforeEach(async () => {
	store = await openTestStore();
});
afterEach(() => store[Symbol.asyncDispose]());

async function create(thread_id: string, agent_name: string | null = null) {
	const { thread } = await store.write(createThreadWrite, {
		...{ thread_id, agent_name, title: null, provider: "p", model: null, cwd: "/w", machine_id: "m" },
		...{ approval_policy: "on-request", sandbox: "read-only", env: { A: "1" }, codex_home: null },
		controller: { client: "cli", device: "local" },
	});
	return thread;
}

const message = (thread_id: string, text: string, client_message_id: string | null = null) => ({
	...{ thread_id, text, client_message_id, client: "cli", when_busy: "steer" as const },
});

function end(thread_id: string, turn_id: string) {
	return store.write(endTurnWrite, {
		...{ thread_id, turn_id, status: "completed" as const, reason: null, error: null, final_text: "done" },
		...{ git_head_after: null, steps: [], start_next: true },
	});
}

test("chat store: a thread and its agent are made in one unit; a taken name makes neither", async () => {
	const thread = await create("t1", "amber");
	expect(thread).toMatchObject({
		agent_name: "amber",
		status: "idle",
		machine_id: "m",
		controller: { client: "cli" },
	});
	await expect(create("t2", "Amber")).rejects.toMatchObject({ code: "AGENT_NAME_TAKEN" });
	expect(findThread(store, "t2")).toBeUndefined();
	expect(listAgents(store)).toMatchObject([{ name: "amber", thread_id: "t1" }]);
});

test("chat store: a claim that comes again returns the first result and changes nothing", async () => {
	await create("t1");
	const claim = { idempotency: { identity: "local", method: "chat.message.send", key: "k", digest: "d" } };
	const first = await store.write(sendMessageWrite, message("t1", "hi"), claim);
	expect(await store.write(sendMessageWrite, message("t1", "hi"), claim)).toEqual(first);
	expect(findThread(store, "t1")?.turn_count).toBe(1);
});

test("chat store: a client id used for another text is a conflict", async () => {
	await create("t1");
	await store.write(sendMessageWrite, message("t1", "hi", "m1"));
	await expect(store.write(sendMessageWrite, message("t1", "ho", "m1"))).rejects.toMatchObject({
		code: "CONFLICT",
	});
});

test("chat store: steering that the turn never looked at opens the next turn in the unit of the end", async () => {
	await create("t1");
	const { turn_id } = await store.write(sendMessageWrite, message("t1", "a"));
	const steer = {
		thread_id: "t1",
		expected_turn_id: turn_id,
		text: "b",
		client_message_id: null,
		client: "cli",
	};
	expect(await store.write(steerWrite, steer)).toEqual({ thread_id: "t1", turn_id });
	const result = await end("t1", turn_id);
	expect(result.ended).toBe(true);
	expect(findThread(store, "t1")?.active_turn_id).toBe(result.next_turn_id);
	expect(await end("t1", turn_id)).toEqual({ ended: false, next_turn_id: null });
	await expect(store.write(steerWrite, steer)).rejects.toMatchObject({ code: "TURN_NOT_ACTIVE" });
	const { turns } = readTurns(store, { thread_id: "t1", limit: 10 });
	expect(turns.map((turn) => turn.items.map((item) => "content" in item && item.content))).toMatchObject([
		[[{ text: "a" }]],
		[[{ text: "b" }]],
	]);
});

test("chat store: archive refuses while a turn runs, then takes the agent out; resume brings it back under a free name", async () => {
	await create("t1", "amber");
	const { turn_id } = await store.write(sendMessageWrite, message("t1", "a"));
	await expect(store.write(archiveThreadWrite, { thread_id: "t1" })).rejects.toMatchObject({ code: "BUSY" });
	await end("t1", turn_id);
	expect((await store.write(archiveThreadWrite, { thread_id: "t1" })).thread).toMatchObject({
		archived: true,
		agent_name: "amber",
	});
	expect(listAgents(store)).toEqual([]);
	await expect(store.write(sendMessageWrite, message("t1", "x"))).rejects.toMatchObject({ code: "CONFLICT" });
	await create("t2", "amber");
	const { thread } = await store.write(resumeThreadWrite, { thread_id: "t1" });
	expect(thread.archived).toBe(false);
	expect(thread.agent_name).not.toBe("amber");
	expect((await store.write(renameThreadWrite, { thread_id: "t1", title: "T" })).thread.title).toBe("T");
});

test("chat store: threads are paged by newest activity, turns backwards", async () => {
	for (const id of ["t1", "t2", "t3"]) await create(id);
	for (let n = 0; n < 3; n += 1)
		await end("t1", (await store.write(sendMessageWrite, message("t1", `m${n}`))).turn_id);
	const first = listThreads(store, { archived: false, limit: 2 });
	const rest = listThreads(store, { archived: false, limit: 2, cursor: first.next_cursor ?? "" });
	expect([...first.threads, ...rest.threads].map((thread) => thread.thread_id).sort()).toEqual([
		"t1",
		"t2",
		"t3",
	]);
	expect(first.threads[0]?.thread_id).toBe("t1");
	expect(rest.next_cursor).toBeNull();
	expect(() => listThreads(store, { archived: false, limit: 2, cursor: "x" })).toThrow(/cursor/);
	const page = readTurns(store, { thread_id: "t1", limit: 2 });
	expect(page).toMatchObject({ has_more: true, turns: [{}, {}] });
	const older = readTurns(store, { thread_id: "t1", limit: 2, before_turn_id: page.turns[0]?.turn_id });
	expect(older.has_more).toBe(false);
	expect(older.turns).toHaveLength(1);
});

test("chat store: every change is in the thread's log, without a gap", async () => {
	await create("t1");
	const { turn_id } = await store.write(sendMessageWrite, message("t1", "a"));
	await end("t1", turn_id);
	const rows = store.all<{ seq: number; type: string }>(
		"SELECT seq, type FROM event_log WHERE stream = 'thread:t1' ORDER BY seq",
	);
	expect(rows.map((row) => row.seq)).toEqual(rows.map((_, index) => index + 1));
	expect(rows.map((row) => row.type)).toEqual([
		"thread.created",
		"message.started",
		"turn.started",
		"item.completed",
		"turn.completed",
	]);
});
