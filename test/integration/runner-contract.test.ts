import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChatEvent } from "#protocol/chat-event.ts";
import type { RunnerKind } from "#protocol/record.ts";
import { oracleMissing } from "#test/support/codex-oracle.ts";
import { ofType, type RunnerDaemon, startRunnerDaemon } from "#test/support/runner-daemon.ts";
import {
	type ScriptedItem,
	type ScriptedModel,
	type ScriptedResponse,
	startScriptedModel,
	writeCodexHome,
} from "#test/support/scripted-model.ts";

const say = (text: string): ScriptedResponse => ({ items: [{ type: "text", text }] });
const run = (cmd: string, more: Record<string, unknown> = {}): ScriptedResponse => ({
	items: [
		{
			type: "function_call",
			name: "exec_command",
			args: { cmd, ...more },
			call_id: `call_${cmd.length}`,
		} satisfies ScriptedItem,
	],
});
const PATCH = "*** Begin Patch\n*** Add File: added.txt\n+new\n*** End Patch\n";

/** What a model was told in one request, after context: roles with texts, calls and outputs by their type. */
function told(model: ScriptedModel, index = -1): string[] {
	const body = model.requests.at(index)?.body as { input: Record<string, unknown>[] } | undefined;
	return (body?.input ?? []).flatMap((item) => {
		if (item["type"] !== "message") return [String(item["type"])];
		const content = item["content"];
		const text = Array.isArray(content) ? content.map((part) => String(part.text ?? "")).join("") : "";
		if (item["role"] === "developer" || text.startsWith("<environment_context>")) return [];
		return [`${String(item["role"])}: ${text}`];
	});
}

const missing = oracleMissing();
if (missing !== null) console.log(`the contract of runners, cli half: skipped, ${missing}`);

const BACKENDS: readonly RunnerKind[] = ["embedded", "cli"];

describe.each(BACKENDS)("runner contract, %s", (backend) => {
	describe.skipIf(backend === "cli" && missing !== null)("on one daemon", () => {
		let daemon: RunnerDaemon;

		beforeAll(async () => {
			daemon = await startRunnerDaemon(backend);
		});
		afterAll(async () => {
			await daemon?.[Symbol.asyncDispose]();
		});

		async function script(responses: readonly ScriptedResponse[], extra = ""): Promise<ScriptedModel> {
			const model = await startScriptedModel({ responses });
			const tail = `request_max_retries = 0\nstream_max_retries = 0\n\n[analytics]\nenabled = false\n${extra}`;
			writeCodexHome(daemon.codexHome, model.url, tail);
			return model;
		}

		test("runner: text has its phases, reasoning its summary, and usage is told when a turn completes", async () => {
			await using model = await script([
				{
					items: [
						{ type: "reasoning", summary: ["**Plan** it"] },
						{ type: "text", text: "I look.", phase: "commentary" },
						{ type: "text", text: "It is so.", phase: "final_answer" },
					],
				},
			]);
			using thread = await daemon.open();
			const turn = await thread.turn("go");
			expect(turn.status).toBe("completed");
			expect(
				thread
					.completed(turn.turn_id)
					.map((item) => [item.type, item.type === "agentMessage" ? item.phase : null]),
			).toEqual([
				["userMessage", null],
				["reasoning", null],
				["agentMessage", "commentary"],
				["agentMessage", "final_answer"],
			]);
			expect((await thread.until(ofType("chat.usage.updated"))).usage.total.totalTokens).toBe(110);
			const { thread: stored, turns } = await daemon.client.call("chat.thread.read", {
				thread_id: thread.threadId,
			});
			expect(turns[0]?.items).toEqual(thread.completed(turn.turn_id));
			expect(stored.usage?.total.totalTokens).toBe(110);
			expect(told(model)).toEqual(["user: go"]);
		});

		test.each([
			["accept", "completed", true, "completed"],
			["decline", "completed", false, "declined"],
			["cancel", "interrupted", false, "declined"],
		] as const)(
			"runner: a command runs or not as the person says when they %s",
			async (decision, status, ran, itemStatus) => {
				await using _model = await script([run("touch made.txt"), say("done")]);
				const cwd = await daemon.newFolder();
				using thread = await daemon.open({ cwd, approval_policy: "untrusted" });
				const turnId = await thread.send("go");
				const approval = await thread.approval();
				expect(approval).toMatchObject({ kind: "command", status: "pending", cwd, turn_id: turnId });
				expect(approval.command).toContain("touch made.txt");
				expect(existsSync(join(cwd, "made.txt"))).toBe(false);
				await thread.answer(approval, decision);
				expect((await thread.ended(turnId)).status).toBe(status);
				expect(existsSync(join(cwd, "made.txt"))).toBe(ran);
				const command = thread.completed(turnId).find((item) => item.type === "commandExecution");
				expect(command).toMatchObject({ status: itemStatus, id: approval.item_id });
			},
		);

		test("runner: the same command is asked once when it was accepted for the session", async () => {
			await using _model = await script([run("touch a.txt"), say("one"), run("touch a.txt"), say("two")]);
			using thread = await daemon.open({ approval_policy: "untrusted" });
			const first = await thread.send("go");
			await thread.answer(await thread.approval(), "accept_for_session");
			await thread.ended(first);
			expect((await thread.turn("again")).status).toBe("completed");
			expect(thread.events.filter(ofType("chat.approval.required"))).toHaveLength(1);
		});

		test("runner: an answer for another digest is refused, and the right one counts", async () => {
			await using _model = await script([run("touch a.txt"), say("done")]);
			using thread = await daemon.open({ approval_policy: "untrusted" });
			const turnId = await thread.send("go");
			const approval = await thread.approval();
			await expect(thread.answer({ ...approval, digest: "0".repeat(64) }, "accept")).rejects.toThrow();
			await thread.answer(approval, "accept");
			await expect(thread.answer(approval, "decline")).rejects.toThrow();
			expect((await thread.ended(turnId)).status).toBe("completed");
		});

		test("runner: a patch is shown, applied and in the diff when it is accepted", async () => {
			const patch: ScriptedResponse = {
				items: [{ type: "custom_tool_call", name: "apply_patch", input: PATCH, call_id: "call_p" }],
			};
			await using _model = await script([patch, say("done")]);
			const cwd = await daemon.newFolder();
			using thread = await daemon.open({ cwd, approval_policy: "untrusted" });
			const turnId = await thread.send("go");
			const approval = await thread.approval();
			expect(approval).toMatchObject({ kind: "patch", changes: [{ path: join(cwd, "added.txt") }] });
			await thread.answer(approval, "accept");
			await thread.ended(turnId);
			expect(await readFile(join(cwd, "added.txt"), "utf8")).toBe("new\n");
			expect((await thread.until(ofType("chat.diff.updated"))).diff).toContain("+new");
		});

		test("runner: the words so far stay and the next turn knows of the interrupt when it comes in mid stream", async () => {
			await using model = await script([
				{ items: [{ type: "text", chunks: ["Partial ", { gate: "never" }, "unseen"] }] },
				say("after"),
			]);
			using thread = await daemon.open();
			const turnId = await thread.send("go");
			await thread.until(ofType("chat.message.delta"));
			await daemon.client.call("chat.cancel", { thread_id: thread.threadId });
			expect((await thread.ended(turnId)).status).toBe("interrupted");
			const next = await thread.turn("next");
			expect(thread.said(next.turn_id)).toBe("after");
			const lines = told(model);
			expect([lines[0], lines.at(-1)]).toEqual(["user: go", "user: next"]);
			expect(lines[1]).toMatch(/^user: <turn_aborted>/);
			const { turns } = await daemon.client.call("chat.thread.read", { thread_id: thread.threadId });
			expect(turns[0]?.items).toMatchObject([{ type: "userMessage" }, { text: "Partial " }]);
		});

		test("runner: the command ends with its turn when a client of ours interrupts it", async () => {
			await using _model = await script([run("echo $$ > pid; sleep 60"), say("never")]);
			const cwd = await daemon.newFolder();
			using thread = await daemon.open({ cwd });
			const turnId = await thread.send("go");
			const isCommand = (event: ChatEvent): event is Extract<ChatEvent, { type: "chat.item.started" }> =>
				event.type === "chat.item.started" && event.item.type === "commandExecution";
			await thread.until(isCommand);
			await expect.poll(() => readFile(join(cwd, "pid"), "utf8").catch(() => "")).not.toBe("");
			const pid = Number(await readFile(join(cwd, "pid"), "utf8"));
			await daemon.client.call("chat.cancel", { thread_id: thread.threadId });
			expect((await thread.ended(turnId)).status).toBe("interrupted");
			await expect.poll(() => thread.completed(turnId).at(-1)?.type).toBe("commandExecution");
			await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
		});

		test("runner: the question expires, nothing runs and the next turn works when an interrupt comes in mid approval", async () => {
			await using _model = await script([run("touch made.txt"), say("after")]);
			const cwd = await daemon.newFolder();
			using thread = await daemon.open({ cwd, approval_policy: "untrusted" });
			const turnId = await thread.send("go");
			const approval = await thread.approval();
			await daemon.client.call("chat.cancel", { thread_id: thread.threadId });
			expect((await thread.ended(turnId)).status).toBe("interrupted");
			expect((await thread.until(ofType("chat.approval.resolved"))).approval.status).toBe("expired");
			await expect(thread.answer(approval, "accept")).rejects.toThrow();
			expect(thread.said((await thread.turn("next")).turn_id)).toBe("after");
			expect(existsSync(join(cwd, "made.txt"))).toBe(false);
		});

		test("runner: the stream is cut and the message is answered in the same turn when it is steered", async () => {
			await using model = await script([
				{ items: [{ type: "text", chunks: ["First ", { gate: "go" }, "part."] }] },
				say("steered"),
			]);
			using thread = await daemon.open();
			const turnId = await thread.send("go");
			await thread.until(ofType("chat.message.delta"));
			await daemon.client.call("chat.steer", {
				thread_id: thread.threadId,
				text: "Rather this",
				expected_turn_id: turnId,
			});
			expect((await thread.ended(turnId)).status).toBe("completed");
			expect(thread.said(turnId)).toBe("steered");
			expect(told(model)).toEqual(["user: go", "user: Rather this"]);
		});

		test("runner: a message has its own turn after the running one when it is queued", async () => {
			await using model = await script([
				{ items: [{ type: "text", chunks: ["First ", { gate: "go" }, "part."] }] },
				say("second"),
			]);
			using thread = await daemon.open();
			const first = await thread.send("go");
			await thread.until(ofType("chat.message.delta"));
			await daemon.client.call("chat.message.send", {
				thread_id: thread.threadId,
				text: "later",
				when_busy: "queue",
			});
			model.release("go");
			expect((await thread.ended(first)).status).toBe("completed");
			const isNext = (event: (typeof thread.events)[number]) =>
				event.type === "chat.turn.completed" && event.turn_id !== first;
			await expect.poll(() => thread.events.some(isNext)).toBe(true);
			const next = thread.events.find(isNext);
			expect(thread.said(next?.type === "chat.turn.completed" ? next.turn_id : "")).toBe("second");
		});

		test("runner: later requests carry the summary instead of the answers when the thread was compacted", async () => {
			await using model = await script([say("old answer"), say("SUMMARY"), say("after"), say("later")]);
			using thread = await daemon.open();
			await thread.turn("one");
			const { turn_id } = await daemon.client.call("chat.compact", { thread_id: thread.threadId });
			expect((await thread.ended(turn_id)).status).toBe("completed");
			expect(thread.completed(turn_id).map((item) => item.type)).toEqual(["contextCompaction"]);
			await thread.turn("two");
			await thread.turn("three");
			const lines = told(model).join("\n");
			expect(lines).not.toContain("old answer");
			expect(lines).toContain("SUMMARY");
			expect(told(model).slice(-3)).toEqual(["user: two", "assistant: after", "user: three"]);
		});

		test("runner: a review has its own items and its result is known later", async () => {
			await using model = await script([say("Looks fine."), say("after")]);
			using thread = await daemon.open();
			const { turn_id } = await daemon.client.call("chat.review", {
				thread_id: thread.threadId,
				target: { type: "custom", instructions: "look at it" },
			});
			expect((await thread.ended(turn_id)).status).toBe("completed");
			const types = thread.completed(turn_id).map((item) => item.type);
			expect(types).toContain("enteredReviewMode");
			expect(types).toContain("exitedReviewMode");
			await thread.turn("so?");
			expect(told(model).join("\n")).toContain("Looks fine.");
		});

		test("runner: the next turn does not know the turns that were rolled back", async () => {
			await using model = await script([say("A"), say("B"), say("C")]);
			using thread = await daemon.open();
			await thread.turn("one");
			await thread.turn("two");
			await daemon.client.call("chat.rollback", { thread_id: thread.threadId, turns: 1 });
			await thread.turn("three");
			expect(told(model)).toEqual(["user: one", "assistant: A", "user: three"]);
		});

		test("runner: a fork and its source go on from the same place without each other", async () => {
			await using model = await script([say("A"), say("B"), say("C")]);
			using thread = await daemon.open();
			await thread.turn("one");
			const forked = await daemon.client.call("chat.fork", { thread_id: thread.threadId });
			using fork = await daemon.follow(forked.thread.thread_id);
			await fork.turn("in the fork");
			expect(told(model)).toEqual(["user: one", "assistant: A", "user: in the fork"]);
			await thread.turn("in the source");
			expect(told(model)).toEqual(["user: one", "assistant: A", "user: in the source"]);
		});

		test("runner: the history goes along when the thread is given to the other backend and back", async () => {
			if (missing !== null) return console.log(`the other backend: skipped, ${missing}`);
			await using model = await script([run("echo hi"), say("A"), say("B"), say("C"), say("D")]);
			using thread = await daemon.open();
			const other = backend === "cli" ? "embedded" : "cli";
			const give = (runner: RunnerKind) =>
				daemon.client.call("chat.settings.update", { thread_id: thread.threadId, runner });
			await thread.turn("one");
			await give(other);
			await thread.turn("two");
			const soFar = ["user: one", "function_call", "function_call_output", "assistant: A", "user: two"];
			expect(told(model)).toEqual(soFar);
			await give(backend);
			await thread.turn("three");
			expect(told(model)).toEqual([...soFar, "assistant: B", "user: three"]);
			await thread.turn("four");
			expect(told(model)).toEqual([...soFar, "assistant: B", "user: three", "assistant: C", "user: four"]);
		});

		test("runner: a plan is told when the model updates it", async () => {
			const plan: ScriptedItem = {
				type: "function_call",
				name: "update_plan",
				args: { explanation: "why", plan: [{ step: "look", status: "in_progress" }] },
				call_id: "call_plan",
			};
			await using _model = await script(
				[{ items: [plan] }, say("done")],
				"[tools.update_plan]\nenabled = true\n",
			);
			using thread = await daemon.open();
			await thread.turn("go");
			expect(await thread.until(ofType("chat.plan.updated"))).toMatchObject({
				explanation: "why",
				plan: [{ step: "look", status: "inProgress" }],
			});
		});

		test("runner: a tool of an MCP server is called", async () => {
			const server = join(import.meta.dirname, "../support/mcp/example-server.ts");
			const table = `[mcp_servers.example]\ncommand = ${JSON.stringify(process.execPath)}\nargs = [${JSON.stringify(server)}]\n`;
			const call: ScriptedItem = {
				type: "raw",
				item: {
					type: "function_call",
					id: "fc_1",
					name: "echo",
					namespace: "mcp__example",
					arguments: '{"text":"hello"}',
					call_id: "call_mcp",
				},
			};
			// The program does not wait for a server that starts slowly; the model asks again then.
			const turns = 20;
			const pairs = Array.from({ length: turns }, () => [{ items: [call] }, say("done")]).flat();
			await using _model = await script(pairs, table);
			using thread = await daemon.open();
			const calls = (turnId: string) =>
				thread.completed(turnId).filter((item) => item.type === "mcpToolCall");
			let turnId = "";
			for (let left = turns; left > 0 && calls(turnId).length === 0; left -= 1)
				turnId = (await thread.turn("go")).turn_id;
			expect(calls(turnId)[0]).toMatchObject({
				server: "example",
				tool: "echo",
				status: "completed",
			});
		});

		test("runner: each thread gets its own answers when several run at once", async () => {
			await using model = await startScriptedModel({ responses: [say("same for all")], repeatLast: true });
			writeCodexHome(daemon.codexHome, model.url);
			const threads = await Promise.all(Array.from({ length: 6 }, () => daemon.open()));
			const turns = await Promise.all(threads.map((thread, index) => thread.turn(`task ${index}`)));
			for (const [index, thread] of threads.entries()) {
				expect(thread.completed(turns[index]?.turn_id ?? "")).toMatchObject([
					{ type: "userMessage", content: [{ text: `task ${index}` }] },
					{ type: "agentMessage", text: "same for all" },
				]);
				expect(new Set(thread.events.map((event) => event.thread_id))).toEqual(new Set([thread.threadId]));
				thread[Symbol.dispose]();
			}
		});

		test("runner: a turn fails with the server's words and the next one works when the model refuses", async () => {
			await using _model = await script([
				{ status: 400, body: { error: { message: "no such parameter" } } },
				say("fine"),
			]);
			using thread = await daemon.open();
			const turn = await thread.turn("go");
			expect(turn).toMatchObject({ status: "failed", error: { codexErrorInfo: "other" } });
			expect(thread.said((await thread.turn("again")).turn_id)).toBe("fine");
		});

		test("runner: the thread goes on with its whole history when the daemon was started again", async () => {
			await using model = await script([run("echo hi"), say("A"), say("B"), say("C")]);
			let threadId: string;
			{
				using thread = await daemon.open();
				await thread.turn("one");
				threadId = thread.threadId;
			}
			await daemon.restart();
			using thread = await daemon.follow(threadId);
			await thread.turn("two");
			const soFar = ["user: one", "function_call", "function_call_output", "assistant: A", "user: two"];
			expect(told(model)).toEqual(soFar);
			await thread.turn("three");
			expect(told(model)).toEqual([...soFar, "assistant: B", "user: three"]);
			// A fork knows only what our store knows.
			const forked = await daemon.client.call("chat.fork", { thread_id: threadId });
			using fork = await daemon.follow(forked.thread.thread_id);
			await fork.turn("four");
			const all = [...soFar, "assistant: B", "user: three", "assistant: C", "user: four"];
			expect(told(model)).toEqual(all);
			expect((await thread.until(ofType("chat.usage.updated"))).usage.total.totalTokens).toBe(330);
		});

		test("runner: the turn is interrupted and the next one knows what was said when the daemon was killed", async () => {
			await using model = await script([
				say("A"),
				{ items: [{ type: "text", chunks: ["Half ", { gate: "never" }, "unseen"] }] },
				say("B"),
			]);
			let threadId: string;
			{
				using thread = await daemon.open();
				await thread.turn("one");
				await thread.send("two");
				await thread.until(ofType("chat.message.delta"), thread.events.length);
				threadId = thread.threadId;
			}
			const programs = await daemon.programs();
			await daemon.restart("SIGKILL");
			for (const pid of programs) await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
			using thread = await daemon.follow(threadId);
			await thread.turn("three");
			const lines = told(model);
			expect(lines.slice(0, 3)).toEqual(["user: one", "assistant: A", "user: two"]);
			expect(lines.at(-1)).toBe("user: three");
			expect(lines.filter((line) => line === "user: two")).toHaveLength(1);
		});
	});
});
