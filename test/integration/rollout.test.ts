import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { RunnerCall } from "#daemon/agent/runner/runner.ts";
import { viewTurns } from "#daemon/codex/thread/turn-view.ts";
import { openTestFacade, type TestFacade } from "../support/codex-facade.ts";
import { oracleMissing } from "../support/codex-oracle.ts";
import { openTestLibrary, startConversation } from "../support/rollout.ts";
import {
	type ScriptedModel,
	type ScriptedRequest,
	type ScriptedResponse,
	startScriptedModel,
	writeCodexHome,
} from "../support/scripted-model.ts";

const PATCH =
	"*** Begin Patch\n*** Update File: a.txt\n@@\n one\n-two\n+2\n*** Add File: d/new.txt\n+fresh\n*** Update File: c.txt\n*** Move to: moved.txt\n@@\n-move me\n+moved\n*** End Patch\n";

const SCRIPT: ScriptedResponse[] = [
	{
		items: [
			{ type: "reasoning", summary: ["**Thinking** about it", "More of it"], encrypted: "sealed-1" },
			{ type: "text", text: "Let me look.", phase: "commentary" },
			{ type: "function_call", name: "exec_command", args: { cmd: "cat a.txt; ls 'it is'; exit 3" } },
		],
	},
	{ items: [{ type: "custom_tool_call", name: "apply_patch", input: PATCH }] },
	{ items: [{ type: "text", text: "All done.", phase: "final_answer" }] },
	{ items: [{ type: "text", text: "cut", chunks: ["cut ", { gate: "cut" }] }] },
	{ status: 400, body: { error: { message: "bad request" } } },
	{ items: [{ type: "text", text: "What it came to." }] },
	{ items: [{ type: "text", text: "After the compaction." }] },
];

const call: RunnerCall = { label: "test", clientId: "client-1", idempotency: undefined };
const roots: string[] = [];

afterEach(async () => {
	for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
});

interface Stage {
	root: string;
	codexHome: string;
	work: string;
	model: ScriptedModel;
	env: Record<string, string>;
}

async function openStage(stack: AsyncDisposableStack, responses: ScriptedResponse[]): Promise<Stage> {
	const root = await mkdtemp(join(tmpdir(), "rollout-"));
	roots.push(root);
	const model = stack.use(await startScriptedModel({ responses }));
	const codexHome = join(root, "codex");
	writeCodexHome(codexHome, model.url, "request_max_retries = 0\nstream_max_retries = 0");
	const env = {
		...{ HOME: root, HOMIE_HOME: join(root, "h"), WEAVE_HOME: join(root, "w"), CODEX_HOME: codexHome },
		...{ PATH: process.env["PATH"] ?? "", SHELL: "/bin/bash" },
	};
	return { root, codexHome, work: join(root, "work"), model, env };
}

const inputOf = (request: ScriptedRequest | undefined): { role?: string; content?: unknown }[] => {
	const body = (request?.body ?? {}) as { input?: { role?: string; content?: unknown }[] };
	return body.input ?? [];
};
const texts = (request: ScriptedRequest | undefined): string => JSON.stringify(inputOf(request));

async function say(ours: TestFacade, threadId: string, text: string): Promise<void> {
	const end = Promise.withResolvers<void>();
	using _ended = ours.runner.onTurnEnded((turn) => void (turn.thread_id === threadId && end.resolve()));
	await ours.runner.startTurn({ thread_id: threadId, input: [{ type: "text", text }] }, call);
	await end.promise;
}

/** The whole thread as a Codex client reads it of us. */
const readOurs = (ours: TestFacade, threadId: string) =>
	viewTurns(ours.runner.readThread({ thread_id: threadId, limit: 100 }).turns, "full");

describe.skipIf(oracleMissing() !== null)("rollouts of the real codex", () => {
	test("rollout: a thread of the real codex reads the same here, goes on here, and the real one goes on with ours", async () => {
		await using stack = new AsyncDisposableStack();
		const stage = await openStage(stack, [...SCRIPT]);
		const { root, codexHome, work, model } = stage;
		let threadId = "";
		let real: unknown[] = [];
		{
			await using real1 = await startConversation(root, codexHome);
			await writeFile(join(work, "a.txt"), "one\ntwo\n");
			await writeFile(join(work, "c.txt"), "move me\n");
			const start = { cwd: work, approvalPolicy: "never", sandbox: "danger-full-access", model: "gpt-5.5" };
			const { thread } = await real1.oracle.request("thread/start", start);
			threadId = String((thread as { id: string }).id);
			await real1.say(threadId, "First message");
			const input = [{ type: "text", text: "Second, cut short", text_elements: [] }];
			const { turn } = await real1.oracle.request("turn/start", { threadId, input });
			await model.paused("cut");
			await real1.oracle.request("turn/interrupt", { threadId, turnId: (turn as { id: string }).id });
			await real1.ended(2);
			await real1.say(threadId, "Third, refused");
			await real1.oracle.request("thread/name/set", { threadId, name: "A name" });
			await real1.oracle.request("thread/compact/start", { threadId });
			await real1.ended(4);
			await real1.say(threadId, "Fifth");
			const read = await real1.oracle.request("thread/read", { threadId, includeTurns: true });
			real = (read["thread"] as { turns: unknown[] }).turns;
		}
		expect(real).toHaveLength(5);
		const types = (real as { items: { type: string }[] }[]).flatMap((turn) =>
			turn.items.map(({ type }) => type),
		);
		expect(new Set(types)).toEqual(
			new Set([
				"userMessage",
				"reasoning",
				"agentMessage",
				"commandExecution",
				"fileChange",
				"contextCompaction",
			]),
		);
		const before = model.requests.length;
		const lastOfReal = model.requests[before - 1];

		const ours = stack.use(await openTestFacade({ env: stage.env, cwd: work }));
		const library = stack.use(openTestLibrary(ours.store, codexHome));
		expect(await library.scan()).toMatchObject({ files: 1, added: 1, skippedCount: 0 });
		const [listed] = ours.runner.listThreads({ archived: false, limit: 10 }).threads;
		expect(listed).toMatchObject({
			thread_id: threadId,
			title: "A name",
			preview: "First message",
			cwd: work,
		});
		await library.ensureThread(threadId);
		expect(readOurs(ours, threadId)).toEqual(real);

		model.push({ items: [{ type: "text", text: "Ours answers." }] });
		await say(ours, threadId, "Sixth, with us");
		const request = texts(model.requests[before]);
		expect(request).toContain("What it came to.");
		expect(request).toContain("After the compaction.");
		// All that the real one said last is in what we say, in its order.
		const said = inputOf(lastOfReal);
		for (const item of said.filter((entry) => entry.role === "user"))
			expect(request).toContain(JSON.stringify(item.content));

		const { thread: fork } = await ours.runner.fork({ thread_id: threadId }, call);
		const { path } = await library.export(fork.thread_id);
		expect(path).toContain(join(codexHome, "sessions"));
		await using real2 = await startConversation(root, codexHome);
		const listedThere = await real2.oracle.request("thread/list", {});
		const ids = (listedThere["data"] as { id: string }[]).map(({ id }) => id);
		expect(ids).toContain(fork.thread_id);
		const resumed = await real2.oracle.request("thread/resume", { threadId: fork.thread_id });
		const turns = (resumed["thread"] as { turns: unknown[] }).turns;
		expect(turns).toEqual(readOurs(ours, fork.thread_id));
		model.push({ items: [{ type: "text", text: "The real one again." }] });
		await real2.say(fork.thread_id, "Seventh, there");
		const last = texts(model.requests.at(-1));
		for (const words of [
			"First message",
			"What it came to.",
			"After the compaction.",
			"Sixth, with us",
			"Ours answers.",
		])
			expect(last).toContain(words);

		// And back: what the real one added to our file is read.
		await library.ensureThread(fork.thread_id);
		const back = readOurs(ours, fork.thread_id);
		expect(back).toHaveLength(7);
		expect(JSON.stringify(back.at(-1))).toContain("The real one again.");
		expect(await readFile(path, "utf8")).toContain("Seventh, there");
	});

	test("rollout: a fork of the real codex has the turns of the thread that it was made from", async () => {
		await using stack = new AsyncDisposableStack();
		const answers = ["A1", "A2", "F1"].map((text): ScriptedResponse => ({ items: [{ type: "text", text }] }));
		const { root, codexHome, work, env } = await openStage(stack, answers);
		let forkId = "";
		let real: unknown[] = [];
		{
			await using conversation = await startConversation(root, codexHome);
			const { oracle, say: tell } = conversation;
			const start = { cwd: work, approvalPolicy: "never", sandbox: "danger-full-access", model: "gpt-5.5" };
			const { thread } = await oracle.request("thread/start", start);
			const threadId = String((thread as { id: string }).id);
			await tell(threadId, "One");
			await tell(threadId, "Two");
			const made = await oracle.request("thread/fork", { threadId });
			forkId = String((made["thread"] as { id: string }).id);
			await tell(forkId, "In the fork");
			const read = await oracle.request("thread/read", { threadId: forkId, includeTurns: true });
			real = (read["thread"] as { turns: unknown[] }).turns;
		}
		const ours = stack.use(await openTestFacade({ env, cwd: work }));
		const library = stack.use(openTestLibrary(ours.store, codexHome));
		expect(await library.scan()).toMatchObject({ added: 2 });
		await library.ensureThread(forkId);
		expect(real).toHaveLength(3);
		expect(readOurs(ours, forkId)).toEqual(real);
		expect(ours.runner.readThread({ thread_id: forkId, limit: 1 }).thread.preview).toBe("One");
	});
});
