import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createToolBench, lastItem, type ToolBench } from "./tool-bench.ts";

const full = { sandbox: "danger-full-access" as const, approvalPolicy: "never" as const };
const SESSION = /Process running with session ID (\d+)/;

describe("command sessions", () => {
	let bench: ToolBench;
	beforeEach(async () => {
		bench = await createToolBench();
	});
	afterEach(() => bench[Symbol.asyncDispose]());

	async function start(args: Record<string, unknown>): Promise<{ id: number; output: string }> {
		const { output } = await bench.exec.execute(
			JSON.stringify({ yield_time_ms: 250, ...args }),
			bench.with(full),
		);
		return { id: Number(SESSION.exec(output)?.[1]), output };
	}
	function write(args: Record<string, unknown>): Promise<{ output: string }> {
		return bench.tool("write_stdin").execute(JSON.stringify(args), bench.with(full));
	}

	test("command sessions: a terminal takes input and reports its end when the model types into it", async () => {
		const { id, output } = await start({
			cmd: "tty; stty size; read x; echo got $x; read y",
			tty: true,
			yield_time_ms: 1_500,
		});
		expect(output).toMatch(/Output:\n\/dev\/pts\/\d+\r\n24 80\r\n$/);
		expect((await write({ session_id: id, chars: "foo\n" })).output).toMatch(/foo\r\ngot foo\r\n/);
		const ended = await write({ session_id: id, chars: "\u0003", yield_time_ms: 5_000 });
		expect(ended.output).toMatch(/Process exited with code \d+/);
		expect(bench.told.filter((one) => one.kind === "input")).toEqual([
			{ kind: "input", processId: String(id), text: "foo\n" },
			{ kind: "input", processId: String(id), text: "\u0003" },
		]);
		expect(bench.told.at(-1)).toMatchObject({ kind: "completed", item: { status: "failed" } });
		expect((await write({ session_id: id })).output).toBe(`write_stdin failed: Unknown process id ${id}`);
	});

	test("command sessions: a command without a terminal has no input but takes an interrupt when it runs", async () => {
		const { id } = await start({ cmd: "sleep 60" });
		expect((await write({ session_id: id, chars: "x" })).output).toMatch(/stdin is closed for this session/);
		const ended = await write({ session_id: id, chars: "\u0003", yield_time_ms: 5_000 });
		expect(ended.output).toContain("Process exited with code 130");
	});

	test("command sessions: a look returns what was printed since and the end when the command ends meanwhile", async () => {
		const { id, output } = await start({ cmd: "echo one; while [ ! -e go ]; do sleep 0.02; done; echo two" });
		expect(output).toMatch(/Output:\none\n$/);
		expect(bench.order()).not.toContain("completed:completed");
		const looking = write({ session_id: id });
		await bench.environment.writeText(`${bench.cwd}/go`, "");
		expect((await looking).output).toMatch(/Process exited with code 0\n.*\nOutput:\ntwo\n$/);
		expect(lastItem(bench.told)).toMatchObject({ status: "completed", aggregatedOutput: "one\ntwo\n" });
	});

	test("command sessions: clients list and end what runs when they name it or its turn", async () => {
		const first = await start({ cmd: "sleep 60" });
		await start({ cmd: "sleep 61" });
		const { running } = bench.agent;
		expect(running.list("thread").map(({ command }) => command)).toEqual([
			"/bin/bash -lc 'sleep 60'",
			"/bin/bash -lc 'sleep 61'",
		]);
		expect(running.list("another")).toEqual([]);
		expect(running.terminate(String(first.id), "another")).toBe(false);
		expect(running.terminate(String(first.id), "thread")).toBe(true);
		await vi.waitFor(() => expect(running.list()).toHaveLength(1));
		expect(running.killTurn("turn")).toBe(1);
		await vi.waitFor(() => expect(running.list()).toEqual([]));
		await vi.waitFor(() => expect(bench.told.filter((one) => one.kind === "completed")).toHaveLength(2));
	});

	test("command sessions: a person's command runs unasked and is told to the model when it ends", async () => {
		const outcome = await bench.agent.runUserCommand("echo hi; exit 3", bench.context);
		expect(outcome).toMatchObject({ exitCode: 3, output: "hi\n" });
		expect(outcome.message).toMatch(
			/^<user_shell_command>\n<command>\necho hi; exit 3\n<\/command>\n<result>\nExit code: 3\nDuration: /,
		);
		expect(lastItem(bench.told)).toMatchObject({ source: "userShell", status: "failed", exitCode: 3 });
		expect(bench.order()).toEqual(["started:inProgress", "intend", "spawned", "done", "completed:failed"]);
		expect(bench.agent.running.list()).toEqual([]);
	});
});
