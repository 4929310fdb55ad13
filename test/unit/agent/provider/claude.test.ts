import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ModelItem, ModelProvider } from "#daemon/agent/model.ts";
import { startWireServer, type WireServer } from "#test/support/wire-server.ts";
import { collect, developerItem, itemsOf, requestOf, TOOLS, userItem } from "./provider-contract.ts";
import { claudeFrames, claudeWire, frame, registryAt, SECRET } from "./wires.ts";

let folder = "";
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "weave-claude-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Block = Record<string, unknown>;
interface Body {
	model: string;
	max_tokens: number;
	system: Block[];
	tools: Block[];
	messages: { role: string; content: Block[] }[];
	thinking: Block;
	output_config: Block;
}
const bodyOf = (server: WireServer, index = -1): Body => server.requests.at(index)?.body as Body;

async function connected(
	body: (provider: ModelProvider, server: WireServer) => Promise<void>,
): Promise<void> {
	await using server = await startWireServer();
	server.answer(claudeWire.path, { pieces: claudeFrames({ text: "ok" }) });
	await body(claudeWire.connect(server, folder), server);
}
const start = (index: number, block: object): string =>
	frame({ type: "content_block_start", index, content_block: block });
const delta = (index: number, change: object): string =>
	frame({ type: "content_block_delta", index, delta: change });
const stop = (index: number): string => frame({ type: "content_block_stop", index });
const opening = frame({
	type: "message_start",
	message: { id: "m", usage: { input_tokens: 1, output_tokens: 0 } },
});
const ending = (reason: string): string =>
	frame({ type: "message_delta", delta: { stop_reason: reason }, usage: { output_tokens: 5 } }) +
	frame({ type: "message_stop" });

test("claude: thoughts, redacted ones and blocks nobody knows go back just as they came", () =>
	connected(async (provider, server) => {
		const strange = { type: "server_thing", id: "srv_1", payload: { deep: [1] } };
		server.answer(claudeWire.path, {
			pieces: [
				opening,
				start(0, { type: "thinking", thinking: "", signature: "" }),
				delta(0, { type: "thinking_delta", thinking: "I " }),
				delta(0, { type: "thinking_delta", thinking: "think" }),
				delta(0, { type: "signature_delta", signature: "sig==" }),
				stop(0),
				start(1, { type: "redacted_thinking", data: "hidden" }),
				stop(1),
				start(2, strange),
				stop(2),
				start(3, { type: "tool_use", id: "toolu_1", name: "apply_patch", input: {} }),
				delta(3, { type: "input_json_delta", partial_json: '{"input": "*** Begin' }),
				delta(3, { type: "input_json_delta", partial_json: ' Patch"}' }),
				stop(3),
				ending("tool_use"),
			],
		});
		const items = itemsOf(await collect(provider, requestOf([userItem("go")])));
		expect(items.at(-1)).toMatchObject({
			type: "custom_tool_call",
			call_id: "toolu_1",
			name: "apply_patch",
			input: "*** Begin Patch",
		});
		const stored = JSON.parse(JSON.stringify(items)) as ModelItem[];
		const output = { type: "custom_tool_call_output", call_id: "toolu_1", output: "Done" };
		await collect(provider, requestOf([userItem("go"), ...stored, output]));
		expect(bodyOf(server).messages[1]).toEqual({
			role: "assistant",
			content: [
				{ type: "thinking", thinking: "I think", signature: "sig==" },
				{ type: "redacted_thinking", data: "hidden" },
				strange,
				{ type: "tool_use", id: "toolu_1", name: "apply_patch", input: { input: "*** Begin Patch" } },
			],
		});
		expect(bodyOf(server).messages[2]).toMatchObject({
			role: "user",
			content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "Done" }],
		});
	}));

test("claude: the cache is marked at the last tool, the last instruction and the last two questions", () =>
	connected(async (provider, server) => {
		const history = [developerItem("Rules."), developerItem("More."), userItem("one")];
		const answer = { type: "message", role: "assistant", content: [{ type: "output_text", text: "first" }] };
		await collect(provider, requestOf(history));
		await collect(
			provider,
			requestOf([...history, answer, developerItem("Now elsewhere."), userItem("two")]),
		);
		const unmarked = (body: Body): string =>
			JSON.stringify(body).replaceAll(',"cache_control":{"type":"ephemeral"}', "");
		const [one, two] = [bodyOf(server, 0), bodyOf(server, 1)];
		const marked = (blocks: Block[]): boolean[] => blocks.map((block) => "cache_control" in block);
		expect(marked(two.tools)).toEqual([false, true]);
		expect(marked(two.system)).toEqual([false, true]);
		expect(two.messages.map((message) => marked(message.content).at(-1))).toEqual([true, false, true]);
		expect(two.messages[2]?.content.map((block) => block["text"])).toEqual([
			"<developer_message>\nNow elsewhere.\n</developer_message>",
			"two",
		]);
		const shared = unmarked(one).indexOf('],"thinking"');
		expect(unmarked(two).slice(0, shared)).toBe(unmarked(one).slice(0, shared));
	}));

test("claude: results follow their calls wherever the history has them, with images", () =>
	connected(async (provider, server) => {
		const call = (id: string): ModelItem => ({
			type: "function_call",
			call_id: id,
			name: "look",
			arguments: '{"path":"a"}',
		});
		const image = { type: "input_image", image_url: "data:image/png;base64,QUJD" };
		await collect(
			provider,
			requestOf([
				userItem("go"),
				call("a"),
				call("b"),
				userItem("meanwhile"),
				{ type: "function_call_output", call_id: "b", output: [{ type: "input_text", text: "see" }, image] },
			]),
		);
		expect(bodyOf(server).messages.map((message) => message.role)).toEqual(["user", "assistant", "user"]);
		expect(bodyOf(server).messages[2]?.content).toMatchObject([
			{ type: "tool_result", tool_use_id: "a", content: expect.stringContaining("aborted") },
			{
				type: "tool_result",
				tool_use_id: "b",
				content: [
					{ type: "text", text: "see" },
					{ type: "image", source: { type: "base64", media_type: "image/png", data: "QUJD" } },
				],
			},
			{ type: "text", text: "meanwhile" },
		]);
	}));

test("claude: a history that ends with the assistant is asked to go on, and one of mere thoughts is asked again", () =>
	connected(async (provider, server) => {
		const said = { type: "message", role: "assistant", content: [{ type: "output_text", text: "Half a" }] };
		const thought = {
			type: "reasoning",
			summary: [],
			x_anthropic: [{ type: "thinking", thinking: "t", signature: "s" }],
		};
		await collect(provider, requestOf([userItem("go"), said]));
		expect(bodyOf(server).messages.map((message) => message.role)).toEqual(["user", "assistant", "user"]);
		await collect(provider, requestOf([userItem("go"), thought]));
		expect(bodyOf(server).messages.map((message) => message.role)).toEqual(["user"]);
	}));

test("claude: thoughts of another model are left out", () =>
	connected(async (provider, server) => {
		const foreign = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "opaque" };
		const chat = {
			type: "message",
			role: "assistant",
			content: [{ type: "output_text", text: "hi" }],
			x_chat: { a: 1 },
		};
		await collect(provider, requestOf([userItem("go"), foreign, chat, userItem("on")]));
		expect(JSON.stringify(bodyOf(server))).not.toMatch(/opaque|x_chat/);
		expect(bodyOf(server).messages).toHaveLength(3);
	}));

test.each([
	["max_tokens", { message: "Incomplete response returned, reason: max_output_tokens", kind: "fatal" }],
	["model_context_window_exceeded", { codexErrorInfo: "contextWindowExceeded" }],
])("claude: a stop by %s fails with its reason", (reason, expected) =>
	connected(async (provider, server) => {
		const cutCall = [
			start(0, { type: "tool_use", id: "toolu_1", name: "look", input: {} }),
			delta(0, { type: "input_json_delta", partial_json: '{"path": "a' }),
			stop(0),
		];
		server.answer(claudeWire.path, { pieces: [opening, ...cutCall, ending(reason)] });
		const events = await collect(provider);
		expect(itemsOf(events)).toEqual([]);
		expect(events.at(-1)).toMatchObject({ type: "failed", failure: expected });
	}),
);

test.each([
	[
		529,
		{},
		{ type: "overloaded_error", message: "Overloaded" },
		{ kind: "stream", codexErrorInfo: "serverOverloaded" },
	],
	[
		400,
		{},
		{ type: "invalid_request_error", message: "prompt is too long: 9 tokens > 8 maximum" },
		{ codexErrorInfo: "contextWindowExceeded" },
	],
	[
		400,
		{},
		{ type: "invalid_request_error", message: "Your credit balance is too low" },
		{ codexErrorInfo: "usageLimitExceeded" },
	],
	[
		400,
		{},
		{ type: "invalid_request_error", message: "messages.0: bad" },
		{ kind: "fatal", codexErrorInfo: "badRequest" },
	],
	[
		401,
		{},
		{ type: "authentication_error", message: "invalid x-api-key" },
		{ kind: "fatal", codexErrorInfo: "unauthorized" },
	],
])("claude: status %i with %s %s is told apart", (status, headers, error, expected) =>
	connected(async (provider, server) => {
		server.answer(claudeWire.path, { status, headers, pieces: [JSON.stringify({ type: "error", error })] });
		expect((await collect(provider)).at(-1)).toMatchObject({ type: "failed", failure: expected });
	}),
);

test("claude: an overload in mid-stream is tried again", () =>
	connected(async (provider, server) => {
		const error = frame({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } });
		server.answer(claudeWire.path, { pieces: [opening, error], end: "hang" });
		expect((await collect(provider)).at(-1)).toMatchObject({
			failure: { kind: "stream", codexErrorInfo: "serverOverloaded" },
		});
	}));

test("claude: thinking follows the model's generation, and a schema goes along", () =>
	connected(async (provider, server) => {
		const ask = (model: string, effort?: string) =>
			collect(
				provider,
				requestOf([userItem("x")], { model, options: { effort, outputSchema: { type: "object" } } }),
			);
		await ask("claude-opus-4-8", "xhigh");
		expect(bodyOf(server)).toMatchObject({
			thinking: { type: "adaptive" },
			output_config: { effort: "max", format: { type: "json_schema", schema: { type: "object" } } },
		});
		await ask("claude-sonnet-4-5-20250929", "low");
		expect(bodyOf(server).thinking).toEqual({ type: "enabled", budget_tokens: 2048 });
		await ask("claude-3-5-haiku-20241022");
		expect(bodyOf(server)).not.toHaveProperty("thinking");
		expect(bodyOf(server).max_tokens).toBe(4096);
	}));

test("claude: a key goes as x-api-key, a bearer with its beta, and a file only when nobody else can read it", async () => {
	await using server = await startWireServer();
	server.answer(claudeWire.path, { pieces: claudeFrames({ text: "ok" }) });
	const ask = async (env: Record<string, string>) => {
		using registry = registryAt(folder, { env: { ANTHROPIC_BASE_URL: server.url, ...env } });
		const provider = registry.resolve("claude", null);
		if (provider === null) throw new Error("no provider");
		return (await collect(provider)).at(-1);
	};
	await ask({ ANTHROPIC_API_KEY: SECRET });
	expect(server.requests.at(-1)?.headers).toMatchObject({
		"x-api-key": SECRET,
		"anthropic-version": "2023-06-01",
	});
	expect(server.requests.at(-1)?.headers).not.toHaveProperty("authorization");
	await ask({ ANTHROPIC_AUTH_TOKEN: SECRET });
	expect(server.requests.at(-1)?.headers).toMatchObject({
		authorization: `Bearer ${SECRET}`,
		"anthropic-beta": expect.stringContaining("oauth-"),
	});
	expect(await ask({})).toMatchObject({ failure: { codexErrorInfo: "unauthorized", kind: "fatal" } });
	mkdirSync(join(folder, "credentials"));
	const file = join(folder, "credentials", "claude.json");
	writeFileSync(file, JSON.stringify({ api_key: SECRET }), { mode: 0o600 });
	expect(await ask({})).toMatchObject({ type: "completed" });
	rmSync(file);
	writeFileSync(file, JSON.stringify({ api_key: SECRET }), { mode: 0o644 });
	await expect(ask({})).rejects.toThrow(/chmod 600/);
});

test("claude: tools in a namespace and with odd names come back under their own", () =>
	connected(async (provider, server) => {
		const inner = { type: "function", name: "do it!", description: "", parameters: { type: "object" } };
		const tools = [...TOOLS, { type: "namespace", name: "mcp", tools: [inner] }, { type: "web_search" }];
		await collect(provider, requestOf([userItem("x")], { tools }));
		const names = bodyOf(server).tools.map((tool) => String(tool["name"]));
		expect(names).toHaveLength(3);
		for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
		const wireName = names[2] ?? "";
		server.answer(claudeWire.path, {
			pieces: claudeFrames({ calls: [{ id: "c", name: wireName, args: {} }] }),
		});
		const items = itemsOf(await collect(provider, requestOf([userItem("x")], { tools })));
		expect(items).toMatchObject([
			{ type: "function_call", name: "do it!", namespace: "mcp", arguments: "{}" },
		]);
		await collect(provider, requestOf([userItem("x"), ...items], { tools }));
		expect(bodyOf(server).messages[1]?.content).toMatchObject([{ type: "tool_use", name: wireName }]);
	}));
