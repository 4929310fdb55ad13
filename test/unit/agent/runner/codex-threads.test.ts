import { expect, test } from "vitest";
import type { LoopEvent, RunTurn } from "#daemon/agent/loop-port.ts";
import { readAudit } from "#daemon/storage/repository/audit.ts";
import { readHistory } from "#daemon/storage/repository/chat-history.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";
import { call, createHarness, type Harness } from "./harness.ts";

const words = (text: string) => [{ type: "text", text }];

async function say(h: Harness, thread_id: string, text: string): Promise<string> {
	const { turn_id } = await h.runner.startTurn({ thread_id, input: words(text) }, call());
	await h.when("chat.turn.completed", turn_id);
	return turn_id;
}

async function start(h: Harness, settings: Record<string, unknown> = {}): Promise<string> {
	const { thread } = await h.runner.startThread({ cwd: h.cwd, settings }, call());
	return thread.thread_id;
}

function historyTexts(h: Harness, threadId: string): string[] {
	return readHistory(h.store, threadId).map((item) => {
		const content = item["content"];
		return Array.isArray(content) ? content.map((part: { text?: string }) => part.text).join("") : item.type;
	});
}

test("codex threads: a turn carries its parts, its settings stay for later ones and its schema does not", async () => {
	await using h = await createHarness({ script: [["one"], ["two"]] });
	const thread_id = await start(h, { effort: "low" });
	const input = [
		{ type: "text", text: "look" },
		{ type: "localImage", path: "/x.png" },
		{ type: "text", text: "here" },
	];
	const patch = { model: "script-2", settings: { effort: "high", personality: "dry" } };
	const output_schema = { type: "object" };
	const sent = await h.runner.startTurn({ thread_id, input, patch, output_schema }, call());
	await h.when("chat.turn.completed", sent.turn_id);
	await say(h, thread_id, "more");
	const read = h.runner.readThread({ thread_id, limit: 10 });
	expect(read.thread).toMatchObject({
		model: "script-2",
		preview: "look\nhere",
		named: false,
		settings: { effort: "high", personality: "dry" },
	});
	expect(read.turns[0]).toMatchObject({ kind: "regular" });
	expect(read.turns[0]?.items[0]).toMatchObject({
		content: [
			{ type: "text", text: "look", text_elements: [] },
			{ type: "localImage", path: "/x.png" },
			{ type: "text", text: "here", text_elements: [] },
		],
	});
	const options = h.provider.requests.map((request) => request.options?.outputSchema);
	expect(options.every((schema, at) => schema === undefined || at === 0)).toBe(true);
});

test("codex threads: a patch takes a setting away with null; nobody makes a listed thread ephemeral", async () => {
	await using h = await createHarness();
	const thread_id = await start(h, { effort: "low", source: "vscode" });
	const { thread } = await h.runner.patchThread({ thread_id, patch: { settings: { effort: null } } }, call());
	expect(thread.settings).toEqual({ source: "vscode" });
	const hide = h.runner.patchThread({ thread_id, patch: { settings: { ephemeral: true } } }, call());
	await expect(hide).rejects.toMatchObject({ code: "INVALID_PARAMS" });
});

test("codex threads: an ephemeral thread is never listed and is gone after the daemon", async () => {
	await using h = await createHarness({ script: [["hi"]] });
	const thread_id = await start(h, { ephemeral: true });
	await say(h, thread_id, "psst");
	expect(h.runner.listThreads({ archived: false, limit: 10 }).threads).toEqual([]);
	expect(h.published.filter(({ topic }) => topic === "chats.state")).toEqual([]);
	expect(h.runner.readThread({ thread_id, limit: 1 }).thread.settings?.ephemeral).toBe(true);
	await h.runner.recover();
	expect(() => h.runner.readThread({ thread_id, limit: 1 })).toThrow(/no thread/);
});

test("codex threads: a fork has the turns up to one, by their ids, and goes its own way", async () => {
	await using h = await createHarness({ script: [["one"], ["two"], ["three"], ["forked"]] });
	const thread_id = await start(h, { effort: "low" });
	const first = await say(h, thread_id, "a");
	const second = await say(h, thread_id, "b");
	await say(h, thread_id, "c");
	const { thread } = await h.runner.fork({ thread_id, last_turn_id: second, patch: { model: "m2" } }, call());
	expect(thread).toMatchObject({ model: "m2", turn_count: 2, preview: "a", named: false });
	expect(thread.settings).toEqual({ effort: "low", forked_from: thread_id });
	const turns = h.runner.readThread({ thread_id: thread.thread_id, limit: 10 }).turns;
	expect(turns.map((turn) => turn.turn_id)).toEqual([first, second]);
	expect(turns[1]?.items.map((item) => item.type)).toEqual(["userMessage", "agentMessage"]);
	await say(h, thread.thread_id, "d");
	expect(historyTexts(h, thread.thread_id)).toEqual(["a", "one", "b", "two", "d", "forked"]);
	expect(historyTexts(h, thread_id)).toEqual(["a", "one", "b", "two", "c", "three"]);
	await h.runner.deleteThread({ thread_id }, call());
	const kept = h.runner.readThread({ thread_id: thread.thread_id, limit: 10 }).turns;
	expect(kept[0]?.items).toHaveLength(2);
	const unknown = h.runner.fork({ thread_id: thread.thread_id, last_turn_id: "nope" }, call());
	await expect(unknown).rejects.toMatchObject({ code: "TURN_NOT_FOUND" });
});

test("codex threads: a deleted thread is told and cannot be used; a running one is not deleted", async () => {
	await using h = await createHarness({ script: [["x", { gate: "g" }]] });
	const gone: string[] = [];
	h.runner.onThreadDeleted((threadId) => gone.push(threadId));
	const thread_id = await start(h);
	const { turn_id } = await h.runner.startTurn({ thread_id, input: words("go") }, call());
	await h.gates.reached("g");
	await expect(h.runner.deleteThread({ thread_id }, call())).rejects.toMatchObject({ code: "BUSY" });
	h.gates.open("g");
	await h.when("chat.turn.completed", turn_id);
	await h.runner.deleteThread({ thread_id }, call());
	expect(gone).toEqual([thread_id]);
	const again = h.runner.startTurn({ thread_id, input: words("x") }, call());
	await expect(again).rejects.toMatchObject({ code: "THREAD_NOT_FOUND" });
});

/** A loop that compacts when its turn is for that, and otherwise remembers and answers. */
const compacting: RunTurn = async (input, ports) => {
	const told: LoopEvent[] =
		input.kind === "compact"
			? [
					{
						type: "history_replaced",
						items: [{ type: "message", role: "user", content: [{ text: "summary" }] }],
					},
				]
			: input.messages.map(({ text }) => ({
					type: "history",
					items: [{ type: "message", role: "user", content: [{ text }] }],
				}));
	for (const event of told) await ports.emit(event);
	return { status: "completed", finalText: String(input.windowNumber) };
};

test("codex threads: a rollback takes turns out, and a compaction that is rolled back gives the history back", async () => {
	await using h = await createHarness({ deps: { runTurn: compacting } });
	const thread_id = await start(h);
	await say(h, thread_id, "a");
	await say(h, thread_id, "b");
	const { turn_id } = await h.runner.compact({ thread_id }, call());
	await h.when("chat.turn.completed", turn_id);
	expect(h.ended.at(-1)).toMatchObject({ turn_id, final_text: "0" });
	expect(historyTexts(h, thread_id)).toEqual(["summary"]);
	await say(h, thread_id, "c");
	expect(h.ended.at(-1)).toMatchObject({ final_text: "1" });
	expect(historyTexts(h, thread_id)).toEqual(["summary", "c"]);
	const { thread } = await h.runner.fork({ thread_id }, call());
	expect(historyTexts(h, thread.thread_id)).toEqual(["summary", "c"]);
	const back = await h.runner.rollback({ thread_id, turns: 2 }, call());
	expect(back.thread.turn_count).toBe(2);
	expect(historyTexts(h, thread_id)).toEqual(["a", "b"]);
	await say(h, thread_id, "d");
	expect(historyTexts(h, thread_id)).toEqual(["a", "b", "d"]);
	expect(historyTexts(h, thread.thread_id)).toEqual(["summary", "c"]);
	await expect(h.runner.rollback({ thread_id, turns: 0 }, call())).rejects.toMatchObject({
		code: "INVALID_PARAMS",
	});
});

test("codex threads: a review turn has its target's prompt, and is refused beside another turn", async () => {
	const seen: unknown[] = [];
	const runTurn: RunTurn = async (input) => {
		seen.push(input.kind, input.review);
		return { status: "completed", finalText: null };
	};
	await using h = await createHarness({ deps: { runTurn } });
	const thread_id = await start(h);
	const target = { type: "commit", sha: "abcdef0123456789", title: "My title" };
	const review = await h.runner.review({ thread_id, target }, call());
	expect(review.hint).toBe("commit abcdef0: My title");
	await h.when("chat.turn.completed", review.turn_id);
	expect(seen).toEqual(["review", { target, userFacingHint: review.hint, prompt: review.prompt }]);
	expect(h.runner.readThread({ thread_id, limit: 1 }).turns[0]?.kind).toBe("review");
	const odd = h.runner.review({ thread_id, target: { type: "nothing" } }, call());
	await expect(odd).rejects.toMatchObject({ code: "INVALID_PARAMS" });
});

test("codex threads: a message for a compacting turn waits for its own turn, and injected items wait for the end", async () => {
	const gate = Promise.withResolvers<void>();
	const runTurn: RunTurn = async (input, ports, signal) => {
		if (input.kind === "compact") await gate.promise;
		return compacting(input, ports, signal);
	};
	await using h = await createHarness({ deps: { runTurn } });
	const thread_id = await start(h);
	const compact = await h.runner.compact({ thread_id }, call());
	const sent = await h.runner.startTurn({ thread_id, input: words("later") }, call());
	expect(sent).toMatchObject({ delivery: "queued" });
	expect(sent.turn_id).not.toBe(compact.turn_id);
	const items = [{ type: "message", role: "user", content: [{ text: "injected" }] }];
	await h.runner.injectItems({ thread_id, items }, call());
	expect(historyTexts(h, thread_id)).toEqual([]);
	gate.resolve();
	await h.when("chat.turn.completed", sent.turn_id);
	expect(historyTexts(h, thread_id)).toEqual(["summary", "injected", "later"]);
	await h.runner.injectItems({ thread_id, items }, call());
	expect(historyTexts(h, thread_id).at(-1)).toBe("injected");
});

test("codex threads: a client's answer goes to the tool once, and the thread waits for it visibly", async () => {
	await using h = await createHarness({ script: [[{ call: { question: true }, id: "c1" }], ["done"]] });
	const thread_id = await start(h);
	const { turn_id } = await h.runner.startTurn({ thread_id, input: words("go") }, call());
	const asked = await h.until(
		(event): event is Extract<ChatEvent, { type: "chat.question.required" }> =>
			event.type === "chat.question.required",
	);
	expect(asked).toMatchObject({ thread_id, turn_id, item_id: "c1" });
	expect(asked.question.params).toEqual({ threadId: thread_id, turnId: turn_id, questions: [] });
	expect(h.runner.readThread({ thread_id, limit: 1 })).toMatchObject({
		thread: { status: "needs_you" },
		questions: [{ question_id: asked.question.question_id }],
	});
	const { question_id } = asked.question;
	const answer = { question_id, result: { answers: {} } };
	const { question } = await h.runner.respondQuestion(answer, call("phone"));
	expect(question).toMatchObject({ status: "answered", resolved_by: "phone" });
	await expect(h.runner.respondQuestion(answer, call())).rejects.toMatchObject({
		code: "QUESTION_NOT_FOUND",
	});
	await h.when("chat.turn.completed", turn_id);
	expect(h.provider.requests[1]?.input.at(-1)).toMatchObject({
		output: '{"type":"result","result":{"answers":{}}}',
	});
	expect(h.runner.listQuestions({})).toEqual([]);
});

test("codex threads: a question expires with its turn", async () => {
	await using h = await createHarness({ script: [[{ call: { question: true }, id: "c1" }]] });
	const thread_id = await start(h);
	await h.runner.startTurn({ thread_id, input: words("go") }, call());
	await h.when("chat.question.required");
	await h.runner.cancel({ thread_id }, call());
	const resolved = await h.when("chat.question.resolved");
	expect(resolved).toMatchObject({ question: { status: "expired", resolved_by: null } });
	expect(h.runner.listQuestions({ thread_id })).toEqual([]);
});

test("codex threads: whatever a loop says reaches its listeners with both ids, and deltas one by one", async () => {
	const item = { type: "reasoning" as const, id: "r1", summary: [], content: [] };
	const told: LoopEvent[] = [
		{ type: "item_started", item },
		{ type: "reasoning_part", itemId: "r1", summaryIndex: 0 },
		{ type: "reasoning_delta", itemId: "r1", summaryIndex: 0, delta: "a" },
		{ type: "reasoning_delta", itemId: "r1", summaryIndex: 0, delta: "b" },
		{ type: "reasoning_text_delta", itemId: "r1", contentIndex: 0, delta: "raw" },
		{ type: "item_started", item: { type: "plan", id: "p1", text: "" } },
		{ type: "plan_delta", itemId: "p1", delta: "step" },
		{ type: "plan_updated", explanation: null, plan: [{ step: "x", status: "pending" }] },
		{ type: "note", method: "account/rateLimits/updated", params: { rateLimits: {} } },
	];
	const runTurn: RunTurn = async (_input, ports) => {
		for (const event of told) await ports.emit(event);
		return { status: "completed", finalText: null };
	};
	await using h = await createHarness({ deps: { runTurn } });
	const heard: ChatEvent[] = [];
	h.runner.onEvent((event) => heard.push(event));
	const thread_id = await start(h);
	const turn_id = await say(h, thread_id, "go");
	expect(heard.every((event) => event.thread_id === thread_id && event.turn_id === turn_id)).toBe(true);
	expect(heard.map((event) => event.type)).toEqual([
		"chat.turn.started",
		"chat.item.started",
		"chat.reasoning.part",
		"chat.reasoning.delta",
		"chat.reasoning.delta",
		"chat.reasoning.raw",
		"chat.item.started",
		"chat.plan.delta",
		"chat.plan.updated",
		"chat.codex",
		"chat.turn.completed",
	]);
	expect(heard.at(-2)).toMatchObject({ params: { threadId: thread_id, turnId: turn_id, rateLimits: {} } });
	const deltas = h.events.filter((event) => event.type === "chat.reasoning.delta");
	expect(deltas).toMatchObject([{ delta: "ab" }]);
	const open = h.runner.readThread({ thread_id, limit: 1 }).turns[0]?.items;
	expect(open).toMatchObject([
		{ type: "userMessage" },
		{ summary: ["ab"], content: ["raw"] },
		{ text: "step" },
	]);
});

test("codex threads: an approval that nobody answers in time expires, and is written down", async () => {
	const script = [[{ call: { ask: true }, id: "c1" }], ["ok"]];
	await using h = await createHarness({ script, deps: { approvalExpiryMs: 1 } });
	const thread_id = await start(h);
	const turn_id = await say(h, thread_id, "go");
	expect(h.runner.listApprovals({ thread_id, all: true })).toMatchObject([
		{ status: "expired", resolved_reason: "nobody answered in time" },
	]);
	expect(h.tool.acted).toEqual([]);
	expect(h.events.filter((event) => event.type === "chat.approval.resolved")).toHaveLength(1);
	expect(h.events.at(-1)).toMatchObject({ type: "chat.turn.completed", turn_id });
	expect(readAudit(h.store, 10).map((row) => row.decision)).toContain("expired");
});

test("codex threads: only the prefix that was proposed can be allowed, and the tool hears of it", async () => {
	const script = [[{ call: { ask: true, prefix: ["act"] }, id: "c1" }], ["ok"]];
	await using h = await createHarness({ script });
	const thread_id = await start(h);
	const { turn_id } = await h.runner.startTurn({ thread_id, input: words("go") }, call());
	await h.when("chat.approval.required");
	const [approval] = h.runner.listApprovals({ thread_id, all: false });
	expect(approval).toMatchObject({
		proposed_prefix: ["act"],
		actions: [{ type: "unknown", command: "act" }],
	});
	const answer = {
		approval_id: approval?.approval_id ?? "",
		decision: "accept" as const,
		digest: "digest-1",
	};
	const other = h.runner.respondApproval({ ...answer, allow_prefix: ["rm"] }, call());
	await expect(other).rejects.toMatchObject({ code: "INVALID_PARAMS" });
	await h.runner.respondApproval({ ...answer, allow_prefix: ["act"] }, call());
	await h.when("chat.turn.completed", turn_id);
	expect(h.tool.allowed).toEqual([["act"]]);
});
