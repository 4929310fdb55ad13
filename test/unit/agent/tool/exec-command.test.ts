import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createToolBench, lastItem, type ToolBench } from "./tool-bench.ts";

const REJECTED = 'exec_command failed: CreateProcess { message: "Rejected(\\"rejected by user\\")" }';
const full = { sandbox: "danger-full-access", approvalPolicy: "never" } as const;
const escalated = (cmd: string): string =>
	JSON.stringify({ cmd, sandbox_permissions: "require_escalated", justification: "May I?" });

describe("exec_command", () => {
	let bench: ToolBench;
	beforeEach(async () => {
		bench = await createToolBench();
	});
	afterEach(() => bench[Symbol.asyncDispose]());

	test("exec_command: item, intent, output and end come in order when nothing needs asking", async () => {
		const result = await bench.exec.execute(
			JSON.stringify({ cmd: "echo one; echo two >&2; exit 3", yield_time_ms: 5 }),
			bench.with(full),
		);
		expect(bench.order()).toEqual(["started:inProgress", "intend", "spawned", "done", "completed:failed"]);
		expect(lastItem(bench.told)).toMatchObject({
			id: "call",
			command: "/bin/bash -lc 'echo one; echo two >&2; exit 3'",
			cwd: bench.cwd,
			processId: "1001",
			source: "unifiedExecStartup",
			aggregatedOutput: "one\ntwo\n",
			exitCode: 3,
		});
		expect(result.output).toMatch(
			/^Chunk ID: abcdef\nWall time: \d+\.\d{4} seconds\nProcess exited with code 3\nOriginal token count: 2\nOutput:\none\ntwo\n$/,
		);
		expect(result.stopTurn).toBe(false);
	});

	test("exec_command: no output is null when the command prints nothing", async () => {
		await bench.exec.execute('{"cmd":"touch made.txt"}', bench.with(full));
		expect(lastItem(bench.told)).toMatchObject({ status: "completed", aggregatedOutput: null, exitCode: 0 });
	});

	test("exec_command: nobody is asked and nothing runs when the command is longer than the system takes", async () => {
		const cmd = "echo ".padEnd(128 * 1024, "x");
		const result = await bench.exec.execute(escalated(cmd), bench.with({ sandbox: "read-only" }));
		expect(bench.order()).toEqual(["started:inProgress", "completed:failed"]);
		expect(result.output).toContain("Argument list too long (os error 7)");
		expect(result.success).toBe(false);
	});

	test("exec_command: an approved command runs without sandbox when escalated", async () => {
		const result = await bench.exec.execute(
			escalated("touch made.txt"),
			bench.with({ sandbox: "read-only" }),
		);
		expect(bench.order()).toEqual([
			"started:inProgress",
			"ask",
			"intend",
			"spawned",
			"done",
			"completed:completed",
		]);
		const [started, asked] = bench.told;
		expect(started).toMatchObject({ item: { source: "agent", processId: null } });
		expect(asked).toMatchObject({
			request: {
				kind: "command",
				command: "/bin/bash -lc 'touch made.txt'",
				argv: ["/bin/bash", "-lc", "touch made.txt"],
				reason: "May I?",
				confirmWord: null,
			},
		});
		expect(lastItem(bench.told)).toMatchObject({ source: "unifiedExecStartup", processId: "1001" });
		expect(existsSync(join(bench.cwd, "made.txt"))).toBe(true);
		expect(result.success).toBe(true);
	});

	test.each([
		["decline", false],
		["cancel", true],
		["expired", true],
	] as const)("exec_command: nothing runs when the answer is %s", async (decision, stopTurn) => {
		await using own = await createToolBench(() => Promise.resolve({ decision, resolvedBy: null }));
		const result = await own.exec.execute(escalated("touch made.txt"), own.context);
		expect(result).toEqual({ output: REJECTED, success: false, stopTurn });
		expect(own.order()).toEqual(["started:inProgress", "ask", "completed:declined"]);
		expect(lastItem(own.told)).toMatchObject({
			source: "agent",
			processId: null,
			aggregatedOutput: null,
			exitCode: null,
		});
		expect(existsSync(join(own.cwd, "made.txt"))).toBe(false);
	});

	test("exec_command: the same command is not asked twice when accepted for the session", async () => {
		await using own = await createToolBench(() =>
			Promise.resolve({ decision: "accept_for_session", resolvedBy: null }),
		);
		await own.exec.execute(escalated("echo hi"), own.context);
		await own.exec.execute(escalated("echo hi"), own.context);
		await own.exec.execute(escalated("echo other"), own.context);
		expect(own.told.filter((one) => one.kind === "ask")).toHaveLength(2);
	});

	test("exec_command: no item event and the known text when never meets an escalation", async () => {
		const result = await bench.exec.execute(
			escalated("touch x"),
			bench.with({ approvalPolicy: "never", sandbox: "read-only" }),
		);
		expect(bench.told).toEqual([]);
		expect(result.output).toMatch(/^approval policy is Never; reject command/);
	});

	test("exec_command: a destructive command asks for its word when unsandboxed", async () => {
		await bench.exec.execute(escalated(`rm -rf ${bench.root}/elsewhere`), bench.context);
		expect(bench.told[1]).toMatchObject({
			request: { destructive: "delete outside git", confirmWord: "delete" },
		});
	});

	test("exec_command: the command goes on and completes later when the turn is interrupted", async () => {
		const controller = new AbortController();
		const gate = join(bench.cwd, "gate");
		const running = bench.exec.execute(
			JSON.stringify({
				cmd: `echo start; until [ -e gate ]; do read -t 0.02 < <(:) || :; done; echo alive > alive.txt`,
			}),
			bench.with({ ...full, signal: controller.signal }),
		);
		await vi.waitFor(() => expect(bench.told.some((one) => one.kind === "output")).toBe(true));
		controller.abort(new Error("interrupted"));
		expect(bench.order()).not.toContain("completed:completed");
		await running;
		await bench.environment.writeText(gate, "");
		await vi.waitFor(() => expect(bench.order()).toContain("completed:completed"));
		expect(readFileSync(join(bench.cwd, "alive.txt"), "utf8")).toBe("alive\n");
	});

	test("exec_command: an interrupted approval leaves the command unrun", async () => {
		const controller = new AbortController();
		await using own = await createToolBench(() => {
			controller.abort(new Error("interrupted"));
			return Promise.reject(controller.signal.reason);
		});
		const result = await own.exec.execute(
			escalated("touch made.txt"),
			own.with({ signal: controller.signal }),
		);
		expect(result.success).toBe(false);
		expect(own.order()).toEqual(["started:inProgress", "ask"]);
	});

	test("exec_command: bad arguments are the model's to mend", async () => {
		for (const input of ["{", "{}", "[]", '{"cmd":7}', '{"cmd":"ls","sandbox_permissions":"x"}']) {
			const result = await bench.exec.execute(input, bench.context);
			expect(result.output).toMatch(/^failed to parse function arguments: /);
		}
		expect(bench.told).toEqual([]);
	});

	test("exec_command: long output keeps head and tail when over the asked tokens", async () => {
		const result = await bench.exec.execute(
			JSON.stringify({ cmd: "seq 1 5000", max_output_tokens: 20 }),
			bench.with(full),
		);
		expect(result.output).toMatch(
			/Output:\nWarning: truncated output \(original token count: 5974\)\nTotal output lines: 5000\n\n1\n2\n/,
		);
		expect(result.output).toMatch(/…5954 tokens truncated…/);
		expect(result.output.endsWith("5000\n")).toBe(true);
		expect(result.output).toContain("Original token count: 5974");
	});

	test("exec_command: a folder that is not there is told when it cannot start", async () => {
		const result = await bench.exec.execute('{"cmd":"ls","workdir":"nowhere"}', bench.with(full));
		expect(result.output).toBe(
			'exec_command failed: CreateProcess { message: "Rejected(\\"Failed to create unified exec process: No such file or directory (os error 2)\\")" }',
		);
		expect(lastItem(bench.told).status).toBe("failed");
	});

	test("exec_command: our own files are refused when a command names them", async () => {
		const result = await bench.exec.execute(JSON.stringify({ cmd: "cat ../homie/token" }), bench.with(full));
		expect(result.output).toMatch(/^refused by policy: .*homie\/token is protected/);
		expect(bench.told).toEqual([]);
	});

	test("exec_command: a here-document for apply_patch is a patch", async () => {
		const cmd =
			"apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: new.txt\n+it's $HOME\n*** End Patch\nEOF\n";
		const result = await bench.exec.execute(JSON.stringify({ cmd }), bench.context);
		expect(result.output).toContain("A new.txt");
		expect(bench.told[0]).toMatchObject({ item: { type: "fileChange" } });
		expect(readFileSync(join(bench.cwd, "new.txt"), "utf8")).toBe("it's $HOME\n");
	});

	test("exec_command: output opens as a file when a program writes to /dev/stderr", async () => {
		await bench.exec.execute(
			JSON.stringify({
				cmd: "echo a >/dev/stdout; echo b >/dev/stderr; printf 'grün' | tee /dev/stderr >/dev/null",
			}),
			bench.with(full),
		);
		expect(lastItem(bench.told)["aggregatedOutput"]).toBe("a\nb\ngrün");
	});

	test("exec_command: variables that are not on the allow-list stay out", async () => {
		const env = {
			...bench.context.env,
			HOMIE_TOKEN: "secret",
			OPENAI_API_KEY: "secret",
			SSH_AUTH_SOCK: "/x",
		};
		await bench.exec.execute(JSON.stringify({ cmd: "env" }), bench.with({ ...full, env }));
		expect(lastItem(bench.told)["aggregatedOutput"]).not.toMatch(/secret|SSH_AUTH_SOCK/);
	});
});
