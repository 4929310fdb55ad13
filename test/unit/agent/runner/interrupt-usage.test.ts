import { expect, test } from "vitest";
import { call, createHarness } from "./harness.ts";

const send = (thread_id: string, text: string) => ({ thread_id, text, when_busy: "steer" as const });

test("runner: what an answer cost counts also when the turn is interrupted during its command", async () => {
	const costly = [{ call: { gate: "cmd" }, id: "c1" }, { tokens: 40 }];
	await using h = await createHarness({ script: [costly, ["next", { tokens: 2 }]] });
	const threadId = await h.thread();
	const sent = await h.runner.sendMessage(send(threadId, "go"), call());
	await h.gates.reached("cmd");
	await h.runner.cancel({ thread_id: threadId }, call("kim"));
	await h.when("chat.turn.completed", sent.turn_id);
	await h.when("chat.usage.updated", sent.turn_id);
	h.gates.open("cmd");
	const next = await h.runner.sendMessage(send(threadId, "on"), call());
	await h.when("chat.turn.completed", next.turn_id);
	const { thread } = h.runner.readThread({ thread_id: threadId, limit: 1 });
	expect(thread.usage).toMatchObject({ total: { totalTokens: 42 }, last: { totalTokens: 2 } });
});
