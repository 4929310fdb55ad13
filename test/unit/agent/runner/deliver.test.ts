import { expect, test } from "vitest";
import { sendMessage } from "#daemon/storage/repository/weave-command.ts";
import { findMessage } from "#daemon/storage/repository/weave-message.ts";
import { call, createHarness, type Harness } from "./harness.ts";

async function mail(h: Harness, threadId: string, text: string): Promise<string> {
	const name = h.runner.readThread({ thread_id: threadId, limit: 1 }).thread.agent_name;
	const from = { identity: "local", name: "me" };
	const sent = await h.store.write(sendMessage, {
		to: name,
		text,
		from,
	});
	return sent.message.message_id;
}

test("deliver: a weave message becomes one turn, is seen with it and answered by its end", async () => {
	await using h = await createHarness({ script: [["forty-two"]] });
	const threadId = await h.thread();
	const messageId = await mail(h, threadId, "how many?");
	const delivery = { thread_id: threadId, message_id: messageId, from_name: "me", text: "how many?" };
	const [first, second] = await Promise.all([h.runner.deliver(delivery), h.runner.deliver(delivery)]);
	expect(second).toEqual(first);
	await h.when("chat.turn.completed", first.turn_id);
	expect(findMessage(h.store, messageId)).toMatchObject({
		state: "answered",
		answer: "forty-two",
		turn_id: first.turn_id,
	});
	expect(h.ended).toMatchObject([
		{ turn_id: first.turn_id, final_text: "forty-two", message_ids: [messageId] },
	]);
	const { turns } = h.runner.readThread({ thread_id: threadId, limit: 10 });
	expect(turns).toHaveLength(1);
	expect(turns[0]?.items[0]).toMatchObject({
		content: [{ text: "how many?" }],
		fromName: "me",
		weaveMessageId: messageId,
	});
	expect(JSON.stringify(h.provider.requests[0]?.input)).toContain("Message from #me");
});

test("deliver: waits while a turn runs, and fails with a cancelled turn", async () => {
	await using h = await createHarness({
		script: [
			["a ", { gate: "g" }],
			["b ", { gate: "never" }],
		],
	});
	const threadId = await h.thread();
	await h.runner.sendMessage({ thread_id: threadId, text: "first", when_busy: "steer" }, call());
	await h.gates.reached("g");
	const messageId = await mail(h, threadId, "then");
	const { turn_id } = await h.runner.deliver({
		thread_id: threadId,
		message_id: messageId,
		from_name: "me",
		text: "then",
	});
	expect(findMessage(h.store, messageId)?.state).toBe("accepted");
	h.gates.open("g");
	await h.gates.reached("never");
	expect(findMessage(h.store, messageId)?.state).toBe("seen");
	await h.runner.cancel({ thread_id: threadId, turn_id }, call());
	expect(findMessage(h.store, messageId)).toMatchObject({ state: "failed", reason: "interrupted" });
});
