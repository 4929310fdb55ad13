import { describe, expect, test } from "vitest";
import type { Json } from "#test/support/codex-drive.ts";
import { member, openBench } from "./memory-client.ts";

const PATCH = "*** Begin Patch\n*** Add File: made.txt\n+made\n*** End Patch";
const ASKS = [
	{ items: [{ type: "custom_tool_call" as const, name: "apply_patch", input: PATCH }] },
	{ items: [{ type: "text" as const, text: "Done." }] },
];

const said = (text: string): Json[] => [{ type: "text", text, text_elements: [] }];

/** Two clients that follow one thread, whose turn asks before it writes. */
async function openAsking() {
	const bench = await openBench(ASKS);
	const [first, second] = [bench.client(), bench.client()];
	await first.hello({}, "first");
	await second.hello({}, "second");
	const started = await first.request("thread/start", {
		...{ cwd: bench.cwd, approvalPolicy: "on-request", sandbox: "read-only" },
	});
	const threadId = String(member(started, "result.thread.id"));
	return { bench, first, second, threadId };
}

const REQUEST = "item/fileChange/requestApproval";

describe("codex clients", () => {
	test("codex clients: both are asked and told that it is over when one of them answers", async () => {
		const { bench, first, second, threadId } = await openAsking();
		await using _bench = bench;
		await second.request("thread/resume", { threadId });
		await first.request("turn/start", { threadId, input: said("patch") });
		await first.told(REQUEST);
		const asked = await second.told(REQUEST);
		second.send({ id: asked["id"], result: { decision: "accept" } });
		const done = await first.told("turn/completed");
		expect(member(done, "params.turn.status")).toBe("completed");
		for (const client of [first, second]) {
			const resolved = await client.told("serverRequest/resolved");
			expect(resolved["params"]).toEqual({ threadId, requestId: 0 });
		}
	});

	test("codex clients: an open question is put to a client when it comes later", async () => {
		const { bench, first, second, threadId } = await openAsking();
		await using _bench = bench;
		await first.request("turn/start", { threadId, input: said("patch") });
		await first.told(REQUEST);
		first.leave();
		await second.request("thread/resume", { threadId });
		const asked = await second.told(REQUEST);
		second.send({ id: asked["id"], result: { decision: "decline" } });
		await second.told("turn/completed");
		const item = second.inbox.find((message) => member(message, "params.item.type") === "fileChange");
		expect(member(item, "params.item.status")).toBe("declined");
	});

	test("codex clients: one that follows no thread hears of its status and not of its items", async () => {
		const { bench, first, second, threadId } = await openAsking();
		await using _bench = bench;
		await first.request("turn/start", { threadId, input: said("patch") });
		const asked = await first.told(REQUEST);
		first.send({ id: asked["id"], result: { decision: "cancel" } });
		await first.told("turn/completed");
		const methods = new Set(second.inbox.map((message) => message["method"]));
		expect(methods.has("thread/status/changed")).toBe(true);
		expect(methods.has("item/started")).toBe(false);
		expect(methods.has(REQUEST)).toBe(false);
	});

	test("codex clients: threads of our own clients are listed and told of when they are made", async () => {
		await using bench = await openBench();
		const first = bench.client();
		await first.hello();
		const call = { label: "own", clientId: "c", idempotency: undefined };
		const { thread } = await bench.test.runner.createThread({ cwd: bench.cwd }, call);
		const told = await first.until((message) => member(message, "params.thread.id") === thread.thread_id);
		expect(told["method"]).toBe("thread/started");
		await bench.test.runner.sendMessage(
			{ thread_id: thread.thread_id, text: "hello", when_busy: "steer" },
			call,
		);
		await first.until((message) => member(message, "params.status.type") === "idle");
		const listed = await first.request("thread/list", {});
		expect(member(listed, "result.data.0.id")).toBe(thread.thread_id);
		expect(member(listed, "result.data.0.preview")).toBe("hello");
	});
});
