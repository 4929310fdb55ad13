import { expect, test } from "vitest";
import type { ChatEvent } from "#protocol/chat-event.ts";
import { call, createHarness } from "./harness.ts";

const THREADS = 50;

test("runner: fifty threads run at once, and no event is lost or told of another thread", async () => {
	// Each says which thread it is in, at a gate that opens once all are there.
	const script = Array.from({ length: THREADS }, (_, at) => [
		`${at}:`,
		{ gate: "all" },
		"a",
		"b",
		{ tokens: 1 },
	]);
	await using h = await createHarness({ script });
	const heard = new Map<string, ChatEvent[]>();
	h.runner.onEvent((event) => heard.set(event.thread_id, [...(heard.get(event.thread_id) ?? []), event]));
	const threads = await Promise.all(Array.from({ length: THREADS }, () => h.thread()));
	const turns = await Promise.all(
		threads.map((thread_id) =>
			h.runner.startTurn({ thread_id, input: [{ type: "text", text: thread_id }] }, call()),
		),
	);
	await h.until((event): event is ChatEvent => event !== undefined && h.provider.requests.length === THREADS);
	expect(h.runner.counts).toEqual({ running_turns: THREADS, waiting_turns: 0 });
	h.gates.open("all");
	await Promise.all(turns.map(({ turn_id }) => h.when("chat.turn.completed", turn_id)));
	const answers = new Set<string>();
	for (const { thread_id, turn_id } of turns) {
		const events = (heard.get(thread_id) ?? []).filter((event) => event.type !== "chat.codex");
		expect(events.every((event) => event.turn_id === turn_id)).toBe(true);
		expect(events.map((event) => event.type)).toEqual([
			"chat.turn.started",
			"chat.item.started",
			"chat.item.completed",
			"chat.item.started",
			"chat.message.delta",
			"chat.message.delta",
			"chat.message.delta",
			"chat.item.completed",
			"chat.usage.updated",
			"chat.turn.completed",
		]);
		const { turns: read } = h.runner.readThread({ thread_id, limit: 1 });
		const [user, agent] = read[0]?.items ?? [];
		expect(user).toMatchObject({ content: [{ text: thread_id }] });
		const said = events
			.flatMap((event) => (event.type === "chat.message.delta" ? [event.delta] : []))
			.join("");
		expect(agent).toMatchObject({ text: said });
		answers.add(said);
	}
	expect(answers.size).toBe(THREADS);
});
