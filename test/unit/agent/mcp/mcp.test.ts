import { expect, test } from "vitest";
import { startHttpExample } from "../../../support/mcp/http-server.ts";
import { createMcpBench, example } from "./bench.ts";

const HEADER = {
	type: "input_text",
	text: expect.stringMatching(/^Wall time: \d+\.\d{4} seconds\nOutput:$/),
};
const accept = (more: object = {}) => ({
	type: "result" as const,
	result: { action: "accept", content: null, _meta: null, ...more },
});

test("mcp: nothing is offered, and nothing loaded, when there are no servers", async () => {
	await using bench = createMcpBench({ table: {} });
	expect(await bench.tools()).toEqual([]);
});

test("mcp: a server's tools are offered as functions when the model takes no namespaces", async () => {
	await using bench = createMcpBench({ table: { ex: example } });
	const tools = await bench.tools();
	expect(tools.slice(0, 5).map((tool) => tool.name)).toEqual([
		"list_mcp_resources",
		"list_mcp_resource_templates",
		"read_mcp_resource",
		"mcp__ex__add",
		"mcp__ex__ask",
	]);
	expect(tools.find((tool) => tool.name === "mcp__ex__echo")?.spec).toEqual({
		type: "function",
		name: "mcp__ex__echo",
		description: "Says it again.",
		strict: false,
		parameters: {
			type: "object",
			properties: { text: { type: "string", description: "What to say" } },
			required: ["text"],
		},
	});
	expect(bench.told).toEqual([
		{ thread: "thread", name: "ex", status: "starting", error: null },
		{ thread: "thread", name: "ex", status: "ready", error: null },
	]);
	const again = await bench.tools();
	expect(JSON.stringify(again)).toBe(JSON.stringify(tools));
});

test("mcp: tools stand in the server's namespace, and behind a search, when the model has those", async () => {
	await using bench = createMcpBench({ table: { ex: example } });
	const [first] = (await bench.tools({ toolNamespaces: true })).slice(3);
	expect(first).toMatchObject({
		name: "mcp__ex__add",
		spec: {
			type: "namespace",
			name: "mcp__ex",
			description: "Be kind to the example.",
			tools: [{ name: "add" }],
		},
	});
	const searched = await bench.tools({ toolNamespaces: true, toolSearch: true });
	const search = searched.find((tool) => tool.name === "tool_search");
	const found = await search?.execute('{"query":"add two numbers","limit":1}', {} as never);
	expect(found?.content).toEqual([
		{
			type: "namespace",
			name: "mcp__ex",
			description: "Be kind to the example.",
			tools: [expect.objectContaining({ name: "add", defer_loading: true })],
		},
	]);
	expect(bench.servers.namespaces("thread")).toEqual([
		{ name: "mcp__ex", description: "Be kind to the example." },
	]);
});

test("mcp: a call is an item with its result, and the model gets its parts", async () => {
	await using bench = createMcpBench({ table: { ex: example } });
	const result = await bench.call("mcp__ex__echo", { text: "hi" });
	expect(result).toMatchObject({
		success: true,
		content: [HEADER, { type: "input_text", text: "echo: hi" }],
		value: { content: [{ type: "text", text: "echo: hi" }] },
	});
	const item = {
		type: "mcpToolCall",
		id: "call_1",
		server: "ex",
		tool: "echo",
		arguments: { text: "hi" },
		appContext: null,
		mcpAppUi: null,
		pluginId: null,
		readOnlyHint: true,
		error: null,
		startedAtMs: expect.any(Number),
		completedAtMs: null,
	};
	expect(bench.items).toEqual([
		{ event: "started", item: { ...item, status: "inProgress", result: null, durationMs: null } },
		{
			event: "completed",
			item: {
				...item,
				status: "completed",
				result: { content: [{ type: "text", text: "echo: hi" }], structuredContent: null, _meta: null },
				durationMs: expect.any(Number),
				completedAtMs: expect.any(Number),
			},
		},
	]);
	expect(bench.effects).toEqual(["intend call", "done"]);
});

test("mcp: structured content stands for the rest, images are kept, progress does not disturb", async () => {
	await using bench = createMcpBench({ table: { ex: example } });
	const added = await bench.call("mcp__ex__add", { a: 1, b: 2 });
	expect(added.output).toMatch(/^Wall time: \d+\.\d{4} seconds\nOutput:\n\{"sum":3\}$/);
	expect(added.content).toBeUndefined();
	const picture = await bench.call("mcp__ex__picture");
	expect(picture.content?.[2]).toMatchObject({
		type: "input_image",
		detail: "original",
		image_url: expect.stringMatching(/^data:image\/png;base64,/),
	});
	expect((await bench.call("mcp__ex__slow")).content?.[1]).toEqual({
		type: "input_text",
		text: "slow done with progress",
	});
});

test("mcp: a failure is the item's and the model's, with Codex's words", async () => {
	await using bench = createMcpBench({ table: { ex: { ...example, tool_timeout_sec: 0.3 } } });
	expect(await bench.call("mcp__ex__fail")).toMatchObject({
		success: false,
		content: [HEADER, { text: "it failed" }],
	});
	expect(bench.items.at(-1)?.item).toMatchObject({
		status: "failed",
		error: null,
		result: { structuredContent: null },
	});
	const refused =
		"tool call error: tool call failed for `ex/refuse`\n\nCaused by:\n    Mcp error: -32603: refused by the server";
	expect((await bench.call("mcp__ex__refuse")).output).toBe(refused);
	expect(bench.items.at(-1)?.item).toMatchObject({
		status: "failed",
		error: { message: refused },
		result: null,
	});
	expect((await bench.call("mcp__ex__never")).output).toMatch(/timed out awaiting tools\/call after 300ms$/);
});

test("mcp: a server that went away is started again for the next call", async () => {
	await using bench = createMcpBench({ table: { ex: example } });
	expect((await bench.call("mcp__ex__crash")).output).toMatch(/Caused by:\n {4}Transport closed$/);
	const tools = await bench.tools();
	expect(tools.some((tool) => tool.name === "mcp__ex__echo")).toBe(true);
	expect((await bench.call("mcp__ex__echo", { text: "back" })).success).toBe(true);
});

test("mcp: a tool that a server learns later is offered from then on", async () => {
	await using bench = createMcpBench({ table: { ex: example } });
	await bench.call("mcp__ex__learn");
	await expect.poll(async () => (await bench.tools()).map((tool) => tool.name)).toContain("mcp__ex__learned");
});

test("mcp: an interrupted call is cancelled at the server and has no end of its own", async () => {
	await using bench = createMcpBench({ table: { ex: example } });
	await bench.tools();
	const turn = new AbortController();
	const running = bench.call("mcp__ex__never", {}, { signal: turn.signal });
	await expect.poll(() => bench.effects.length).toBe(1);
	turn.abort(new Error("interrupted"));
	expect(await running).toMatchObject({ output: "aborted by user", success: false });
	expect(bench.items.map(({ event }) => event)).toEqual(["started"]);
});

test("mcp: a server sees named variables only", async () => {
	await using bench = createMcpBench({
		table: { ex: { ...example, env: { FOO: "1" }, env_vars: ["BAR"] } },
		env: { BAR: "2", OTHER: "3", HOME: "/nowhere" },
	});
	const result = await bench.call("mcp__ex__environment");
	expect(result.content?.[1]?.["text"]).toBe("BAR,FOO,HOME,PATH");
});

test("mcp: a tool that may change things is asked for, and the answer decides", async () => {
	const answers = [
		accept(),
		{ type: "result" as const, result: { action: "decline" } },
		{ type: "result" as const, result: { action: "cancel" } },
		accept({ _meta: { persist: "session" } }),
		accept({ _meta: { persist: "always" } }),
	];
	await using bench = createMcpBench({ table: { ex: example }, answers });
	expect((await bench.call("mcp__ex__delete_all", { path: "/y" })).success).toBe(true);
	expect(bench.questions[0]).toEqual({
		itemId: "call_1",
		kind: "elicitation",
		params: {
			serverName: "ex",
			mode: "form",
			_meta: {
				codex_approval_kind: "mcp_tool_call",
				persist: ["session", "always"],
				tool_name: "delete-all",
				tool_annotations: { destructiveHint: true, readOnlyHint: false },
				tool_title: "Delete all",
				tool_description: "Has side effects.",
				tool_params: { path: "/y" },
				tool_params_display: [{ name: "path", value: "/y", display_name: "path" }],
			},
			message: 'Allow the ex MCP server to run tool "delete-all"?',
			requestedSchema: { type: "object", properties: {} },
		},
	});
	expect((await bench.call("mcp__ex__plain")).output).toBe("user rejected MCP tool call");
	expect((await bench.call("mcp__ex__plain")).output).toBe("user cancelled MCP tool call");
	expect((await bench.call("mcp__ex__plain")).success).toBe(true);
	expect((await bench.call("mcp__ex__plain")).success).toBe(true);
	expect(bench.questions).toHaveLength(4);
	expect(bench.allowed).toEqual([]);
	expect((await bench.call("mcp__ex__delete_all")).success).toBe(true);
	expect(bench.allowed).toEqual(["ex delete-all"]);
	expect(bench.effects.filter((effect) => effect === "intend call")).toHaveLength(4);
});

test("mcp: nobody is asked when the policy is never: refused, but not with full access or config.toml's word", async () => {
	await using bench = createMcpBench({
		table: { ex: { ...example, tools: { plain: { approval_mode: "approve" } } } },
	});
	const never = { approvalPolicy: "never" } as const;
	expect((await bench.call("mcp__ex__delete_all", {}, never)).output).toBe(
		"MCP tool call requires approval, but approval policy is never",
	);
	expect(
		(await bench.call("mcp__ex__delete_all", {}, { ...never, sandbox: "danger-full-access" })).success,
	).toBe(true);
	expect((await bench.call("mcp__ex__plain", {}, never)).success).toBe(true);
	expect(bench.questions).toEqual([]);
});

test("mcp: a server's question goes to the person and the answer back", async () => {
	await using bench = createMcpBench({
		table: { ex: example },
		answers: [accept({ content: { colour: "red" } })],
	});
	const result = await bench.call("mcp__ex__ask");
	expect(bench.questions[0]?.params).toEqual({
		serverName: "ex",
		mode: "form",
		_meta: null,
		message: "Which colour?",
		requestedSchema: {
			type: "object",
			properties: { colour: { type: "string", title: "Colour" } },
			required: ["colour"],
		},
	});
	expect(result.content?.[1]?.["text"]).toBe('answer: {"action":"accept","content":{"colour":"red"}}');
});

test("mcp: servers that cannot start are told with the reason, and the others work", async () => {
	await using bench = createMcpBench({
		table: {
			bad: { command: "/nonexistent/x" },
			ex: example,
			hangs: { command: "/bin/sleep", args: ["30"], startup_timeout_sec: 0.3 },
			off: { command: "/bin/true", enabled: false },
			wrong: { command: 5 },
		},
	});
	const tools = await bench.tools();
	expect(tools.some((tool) => tool.name === "mcp__ex__echo")).toBe(true);
	await expect.poll(() => bench.told.filter(({ status }) => status === "failed")).toHaveLength(2);
	const errors = new Map(bench.told.map(({ name, error }) => [name, error]));
	expect(errors.get("bad")).toBe(
		"MCP client for `bad` failed to start: MCP startup failed: No such file or directory (os error 2)",
	);
	expect(errors.get("hangs")).toBe(
		"MCP client for `hangs` timed out after 0.3 seconds. Add or adjust `startup_timeout_sec` in your config.toml:\n[mcp_servers.hangs]\nstartup_timeout_sec = XX",
	);
	const rows = await bench.servers.status({ threadId: "thread" });
	expect(rows.map(({ name, runtimeStatus }) => `${name} ${runtimeStatus}`)).toEqual([
		"bad failed",
		"ex connected",
		"hangs failed",
		"off disabled",
		"wrong failed",
	]);
});

test("mcp: a required server that fails is named", async () => {
	await using bench = createMcpBench({ table: { bad: { command: "/nonexistent/x", required: true } } });
	bench.servers.open({ threadId: "thread", cwd: "/" });
	expect(await bench.servers.requiredFailure("thread")).toBe(
		"required MCP servers failed to initialize: bad: No such file or directory (os error 2)",
	);
});

test("mcp: threads with the same configuration share a server, which ends with the last of them", async () => {
	await using bench = createMcpBench({ table: { ex: example } });
	await bench.tools({}, "one");
	await bench.tools({}, "two");
	await bench.servers.close("one");
	const called = await bench.servers.callTool({
		threadId: "two",
		server: "ex",
		tool: "echo",
		args: { text: "x" },
		signal: new AbortController().signal,
	});
	expect(called).toEqual({ content: [{ type: "text", text: "echo: x" }] });
	await bench.servers.close("two");
	await expect(
		bench.servers.callTool({
			threadId: "two",
			server: "ex",
			tool: "echo",
			args: {},
			signal: new AbortController().signal,
		}),
	).rejects.toThrow("unknown MCP server 'ex'");
});

test("mcp: config.toml and the thread's own overrides decide which servers and tools there are", async () => {
	await using bench = createMcpBench({
		table: { ex: { ...example, enabled_tools: ["echo", "add"], disabled_tools: ["add"] } },
	});
	const names = async (config?: Record<string, unknown>) =>
		(await bench.tools({}, "thread", config)).slice(3).map((tool) => tool.name);
	expect(await names()).toEqual(["mcp__ex__echo"]);
	expect(await names({ "mcp_servers.ex.enabled_tools": ["plain"] })).toEqual(["mcp__ex__plain"]);
	expect(await names({ mcp_servers: { ex: { enabled: false } } })).toEqual([]);
});

test("mcp: resources are listed and read", async () => {
	await using bench = createMcpBench({ table: { ex: example } });
	expect((await bench.call("list_mcp_resources")).output).toBe(
		'{"resources":[{"server":"ex","uri":"note://one","name":"one","mimeType":"text/plain"}]}',
	);
	expect((await bench.call("read_mcp_resource", { server: "ex", uri: "note://one" })).output).toBe(
		'{"server":"ex","uri":"note://one","contents":[{"uri":"note://one","mimeType":"text/plain","text":"the note"}]}',
	);
	expect(bench.items.map(({ item }) => [item["server"], item["tool"]])).toEqual([
		["codex", "list_mcp_resources"],
		["codex", "list_mcp_resources"],
		["ex", "read_mcp_resource"],
		["ex", "read_mcp_resource"],
	]);
	expect((await bench.call("read_mcp_resource", { server: "no", uri: "x" })).output).toContain(
		"unknown MCP server 'no'",
	);
});

test("mcp: the list of servers has what each says of itself, also without a thread", async () => {
	await using bench = createMcpBench({ table: { ex: example } });
	const [row] = await bench.servers.status({ threadId: null });
	expect(row).toMatchObject({
		name: "ex",
		runtimeStatus: null,
		serverInfo: {
			name: "example",
			title: null,
			version: "1.2.3",
			description: null,
			icons: null,
			websiteUrl: null,
		},
		tools: { echo: { name: "echo", annotations: { readOnlyHint: true } } },
		toolsError: null,
		resources: [{ uri: "note://one" }],
		resourceTemplates: [{ uriTemplate: "note://{name}" }],
		authStatus: "unsupported",
	});
	expect(bench.told).toEqual([]);
});

test("mcp: an HTTP server is called with the token of the named variable", async () => {
	await using http = await startHttpExample({ WANT_TOKEN: "1" });
	const table = { web: { url: http.url, bearer_token_env_var: "WEB_TOKEN" } };
	await using bench = createMcpBench({ table, env: { WEB_TOKEN: "let-me-in" } });
	expect((await bench.call("mcp__web__echo", { text: "hi" })).content?.[1]?.["text"]).toBe("echo: hi");
	const [row] = await bench.servers.status({ threadId: "thread" });
	expect(row).toMatchObject({ httpOrigin: new URL(http.url).origin, authStatus: "bearerToken" });
	await using unset = createMcpBench({ table });
	await unset.tools();
	expect(unset.told.at(-1)).toMatchObject({ status: "failed", error: expect.stringContaining("WEB_TOKEN") });
	await using wrong = createMcpBench({ table, env: { WEB_TOKEN: "other" } });
	await wrong.tools();
	expect(wrong.told.at(-1)).toMatchObject({
		status: "failed",
		error: expect.stringContaining("handshaking"),
	});
});

test("mcp: a shared server's question reaches nobody while calls of two threads run", async () => {
	await using bench = createMcpBench({
		table: { ex: example },
		answers: [accept({ content: { colour: "red" } }), accept({ content: { colour: "blue" } })],
	});
	await bench.call("mcp__ex__echo", { text: "x" });
	const stop = new AbortController();
	const other = bench.call("mcp__ex__never", {}, { threadId: "other", signal: stop.signal });
	expect((await bench.call("mcp__ex__ask")).output).toContain('{"action":"decline"}');
	expect(bench.questions).toEqual([]);
	stop.abort();
	await other;
	expect((await bench.call("mcp__ex__ask")).output).toContain("red");
});
