import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { createDeferred } from "#base/deferred.ts";
import type { RunnerKind } from "#protocol/record.ts";
import { oracleMissing } from "#test/support/codex-oracle.ts";
import { NODE, ROOT } from "#test/support/product.ts";
import { type RunnerDaemon, startRunnerDaemon } from "#test/support/runner-daemon.ts";
import { type ScriptedResponse, startScriptedModel, writeCodexHome } from "#test/support/scripted-model.ts";

const PATCH = "*** Begin Patch\n*** Add File: added.txt\n+new\n*** End Patch\n";

/** A turn with everything in it: reasoning, text, a command, a patch, an approval, an error that is retried. */
const RICH: readonly ScriptedResponse[] = [
	{
		items: [
			{ type: "reasoning", summary: ["**Plan** it"] },
			{ type: "text", text: "I look.", phase: "commentary" },
			{ type: "function_call", name: "exec_command", args: { cmd: "touch a; echo hi" }, call_id: "call_1" },
		],
	},
	{ items: [{ type: "text", text: "Half", unfinished: true }], end: "eof" },
	{ items: [{ type: "custom_tool_call", name: "apply_patch", input: PATCH, call_id: "call_2" }] },
	{ items: [{ type: "text", text: "Done.", phase: "final_answer" }] },
];

/** Events that mean one item. */
const OF_ITEM = /^chat\.(item|message|reasoning|command|plan\.delta)/;
/** Notifications of a thread as a whole, or of nothing in a thread. */
const NOT_OF_TURN =
	/^(thread\/(?!tokenUsage)|account\/|remoteControl\/|mcpServer\/|skills\/|warning|configWarning)/;

interface Wire {
	id?: number | string;
	method?: string;
	params?: Record<string, unknown>;
	result?: Record<string, unknown>;
}

/** Speaks to `weave-codex app-server` of that daemon, answers every question with accept. */
async function talk(daemon: RunnerDaemon, cwd: string): Promise<{ turnId: string; heard: Wire[] }> {
	const child = spawn(NODE, [`${ROOT}/bin/weave-codex.js`, "app-server"], {
		env: {
			PATH: process.env["PATH"],
			HOME: daemon.root,
			HOMIE_HOME: daemon.home,
			CODEX_HOME: daemon.codexHome,
		},
		stdio: ["pipe", "pipe", "ignore"],
	});
	const heard: Wire[] = [];
	const answers = new Map<unknown, (result: Record<string, unknown>) => void>();
	const over = createDeferred<void>();
	const write = (message: Wire): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
	createInterface({ input: child.stdout }).on("line", (line) => {
		const message = JSON.parse(line) as Wire;
		if (message.method === undefined) answers.get(message.id)?.(message.result ?? {});
		else {
			heard.push(message);
			if (message.id !== undefined) write({ id: message.id, result: { decision: "accept" } });
			if (message.method === "turn/completed") over.resolve();
		}
	});
	const request = (id: number, method: string, params: Record<string, unknown>) => {
		const answer = createDeferred<Record<string, unknown>>();
		answers.set(id, answer.resolve);
		write({ id, method, params });
		return answer.promise;
	};
	const clientInfo = { name: "turn_ids", title: "Turn ids", version: "0" };
	await request(0, "initialize", { clientInfo, capabilities: { experimentalApi: true } });
	write({ method: "initialized" });
	const place = { cwd, model: "gpt-5.5", approvalPolicy: "untrusted", sandbox: "danger-full-access" };
	const { thread } = (await request(1, "thread/start", place)) as { thread: { id: string } };
	const input = [{ type: "text", text: "go", text_elements: [] }];
	const { turn } = (await request(2, "turn/start", { threadId: thread.id, input })) as {
		turn: { id: string };
	};
	await over.promise;
	child.stdin.end();
	return { turnId: turn.id, heard };
}

const missing = oracleMissing();
if (missing !== null) console.log(`acceptance of turn ids, cli half: skipped, ${missing}`);
const BACKENDS: readonly RunnerKind[] = ["embedded", "cli"];

describe.each(BACKENDS)("acceptance: turn ids, %s", (backend) => {
	describe.skipIf(backend === "cli" && missing !== null)("of a rich turn", () => {
		test("turn ids: every event names its thread and turn, and its item where one is meant", async () => {
			await using daemon = await startRunnerDaemon(backend);
			await using model = await startScriptedModel({ responses: RICH });
			writeCodexHome(daemon.codexHome, model.url, "stream_max_retries = 2\n");
			using thread = await daemon.open({ approval_policy: "untrusted" });
			const turnId = await thread.send("go");
			await thread.answer(await thread.approval(), "accept");
			await thread.answer(await thread.approval(), "accept");
			expect((await thread.ended(turnId)).status).toBe("completed");
			expect(new Set(thread.events.map((event) => event.type)).size).toBeGreaterThan(8);
			for (const event of thread.events) {
				expect(event).toMatchObject({ thread_id: thread.threadId, turn_id: turnId });
				if (OF_ITEM.test(event.type)) expect(event).toHaveProperty("item_id", expect.stringMatching(/./));
			}
		});

		test("turn ids: every notification and question of a turn names it on the wire of the Codex protocol", async () => {
			await using daemon = await startRunnerDaemon(backend);
			await using model = await startScriptedModel({ responses: RICH });
			writeCodexHome(daemon.codexHome, model.url, "stream_max_retries = 2\n");
			const { turnId, heard } = await talk(daemon, await daemon.newFolder());
			const ofTurn = heard.filter(
				({ method = "" }) => !NOT_OF_TURN.test(method) && method !== "serverRequest/resolved",
			);
			expect(new Set(ofTurn.map(({ method }) => method)).size).toBeGreaterThan(8);
			for (const { method = "", params = {} } of ofTurn) {
				const turn = params["turn"] as { id?: string } | undefined;
				expect([method, params["turnId"] ?? turn?.id]).toEqual([method, turnId]);
				const item = params["item"] as { id?: string } | undefined;
				if (method.startsWith("item/"))
					expect([method, params["itemId"] ?? item?.id]).toEqual([method, expect.stringMatching(/./)]);
			}
		});
	});
});
