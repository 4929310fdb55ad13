import { appendFile, stat, truncate } from "node:fs/promises";
import { expect, test } from "vitest";
import { readHistory } from "#daemon/storage/repository/chat-history.ts";
import { findThread } from "#daemon/storage/repository/chat-thread.ts";
import { findRollout } from "#daemon/storage/repository/rollout-row.ts";
import { AT, answered, event, ID, item, meta, openRolloutHome, said, turn, write } from "./rollout-home.ts";

const user = (text: string) => `userMessage: ${JSON.stringify([{ type: "text", text, text_elements: [] }])}`;
const legacyUser = (message: string) => event({ type: "user_message", message, text_elements: [] });

test("rollout: turns of a file that knows no starts begin with what a person says", async () => {
	await using home = await openRolloutHome();
	await home.put([
		meta(),
		said("<environment_context>folder</environment_context>"),
		said("One"),
		legacyUser("One"),
		event({ type: "agent_reasoning", text: "hm" }),
		event({ type: "agent_reasoning", text: "yes" }),
		answered("First"),
		event({ type: "agent_message", message: "First" }),
		said("Two"),
		legacyUser("Two"),
		event({ type: "agent_message", message: "Second" }),
	]);
	expect(await home.library.scan()).toMatchObject({ files: 1, added: 1, skippedCount: 0 });
	await home.library.ensureThread(ID);
	expect(home.shown().map((items) => items.map((line) => line.split(":")[0]))).toEqual([
		["userMessage", "reasoning", "agentMessage"],
		["userMessage", "agentMessage"],
	]);
	expect(home.shown()[0]?.[2]).toBe("agentMessage: First");
	expect(home.status()).toEqual(["completed", "completed"]);
	expect(findThread(home.store, ID)).toMatchObject({
		preview: "One",
		title: "One",
		named: false,
		turn_count: 2,
	});
});

test("rollout: the oldest files, of nothing but bare items, are read", async () => {
	await using home = await openRolloutHome();
	const bare = (role: string, text: string) =>
		JSON.stringify({ type: "message", role, content: [{ type: "input_text", text }] });
	await home.put([
		JSON.stringify({ id: ID, timestamp: new Date(AT).toISOString(), instructions: null }),
		JSON.stringify({ record_type: "state" }),
		bare("user", "Hello"),
		bare("assistant", "Good day"),
	]);
	await home.library.scan();
	await home.library.ensureThread(ID);
	expect(home.shown()).toEqual([
		[`userMessage: ${JSON.stringify([{ type: "text", text: "Hello" }])}`, "agentMessage: Good day"],
	]);
	expect(home.history()).toEqual(["Hello", "Good day"]);
	expect(findRollout(home.store, ID)).toMatchObject({ state: "loaded", skipped_lines: 1 });
});

test("rollout: broken, unknown and future lines are left out and counted, the rest is read", async () => {
	await using home = await openRolloutHome();
	const [first, ...rest] = turn("t1", "Hi", "Ho");
	await home.put([
		meta({ future: { a: 1 } }),
		"{ not json",
		"[1,2]",
		{ type: "invented_later", payload: { x: 1 } },
		event({ type: "invented_event" }),
		...(first === undefined ? [] : [first]),
		event({
			type: "item_completed",
			turn_id: "t1",
			item: { type: "HologramShown", id: "h1", light_years: 3 },
		}),
		event({ type: "item_completed", turn_id: "t1", item: { type: "McpToolCall", id: "m1", server: 7 } }),
		...rest,
	]);
	await home.library.scan();
	await home.library.ensureThread(ID);
	expect(home.shown()).toEqual([["foreign: ", "foreign: ", user("Hi"), "agentMessage: Ho"]]);
	expect(findRollout(home.store, ID)?.skipped_lines).toBe(4);
});

test("rollout: a rollback takes turns out, and what a compaction left is the history", async () => {
	await using home = await openRolloutHome();
	const replacement = [
		{ type: "message", role: "user", content: [{ type: "input_text", text: "In short" }] },
	];
	await home.put([
		meta(),
		...turn("t1", "One", "1"),
		...turn("t2", "Two", "2"),
		event({ type: "thread_rolled_back", num_turns: 1 }),
		event({ type: "task_started", turn_id: "t3" }),
		{ type: "compacted", payload: { message: "", replacement_history: replacement } },
		event({ type: "task_complete", turn_id: "t3" }),
		...turn("t4", "Four", "4"),
	]);
	await home.library.scan();
	await home.library.ensureThread(ID);
	expect(home.shown().map((items) => items.at(-1))).toEqual([
		"agentMessage: 1",
		undefined,
		"agentMessage: 4",
	]);
	const texts = readHistory(home.store, ID).map((entry) => JSON.stringify(entry["content"]));
	expect(texts.map((text) => /"text":"(.*?)"/.exec(text)?.[1])).toEqual(["In short", "Four", "4"]);
});

test("rollout: a compaction of an older file that does not say what came of it keeps the person's words and the summary", async () => {
	await using home = await openRolloutHome();
	await home.put([
		meta(),
		...turn("t1", "One", "1"),
		event({ type: "task_started", turn_id: "t2" }),
		{ type: "compacted", payload: { message: "The summary" } },
		event({ type: "context_compacted" }),
		event({ type: "task_complete", turn_id: "t2" }),
	]);
	await home.library.scan();
	await home.library.ensureThread(ID);
	const texts = readHistory(home.store, ID).map((entry) => JSON.stringify(entry["content"]));
	expect(texts.map((text) => /"text":"(.*?)"/.exec(text)?.[1])).toEqual(["One", "The summary"]);
});

test("rollout: a half-written line and an unfinished turn are read again when the file has grown", async () => {
	await using home = await openRolloutHome();
	const lines = turn("t2", "Two", "2");
	const path = await home.put([meta(), ...turn("t1", "One", "1"), ...lines.slice(0, 3)]);
	await appendFile(path, '{"timestamp":"2025-06-25T10:00:00.000Z","type":"resp');
	await home.library.scan();
	await home.library.ensureThread(ID);
	expect(home.status()).toEqual(["completed", "interrupted"]);
	expect(home.shown()[1]).toHaveLength(1);
	const { size } = await stat(path);
	await truncate(path, size - '{"timestamp":"2025-06-25T10:00:00.000Z","type":"resp'.length);
	await home.add(path, [...lines.slice(3), ...turn("t3", "Three", "3")]);
	await home.library.ensureThread(ID);
	expect(home.shown().map((items) => items.at(-1))).toEqual([
		"agentMessage: 1",
		"agentMessage: 2",
		"agentMessage: 3",
	]);
	expect(home.history()).toEqual(["One", "1", "Two", "2", "Three", "3"]);
	expect(home.status()).toEqual(["completed", "completed", "completed"]);
	expect(findThread(home.store, ID)?.turn_count).toBe(3);
});

test("rollout: a long file is taken in pieces and comes out whole", async () => {
	await using home = await openRolloutHome();
	const path = await home.put([meta()]);
	for (let at = 0; at < 20; at += 1) {
		const lines = Array.from({ length: 50 }, (_none, index) =>
			turn(`t${at}-${index}`, `say ${index}`, "x".repeat(2_000)),
		);
		await appendFile(path, write(lines.flat()));
	}
	await home.library.scan();
	await home.library.ensureThread(ID);
	expect(findThread(home.store, ID)?.turn_count).toBe(1_000);
	expect(home.history()).toHaveLength(2_000);
});

test("rollout: calls and outputs of the model are kept as they came, unknown kinds included", async () => {
	await using home = await openRolloutHome();
	const call = {
		type: "function_call",
		name: "exec_command",
		arguments: "{}",
		call_id: "c1",
		strange: [1, { a: null }],
	};
	const later = { type: "quantum_call", call_id: "q1" };
	await home.put([meta(), ...turn("t1", "One", "1").slice(0, 3), item(call), item(later)]);
	await home.library.scan();
	await home.library.ensureThread(ID);
	expect(readHistory(home.store, ID).slice(1)).toEqual([call, later]);
});
