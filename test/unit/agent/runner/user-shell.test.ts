import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { newId } from "#base/id.ts";
import type { Environment, ExecRequest, ExecResult } from "#daemon/agent/environment.ts";
import { createAgentTools } from "#daemon/agent/tool/index.ts";
import { readHistory } from "#daemon/storage/repository/chat-history.ts";
import type { CommandExecutionItem, Item } from "#protocol/codex-item.ts";
import { call, createHarness, type Harness } from "./harness.ts";

/** The real way to run a person's command, over processes that end when the test says so. */
function createCommands() {
	const started: ExecRequest[] = [];
	const killed: string[] = [];
	const ends: ((result: Partial<ExecResult>) => void)[] = [];
	const exec: Environment["exec"] = (request) => {
		const done = Promise.withResolvers<ExecResult>();
		const listeners = new Set<(chunk: string) => void>();
		started.push(request);
		ends.push((result) => {
			for (const listener of listeners) listener(result.output ?? "");
			const plain = { exitCode: 0, signal: null, output: "", durationMs: 12.5, startError: null };
			done.resolve({ ...plain, ...result });
		});
		return {
			pid: 7,
			startTime: "1",
			onOutput(listener) {
				listeners.add(listener);
				return { [Symbol.dispose]: () => void listeners.delete(listener) };
			},
			kill: () => void killed.push(request.argv.at(-1) ?? ""),
			done: done.promise,
		};
	};
	const environment: Environment = {
		machineId: "machine-1",
		sandbox: { kind: "none", available: false, detail: null },
		exec,
		readText: async () => undefined,
		writeText: async () => undefined,
		remove: async () => undefined,
		realPath: async (path) => path,
	};
	const protectedPaths = { folders: [], files: [], exposed: [] };
	const { running, runUserCommand } = createAgentTools({ newId, protectedPaths, userHome: undefined });
	const commands = { runUserCommand, terminate: running.terminate, killTurn: running.killTurn };
	const end = (at: number, result: Partial<ExecResult>) => ends[at]?.(result);
	return { deps: { environment, commands }, started, killed, end };
}

async function until(test: () => boolean): Promise<void> {
	while (!test()) await setImmediate();
}

function shellItem(h: Harness, threadId: string): Item | undefined {
	const { turns } = h.runner.readThread({ thread_id: threadId, limit: 5 });
	return turns
		.flatMap((turn) => turn.items)
		.find((item) => item.type === "commandExecution" && item.source === "userShell");
}

test("user shell: a command in an idle thread is a turn of its own, and the model reads it later", async () => {
	const commands = createCommands();
	await using h = await createHarness({ script: [["ok"]], deps: commands.deps });
	const thread_id = await h.thread();
	const { turn_id } = await h.runner.shellCommand({ thread_id, command: "echo out; exit 3" }, call());
	await until(() => commands.started.length === 1);
	expect(commands.started[0]).toMatchObject({
		sandbox: "danger-full-access",
		networkAccess: true,
		cwd: h.cwd,
	});
	commands.end(0, { exitCode: 3, output: "out\n" });
	await h.when("chat.turn.completed", turn_id);
	expect(shellItem(h, thread_id)).toMatchObject({
		command: "/bin/bash -lc 'echo out; exit 3'",
		source: "userShell",
		status: "failed",
		aggregatedOutput: "out\n",
		exitCode: 3,
	});
	expect(h.runner.readThread({ thread_id, limit: 1 }).turns[0]).toMatchObject({
		kind: "user_shell",
		status: "completed",
	});
	const said =
		"<user_shell_command>\n<command>\necho out; exit 3\n</command>\n<result>\nExit code: 3\nDuration: 0.0125 seconds\nOutput:\nout\n\n</result>\n</user_shell_command>";
	expect(readHistory(h.store, thread_id)).toMatchObject([{ role: "user", content: [{ text: said }] }]);
});

test("user shell: beside a running turn the command belongs to it, outlives it, and its words come after the turn's", async () => {
	const commands = createCommands();
	const script = [["x", { gate: "g" }]];
	await using h = await createHarness({ script, deps: commands.deps });
	const thread_id = await h.thread();
	const { turn_id } = await h.runner.startTurn({ thread_id, input: [{ type: "text", text: "go" }] }, call());
	await h.gates.reached("g");
	const beside = await h.runner.shellCommand({ thread_id, command: "ls" }, call());
	expect(beside.turn_id).toBe(turn_id);
	await until(() => commands.started.length === 1);
	h.gates.open("g");
	await h.when("chat.turn.completed", turn_id);
	commands.end(0, { output: "a" });
	await until(() => (shellItem(h, thread_id) as CommandExecutionItem | undefined)?.status === "completed");
	expect(commands.killed).toEqual([]);
	const isReport = (item: unknown) => JSON.stringify(item).includes("<user_shell_command>");
	await until(() => readHistory(h.store, thread_id).some(isReport));
	const history = readHistory(h.store, thread_id).map(isReport);
	expect(history.at(-1)).toBe(true);
	expect(history.filter(Boolean)).toHaveLength(1);
});

test("user shell: an interrupt ends the command of its own turn", async () => {
	const commands = createCommands();
	await using h = await createHarness({ deps: commands.deps });
	const thread_id = await h.thread();
	const { turn_id } = await h.runner.shellCommand({ thread_id, command: "sleep 9" }, call());
	await until(() => commands.started.length === 1);
	await h.runner.cancel({ thread_id }, call());
	const ended = await h.when("chat.turn.completed", turn_id);
	expect(ended).toMatchObject({ turn: { status: "interrupted" } });
	expect(commands.killed).toEqual(["sleep 9"]);
	commands.end(0, { exitCode: 143 });
	await until(() => (shellItem(h, thread_id) as CommandExecutionItem | undefined)?.status === "failed");
});

test("user shell: a repeated request does not run the command again", async () => {
	const commands = createCommands();
	const script = [["x", { gate: "g" }]];
	await using h = await createHarness({ script, deps: commands.deps });
	const thread_id = await h.thread();
	await h.runner.startTurn({ thread_id, input: [{ type: "text", text: "go" }] }, call());
	await h.gates.reached("g");
	const claim = { ...call(), idempotency: { identity: "i", method: "m", key: "k", digest: "d" } };
	await h.runner.shellCommand({ thread_id, command: "ls" }, claim);
	await h.runner.shellCommand({ thread_id, command: "ls" }, claim);
	await until(() => commands.started.length > 0);
	commands.end(0, {});
	h.gates.open("g");
	await h.when("chat.turn.completed");
	expect(commands.started).toHaveLength(1);
});

test("cancel: the commands of a turn end with it where the client wants that, and run on where it does not", async () => {
	const killed: string[] = [];
	const commands = { ...createCommands().deps.commands, killTurn: (turnId: string) => killed.push(turnId) };
	const script = [
		["a", { gate: "g" }],
		["b", { gate: "g" }],
	];
	await using h = await createHarness({ script, deps: { commands } });
	const thread_id = await h.thread();
	const input = [{ type: "text", text: "go" }];
	await h.runner.startTurn({ thread_id, input }, call());
	await h.runner.cancel({ thread_id }, call());
	expect(killed).toEqual([]);
	const { turn_id } = await h.runner.startTurn({ thread_id, input }, call());
	await h.runner.cancel({ thread_id }, call(), { endCommands: true });
	expect(killed).toEqual([turn_id]);
});

test("user shell: what a command beside a turn came to is in the turn's next request, and once in the history", async () => {
	const commands = createCommands();
	const script = [[{ call: { gate: "cmd" }, id: "c1" }], ["done"]];
	await using h = await createHarness({ script, deps: commands.deps });
	const thread_id = await h.thread();
	const { turn_id } = await h.runner.startTurn({ thread_id, input: [{ type: "text", text: "go" }] }, call());
	await h.gates.reached("cmd");
	await h.runner.shellCommand({ thread_id, command: "ls" }, call());
	await until(() => commands.started.length === 1);
	commands.end(0, { output: "a" });
	await until(() => (shellItem(h, thread_id) as CommandExecutionItem | undefined)?.status === "completed");
	h.gates.open("cmd");
	await h.when("chat.turn.completed", turn_id);
	const kinds = (items: readonly unknown[]) =>
		items.map((item) => {
			const { type, role } = item as { type: string; role?: string };
			return JSON.stringify(item).includes("<user_shell_command>") ? "report" : (role ?? type);
		});
	const told = ["user", "function_call", "function_call_output", "report"];
	expect(kinds(h.provider.requests[1]?.input ?? []).slice(-4)).toEqual(told);
	expect(kinds(readHistory(h.store, thread_id)).slice(-5)).toEqual([...told, "assistant"]);
});
