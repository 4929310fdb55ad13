import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDeferred } from "#base/deferred.ts";
import { newId } from "#base/id.ts";
import type { Environment } from "#daemon/agent/environment.ts";
import { createAgentTools } from "#daemon/agent/tool/index.ts";
import { defineTool } from "#daemon/agent/tool.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";
import { call, createHarness, type Harness, type Say } from "./harness.ts";

const send = (thread_id: string, text: string, when_busy: "steer" | "queue" = "steer") => ({
	thread_id,
	text,
	when_busy,
});
const isRequired = (event: ChatEvent): event is Extract<ChatEvent, { type: "chat.approval.required" }> =>
	event.type === "chat.approval.required";

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "crash-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What kill -9 leaves on disk: the database and its journal as they are at this moment. */
async function crashCopy(h: Harness): Promise<string> {
	const path = join(folder, "homie.db");
	await copyFile(h.store.path, path);
	await copyFile(`${h.store.path}-wal`, `${path}-wal`);
	return path;
}

async function afterCrash(h: Harness, options: { script?: Say[][]; alive?: boolean } = {}): Promise<Harness> {
	const path = await crashCopy(h);
	const next = await createHarness({
		path,
		script: options.script ?? [],
		deps: { isProcessAlive: () => options.alive ?? false },
	});
	await next.runner.recover();
	return next;
}

test("recover: a running turn is interrupted with the reason, its words stay, and the thread goes on", async () => {
	await using h = await createHarness({ script: [["part ", { gate: "g" }]] });
	const threadId = await h.thread();
	const sent = await h.runner.sendMessage(send(threadId, "hi"), call());
	await h.gates.reached("g");
	await using next = await afterCrash(h);
	const { thread, turns } = next.runner.readThread({ thread_id: threadId, limit: 10 });
	expect(thread).toMatchObject({ status: "idle", active_turn_id: null });
	expect(turns).toMatchObject([
		{ turn_id: sent.turn_id, status: "interrupted", reason: "the daemon stopped while this turn ran" },
	]);
	expect(turns[0]?.items[0]).toMatchObject({ type: "userMessage", content: [{ text: "hi" }] });
	expect(next.ended).toMatchObject([{ turn_id: sent.turn_id, status: "interrupted" }]);
	expect(next.provider.requests).toHaveLength(0);
	const again = await next.runner.sendMessage(send(threadId, "on"), call());
	await next.when("chat.turn.completed", again.turn_id);
	const texts = next.provider.requests[0]?.input.map((item) => JSON.stringify(item)) ?? [];
	expect(texts[0]).toContain("hi");
	expect(texts[1]).toContain("turn_aborted");
	expect(texts[2]).toContain("on");
});

test("recover: a pending approval expires with the reason and a late answer is refused", async () => {
	await using h = await createHarness({ script: [[{ call: { ask: true }, id: "c1" }]] });
	const threadId = await h.thread();
	await h.runner.sendMessage(send(threadId, "go"), call());
	const { approval } = await h.until(isRequired);
	await using next = await afterCrash(h);
	expect(next.runner.listApprovals({ all: true })).toMatchObject([
		{ status: "expired", resolved_reason: "the daemon stopped while this turn ran" },
	]);
	const answer = { approval_id: approval.approval_id, decision: "accept" as const, digest: "digest-1" };
	await expect(next.runner.respondApproval(answer, call())).rejects.toMatchObject({
		code: "APPROVAL_EXPIRED",
	});
	const { turns } = next.runner.readThread({ thread_id: threadId, limit: 1 });
	expect(turns[0]?.items.at(-1)).toMatchObject({ id: "c1", status: "declined" });
	expect(next.published.filter((entry) => entry.topic === "approvals.state")).toMatchObject([
		{ event: { op: "remove" } },
	]);
	expect(next.tool.acted).toEqual([]);
});

test("recover: a command without an end is of unknown outcome, its living process named, its call answered, never repeated", async () => {
	await using h = await createHarness({ script: [[{ call: { gate: "cmd" }, id: "c1" }]] });
	const threadId = await h.thread();
	await h.runner.sendMessage(send(threadId, "go"), call());
	await h.gates.reached("cmd");
	await using next = await afterCrash(h, { alive: true });
	const { turns } = next.runner.readThread({ thread_id: threadId, limit: 1 });
	expect(turns[0]?.reason).toContain("process 4242");
	expect(turns[0]?.items.at(-1)).toMatchObject({ id: "c1", status: "outcomeUnknown" });
	const again = await next.runner.sendMessage(send(threadId, "on"), call());
	await next.when("chat.turn.completed", again.turn_id);
	expect(next.tool.acted).toEqual([]);
	const input = next.provider.requests[0]?.input ?? [];
	const at = input.findIndex((item) => item.type === "function_call");
	expect(at).toBeGreaterThan(0);
	expect(input[at + 1]).toMatchObject({ type: "function_call_output", call_id: "c1" });
	h.gates.open("cmd");
});

test("recover: a message that waited becomes a turn, once", async () => {
	await using h = await createHarness({ script: [["a ", { gate: "g" }]] });
	const threadId = await h.thread();
	await h.runner.sendMessage(send(threadId, "first"), call());
	await h.gates.reached("g");
	const queued = await h.runner.sendMessage(send(threadId, "later", "queue"), call());
	await using next = await afterCrash(h, { script: [["late answer"]] });
	await next.when("chat.turn.completed", queued.turn_id);
	const { turns } = next.runner.readThread({ thread_id: threadId, limit: 10 });
	expect(turns.map((turn) => turn.status)).toEqual(["interrupted", "completed"]);
	expect(next.provider.requests).toHaveLength(1);
});

test("recover: a call of a client's tool without an end is of unknown outcome", async () => {
	const asked = createDeferred<void>();
	const tool = defineTool({
		name: "act",
		spec: { type: "function", name: "act" },
		async execute(_input, context) {
			const item = { type: "dynamicToolCall" as const, id: context.callId, tool: "act", arguments: {} };
			const open = { contentItems: null, success: null, durationMs: null };
			await context.items.started({ ...item, ...open, status: "inProgress" });
			await context.effects.intend({ itemId: item.id, kind: "call", detail: { tool: "act" } });
			asked.resolve();
			await context.askClient?.({ itemId: item.id, kind: "tool_call", params: {} });
			return { output: "", success: false, stopTurn: false };
		},
	});
	await using h = await createHarness({
		script: [[{ call: {}, id: "c1" }]],
		deps: { tools: async () => [tool] },
	});
	const threadId = await h.thread();
	await h.runner.sendMessage(send(threadId, "go"), call());
	await asked.promise;
	await h.when("chat.question.required");
	await using next = await afterCrash(h);
	const { turns } = next.runner.readThread({ thread_id: threadId, limit: 1 });
	expect(turns[0]?.items.at(-1)).toMatchObject({ id: "c1", status: "outcomeUnknown" });
	expect(next.runner.listQuestions({})).toEqual([]);
});

test("recover: a person's own command is not run again, and a side thread is gone with its turn", async () => {
	const started: string[] = [];
	const ran = createDeferred<void>();
	const environment: Environment = {
		machineId: "machine-1",
		sandbox: { kind: "none", available: false, detail: null },
		exec({ argv }) {
			started.push(argv.at(-1) ?? "");
			ran.resolve();
			const never = new Promise<never>(() => undefined);
			const nothing = { [Symbol.dispose]: () => undefined };
			return { pid: null, startTime: null, onOutput: () => nothing, kill: () => undefined, done: never };
		},
		readText: async () => undefined,
		writeText: async () => undefined,
		remove: async () => undefined,
		realPath: async (path) => path,
	};
	const protectedPaths = { folders: [], files: [], exposed: [] };
	const { running, runUserCommand } = createAgentTools({ newId, protectedPaths, userHome: undefined });
	const commands = { runUserCommand, terminate: running.terminate, killTurn: running.killTurn };
	await using h = await createHarness({ script: [["x", { gate: "g" }]], deps: { environment, commands } });
	const threadId = await h.thread();
	await h.runner.shellCommand({ thread_id: threadId, command: "rm it" }, call());
	await ran.promise;
	const side = await h.runner.startThread({ cwd: h.cwd, settings: { ephemeral: true } }, call());
	await h.runner.sendMessage(send(side.thread.thread_id, "psst"), call());
	await h.gates.reached("g");
	await using next = await afterCrash(h);
	const { thread, turns } = next.runner.readThread({ thread_id: threadId, limit: 1 });
	expect(thread.status).toBe("idle");
	expect(turns).toMatchObject([{ kind: "user_shell", status: "interrupted" }]);
	expect(turns[0]?.items.at(-1)).toMatchObject({ type: "commandExecution", status: "outcomeUnknown" });
	expect(started).toEqual(["rm it"]);
	expect(() => next.runner.readThread({ thread_id: side.thread.thread_id, limit: 1 })).toThrow(/no thread/);
	expect(next.ended.map(({ thread_id }) => thread_id)).toEqual([threadId]);
});
