import { expect, test } from "vitest";
import { createDeferred } from "#base/deferred.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";
import { until } from "#test/support/product.ts";
import { call, createHarness } from "./harness.ts";

const message = (thread_id: string) => ({ thread_id, text: "go", when_busy: "steer" as const });

test("git heads: the model is asked without waiting for the head; nothing is done before it is known", async () => {
	const before = createDeferred<string>();
	const heads = [before.promise, Promise.resolve("after")];
	await using h = await createHarness({
		script: [[{ gate: "asked" }, { call: {}, id: "c1" }], ["done"]],
		deps: { gitHead: async () => heads.shift() ?? null },
	});
	const threadId = await h.thread();
	const { turn_id } = await h.runner.sendMessage(message(threadId), call());
	await h.gates.reached("asked");
	h.gates.open("asked");
	await h.until((event): event is ChatEvent => event.type === "chat.item.started" && event.item_id === "c1");
	expect(h.tool.acted).toEqual([]);
	before.resolve("before");
	await h.when("chat.turn.completed", turn_id);
	expect(h.tool.acted).toEqual(["c1"]);
	expect(h.runner.readThread({ thread_id: threadId, limit: 1 }).turns[0]).toMatchObject({
		...{ git_head_before: "before", git_head_after: "after" },
	});
});

test("git heads: a turn that was cut short gets its second head once its command is over", async () => {
	let reads = 0;
	await using h = await createHarness({
		script: [[{ call: { gate: "cmd" }, id: "c1" }]],
		deps: {
			gitHead: async () => {
				reads += 1;
				return `head-${reads}`;
			},
		},
	});
	const threadId = await h.thread();
	await h.runner.sendMessage(message(threadId), call());
	await h.gates.reached("cmd");
	await h.runner.cancel({ thread_id: threadId }, call());
	const heads = () => h.runner.readThread({ thread_id: threadId, limit: 1 }).turns[0];
	expect(heads()).toMatchObject({ git_head_before: "head-1", git_head_after: null });
	h.gates.open("cmd");
	await until("the head is noted", () => heads()?.git_head_after === "head-2");
});
