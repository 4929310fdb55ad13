import { expect, test } from "vitest";
import { defineTool } from "#daemon/agent/tool.ts";
import { answer, createCodeBench, head, request, texts } from "./bench.ts";

const COMMAND =
	"Chunk ID: abc123\nWall time: 0.0100 seconds\nProcess exited with code 3\nOriginal token count: 1\nOutput:\nhi\n";

test("code mode: tools of a classic model are left as they are", async () => {
	await using bench = createCodeBench({ exec_command: () => answer("") });
	const tools = await bench.tools({ model: { ...request.model, toolMode: "classic" } });
	expect(tools.map((tool) => tool.name)).toEqual(["exec_command"]);
});

test("code mode: exec and wait stand for the tools, which exec declares, and a question to the person stays direct", async () => {
	const ask = defineTool({
		name: "request_user_input",
		spec: { type: "function", name: "request_user_input", parameters: { type: "object" } },
		execute: () => Promise.resolve(answer("")),
	});
	const hosted = defineTool({ name: "web_search", spec: { type: "web_search" }, execute: ask.execute });
	await using bench = createCodeBench({ exec_command: () => answer("") }, {}, [ask, hosted]);
	const tools = await bench.tools();
	expect(tools.map((tool) => tool.name)).toEqual(["exec", "wait", "request_user_input"]);
	expect(tools[0]?.spec).toMatchObject({ type: "custom", name: "exec", format: { syntax: "lark" } });
	const description = String(tools[0]?.spec["description"]);
	expect(description).toContain(
		"exec_command(args: {\n  // What to run.\n  cmd: string;\n  n?: number;\n}): Promise<{",
	);
	expect(JSON.stringify(await bench.tools())).toBe(JSON.stringify(tools));
});

test("code mode: output is shown part by part, values as JSON, when the script ends well", async () => {
	await using bench = createCodeBench();
	const result = await bench.exec(
		'text(1); text({a:[1,2]}); text(undefined); text("s"); text(12n); image("data:image/png;base64,AA")',
	);
	expect(result.content?.[0]?.["text"]).toMatch(/^Script completed\nWall time \d+\.\d seconds\nOutput:\n$/);
	expect(texts(result)).toEqual(["1", '{"a":[1,2]}', "undefined", "s", "12", "data:image/png;base64,AA"]);
	expect(result.success).toBe(true);
});

test("code mode: a nested call runs the tool under its own id and gives a command's result as members", async () => {
	await using bench = createCodeBench({ exec_command: () => answer(COMMAND, { success: false }) });
	const result = await bench.exec(
		'const r = await tools.exec_command({cmd: "x"}); text(r); text(r.exit_code)',
	);
	expect(texts(result)).toEqual([
		'{"chunk_id":"abc123","wall_time_seconds":0.01,"exit_code":3,"original_token_count":1,"output":"hi\\n"}',
		"3",
	]);
	expect(bench.calls).toEqual([
		{ tool: "exec_command", input: '{"cmd":"x"}', callId: expect.stringMatching(/^exec-[0-9a-f-]{36}$/) },
	]);
});

test("code mode: calls run side by side when they are not awaited one by one", async () => {
	const gate = Promise.withResolvers<void>();
	let running = 0;
	await using bench = createCodeBench({
		slow: async () => {
			running += 1;
			if (running === 2) gate.resolve();
			await gate.promise;
			return answer("ok");
		},
	});
	const result = await bench.exec("text(await Promise.all([tools.slow({}), tools.slow({})]))");
	expect(texts(result)).toEqual(['["ok","ok"]']);
});

test("code mode: a failed call throws its text, a wrong argument is refused before the tool", async () => {
	await using bench = createCodeBench({
		exec_command: () => answer("exec_command failed: no", { success: false }),
		apply_patch: () => answer("Success."),
	});
	const result = await bench.exec(`
		const said = await Promise.allSettled([
			tools.exec_command({cmd: "x"}), tools.exec_command("x"), tools.apply_patch(5), tools.apply_patch("*** p"),
		]);
		for (const one of said) text(one.reason ?? one.value);
	`);
	expect(texts(result)).toEqual([
		"exec_command failed: no",
		"tool `exec_command` expects a JSON object for arguments",
		"tool `apply_patch` expects a string input",
		"{}",
	]);
	expect(bench.calls).toHaveLength(2);
});

test.each([
	['throw new Error("boom")', /^Script error:\nError: boom\n {4}at exec_main\.mjs:1:\d+$/],
	["throw {a:1}", /^Script error:\n\[object Object\]$/],
	["syntax error here", /^Script error:\nSyntaxError: /],
	["tools.nope({})", /^Script error:\nTypeError: /],
	['import fs from "fs"', /^Script error:\nUnsupported import in exec: fs$/],
	['store("f", () => 1)', /^Script error:\nfailed to serialize JavaScript value/],
	["image(5)", /^Script error:\nimage expects a non-empty image URL string/],
	["function f() { f() } f()", /^Script error:\nInternalError: stack overflow/],
	[
		'setTimeout(() => { throw new Error("late") }, 1); await new Promise((r) => setTimeout(r, 500))',
		/Error: late/,
	],
])("code mode: the script's failure is told when it is %s", async (source, expected) => {
	await using bench = createCodeBench();
	const result = await bench.exec(`\t\n${source}`.trimStart());
	expect(head(result)).toBe("Script failed");
	expect(texts(result)[0]).toMatch(expected);
});

test.each([
	["  ", /^exec expects raw JavaScript source text \(non-empty\)/],
	["// @exec: {}\n", /^exec pragma must be followed by JavaScript source on subsequent lines$/],
	["// @exec: [1]\ntext(1)", /^exec pragma must be a JSON object/],
	["// @exec: nope\ntext(1)", /^exec pragma must be valid JSON/],
	['// @exec: {"foo":1}\ntext(1)', /^exec pragma only supports .*; got `foo`$/],
	['// @exec: {"yield_time_ms":-1}\ntext(1)', /must be non-negative safe integers/],
])("code mode: nothing runs when the input is %j", async (source, expected) => {
	await using bench = createCodeBench();
	expect((await bench.exec(source)).output).toMatch(expected);
});

test("code mode: long output loses its middle when it is over the budget", async () => {
	await using bench = createCodeBench();
	const result = await bench.exec('// @exec: {"max_output_tokens": 20}\ntext("x".repeat(1000))');
	const side = "x".repeat(40);
	expect(texts(result)).toEqual([
		`Warning: truncated output (original token count: 250)\nTotal output lines: 1\n\n${side}…230 tokens truncated…${side}`,
	]);
});

test("code mode: values stay for later scripts of the thread, globals do not", async () => {
	await using bench = createCodeBench();
	await bench.exec('store("k", {a: 1}); globalThis.x = 1');
	expect(texts(await bench.exec('text(load("k")); text(load("none")); text(typeof x)'))).toEqual([
		'{"a":1}',
		"undefined",
		"undefined",
	]);
	bench.mode.forget("thread");
	expect(texts(await bench.exec('text(load("k"))'))).toEqual(["undefined"]);
});

test("code mode: exit ends the script as successful, and nothing is output after it", async () => {
	await using bench = createCodeBench();
	const result = await bench.exec('text("a"); try { exit() } catch {} text("b")');
	expect([head(result), ...texts(result)]).toEqual(["Script completed", "a"]);
});

test("code mode: notifications come beside the result", async () => {
	await using bench = createCodeBench();
	expect((await bench.exec('notify("n1"); notify({n: 2}); text("t")')).extraOutputs).toEqual([
		"n1",
		'{"n":2}',
	]);
});

test("code mode: wait goes on with a script that yielded, to its end", async () => {
	const gate = Promise.withResolvers<void>();
	await using bench = createCodeBench({
		hold: async () => {
			await gate.promise;
			return answer("held");
		},
	});
	const first = await bench.exec('text("a"); yield_control(); text(await tools.hold({}))');
	expect([head(first), ...texts(first)]).toEqual(["Script running with cell ID 1", "a"]);
	const second = await bench.wait({ cell_id: "1", yield_time_ms: 20 });
	expect(second.content).toBeUndefined();
	expect(second.output).toMatch(/^Script running with cell ID 1\n/);
	gate.resolve();
	const third = await bench.wait({ cell_id: "1" });
	expect([head(third), ...texts(third)]).toEqual(["Script completed", "held"]);
	expect(texts(await bench.wait({ cell_id: "1" }))).toEqual(["Script error:\nexec cell 1 not found"]);
	expect((await bench.wait({})).output).toMatch(
		/^failed to parse function arguments: missing field `cell_id`/,
	);
});

test("code mode: a script that never ends is ended by wait with terminate", async () => {
	await using bench = createCodeBench();
	const first = await bench.exec('// @exec: {"yield_time_ms": 300}\ntext("s"); while (true) {}');
	expect(head(first)).toBe("Script running with cell ID 1");
	expect((await bench.wait({ cell_id: "1", terminate: true })).output).toMatch(/^Script terminated\n/);
	expect(bench.mode.running).toBe(0);
	expect(texts(await bench.exec('text("next")'))).toEqual(["next"]);
});

test("code mode: an interrupted turn ends its scripts", async () => {
	const turn = new AbortController();
	await using bench = createCodeBench({
		hold: () => {
			turn.abort(new Error("interrupted"));
			return answer("held");
		},
	});
	const result = await bench.exec("await tools.hold({}); while (true) {}", turn.signal);
	expect(result).toEqual({ output: "aborted by user", success: false, stopTurn: true });
	expect(bench.mode.running).toBe(0);
	expect(texts(await bench.wait({ cell_id: "1" }))).toEqual(["Script error:\nexec cell 1 not found"]);
});

test("code mode: a person's cancel of a nested call stops the turn and the script", async () => {
	await using bench = createCodeBench({
		exec_command: () => answer("aborted by user", { success: false, stopTurn: true }),
	});
	const result = await bench.exec('try { await tools.exec_command({cmd: "x"}) } catch {} text("after")');
	expect(result).toMatchObject({ stopTurn: true, output: "aborted by user" });
	expect(bench.mode.running).toBe(0);
});

test("code mode: limits end a script that computes, fills memory or outputs without end, and the next one runs", async () => {
	await using bench = createCodeBench({}, { cpuMs: 200, memoryBytes: 24 * 1024 * 1024, outputBytes: 1000 });
	expect(texts(await bench.exec("while (true) {}"))).toEqual([
		"Script error:\nthe script used up its processor time",
	]);
	expect(texts(await bench.exec("while (true) text('xxxxxxxxxx')")).at(-1)).toContain(
		"output more than it may",
	);
	expect(texts(await bench.exec('text("fine")'))).toEqual(["fine"]);
});

test("code mode: a script that fills its memory fails, and the next one runs", async () => {
	await using bench = createCodeBench({}, { memoryBytes: 24 * 1024 * 1024 });
	const full = await bench.exec("const a = []; while (true) a.push(new Array(1000).fill(1))");
	expect(head(full)).toBe("Script failed");
	expect(texts(await bench.exec('text("fine")'))).toEqual(["fine"]);
});

test("code mode: a deferred tool of a namespace is not described, is in ALL_TOOLS, and gives its own value", async () => {
	const value = { content: [{ type: "text", text: "3" }], structuredContent: { sum: 3 } };
	const add = defineTool({
		name: "mcp__ex__add",
		spec: {
			type: "namespace",
			name: "mcp__ex",
			tools: [
				{
					type: "function",
					name: "add",
					description: "Adds.",
					defer_loading: true,
					parameters: { type: "object", properties: {} },
					output_schema: { type: "object", properties: { sum: { type: "number" } }, required: ["sum"] },
				},
			],
		},
		execute: () => Promise.resolve(answer("3", { value })),
	});
	await using bench = createCodeBench({}, {}, [add]);
	expect(String((await bench.tools())[0]?.spec["description"])).not.toContain("mcp__ex__add");
	const result = await bench.exec(`
		const { name, description } = ALL_TOOLS.find((tool) => tool.name.includes("add"));
		text(description.split("\\n")[4]);
		text((await tools[name]({})).structuredContent);
	`);
	expect(texts(result)).toEqual([
		"declare const tools: { mcp__ex__add(args: {}): Promise<CallToolResult<{",
		'{"sum":3}',
	]);
});

test("code mode: a call out of a script that nobody waits for is held until the thread's next exec or wait", async () => {
	await using bench = createCodeBench({ late: () => answer("late") });
	const first = await bench.exec(
		"yield_control(); await new Promise((r) => setTimeout(r, 20)); text(await tools.late({}))",
	);
	expect(head(first)).toBe("Script running with cell ID 1");
	await bench.exec("await new Promise((r) => setTimeout(r, 60))");
	expect(texts(await bench.wait({ cell_id: "1" }))).toEqual(["late"]);
	expect(bench.calls).toHaveLength(1);
});

test("code mode: nothing of the host is reachable from a script", async () => {
	await using bench = createCodeBench();
	const names = ["process", "require", "console", "fetch", "host", "module", "Worker", "std", "os"];
	const result = await bench.exec(`text(${JSON.stringify(names)}.filter((name) => name in globalThis))`);
	expect(texts(result)).toEqual(["[]"]);
});
