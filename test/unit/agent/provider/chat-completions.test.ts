import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ModelItem, ModelProvider } from "#daemon/agent/model.ts";
import { startWireServer, type WireServer } from "#test/support/wire-server.ts";
import { collect, developerItem, itemsOf, requestOf, textOf, userItem } from "./provider-contract.ts";
import { chatFrames, chatWire, frame, registryAt } from "./wires.ts";

let folder = "";
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "weave-chat-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Body {
	messages: Record<string, unknown>[];
	tools: unknown[];
	[member: string]: unknown;
}
const bodyOf = (server: WireServer): Body =>
	server.requests.filter((request) => request.path.includes("/chat/completions")).at(-1)?.body as Body;

async function connected(
	pieces: readonly string[],
	body: (provider: ModelProvider, server: WireServer) => Promise<void>,
	headers: Record<string, string> = {},
): Promise<void> {
	await using server = await startWireServer();
	server.answer(chatWire.path, { pieces, headers }, { pieces: chatFrames({ text: "ok" }) });
	await body(chatWire.connect(server, folder), server);
}
const chunk = (delta: object, finish: string | null = null): string =>
	frame({ choices: [{ index: 0, delta, finish_reason: finish }] });
const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };

test("chat: a server that says the whole message at once, without usage, is understood", () =>
	connected(
		[
			JSON.stringify({
				choices: [{ message: { role: "assistant", content: "All of it" }, finish_reason: "stop" }],
			}),
		],
		async (provider) => {
			const events = await collect(provider);
			expect(textOf(events)).toBe("All of it");
			expect(events.at(-1)).toMatchObject({ type: "completed", usage: null });
		},
		JSON_TYPE,
	));

test("chat: a stream may end after its reason without [DONE], and after [DONE] without a reason", async () => {
	await connected([chunk({ content: "a" }, "stop")], async (provider) => {
		expect((await collect(provider)).at(-1)?.type).toBe("completed");
	});
	await connected([chunk({ content: "a" }), "data: [DONE]\n\n"], async (provider) => {
		expect((await collect(provider)).at(-1)?.type).toBe("completed");
	});
});

test("chat: calls with one index, no ids or arguments as an object are put together", async () => {
	const name = "look";
	await connected(
		[
			chunk({ tool_calls: [{ index: 0, id: "a", function: { name, arguments: '{"path":"1"}' } }] }),
			chunk({ tool_calls: [{ index: 0, id: "b", function: { name, arguments: '{"path":' } }] }),
			chunk({ tool_calls: [{ index: 0, function: { arguments: '"2"}' } }] }),
			chunk({ tool_calls: [{ function: { name, arguments: { path: "3" } } }] }, "tool_calls"),
		],
		async (provider) => {
			const calls = itemsOf(await collect(provider));
			expect(calls.map((call) => JSON.parse(String(call["arguments"])))).toEqual([
				{ path: "1" },
				{ path: "2" },
				{ path: "3" },
			]);
			expect(new Set(calls.map((call) => call["call_id"])).size).toBe(3);
		},
	);
});

test("chat: what a server says beyond our shapes goes back where it was", () =>
	connected(
		[
			chunk({ reasoning_text: "I " }),
			chunk({ reasoning_text: "see" }),
			chunk({ content: "Fine." }),
			chunk({ reasoning_opaque: "sealed" }),
			chunk({
				tool_calls: [
					{
						index: 0,
						id: "a",
						type: "function",
						function: { name: "look", arguments: "{}" },
						extra_content: { sig: 1 },
					},
				],
			}),
			chunk({}, "tool_calls"),
			"data: [DONE]\n\n",
		],
		async (provider, server) => {
			const items = itemsOf(await collect(provider, requestOf([userItem("go")])));
			expect(items.map((item) => item.type)).toEqual(["reasoning", "message", "function_call"]);
			const stored = JSON.parse(JSON.stringify(items)) as ModelItem[];
			const output = { type: "function_call_output", call_id: "a", output: "there" };
			await collect(provider, requestOf([userItem("go"), ...stored, output]));
			expect(bodyOf(server).messages.slice(1)).toEqual([
				{
					role: "assistant",
					content: "Fine.",
					reasoning_text: "I see",
					reasoning_opaque: "sealed",
					tool_calls: [
						{
							id: "a",
							type: "function",
							function: { name: "look", arguments: "{}" },
							extra_content: { sig: 1 },
						},
					],
				},
				{ role: "tool", tool_call_id: "a", content: "there" },
			]);
		},
	));

test("chat: instructions are one system message, and images are named where the model sees none", () =>
	connected(chatFrames({ text: "ok" }), async (provider, server) => {
		const image = { type: "input_image", image_url: "data:image/png;base64,QUJD" };
		const picture = { type: "message", role: "user", content: [{ type: "input_text", text: "look" }, image] };
		await collect(
			provider,
			requestOf([developerItem("A."), developerItem("B."), picture, developerItem("C.")]),
		);
		expect(bodyOf(server).messages).toEqual([
			{ role: "system", content: "A.\nB." },
			{ role: "user", content: "look\n[an image]" },
			{ role: "user", content: "<developer_message>\nC.\n</developer_message>" },
		]);
	}));

test.each([
	["length", "max_output_tokens"],
	["content_filter", "content_filter"],
])("chat: a stop by %s keeps the text, drops cut calls and fails", (reason, told) =>
	connected(
		[
			chunk({ content: "Half" }),
			chunk({ tool_calls: [{ index: 0, id: "a", function: { name: "look", arguments: '{"pa' } }] }),
			chunk({}, reason),
		],
		async (provider) => {
			const events = await collect(provider);
			expect(itemsOf(events).map((item) => item.type)).toEqual(["message"]);
			expect(events.at(-1)).toMatchObject({
				failure: { message: expect.stringContaining(told), kind: "fatal" },
			});
		},
	),
);

test("chat: an error in the stream fails with its words", () =>
	connected([frame({ error: { message: "the model crashed", code: 500 } })], async (provider) => {
		expect((await collect(provider)).at(-1)).toMatchObject({
			failure: { message: "the model crashed", kind: "stream" },
		});
	}));

test("registry: config.json names providers, and its settings hold", async () => {
	await using server = await startWireServer();
	server.answer("/chat/completions", { pieces: chatFrames({ text: "ok" }) });
	server.answer("/models", {
		headers: JSON_TYPE,
		pieces: [JSON.stringify({ data: [{ id: "llama", max_model_len: 1000 }] })],
	});
	using registry = registryAt(folder, {
		providers: {
			ollama: {
				...{ wire: "chat", label: "Ollama", base_url: `${server.url}/v1/`, deny_tools: ["look"] },
				...{ headers: { "X-Own": "1" }, query_params: { v: "2" }, max_output_tokens: 9 },
			},
		},
	});
	expect(registry.names()).toEqual(["claude", "copilot", "ollama"]);
	expect(await registry.refreshModels("ollama")).toMatchObject([{ id: "llama", context_window: 1000 }]);
	const provider = registry.resolve("ollama", null);
	if (provider === null) throw new Error("no provider");
	expect(provider).toMatchObject({
		defaultModel: "llama",
		contextWindow: 950,
		detail: `Ollama at ${server.url}/v1`,
	});
	await collect(provider);
	expect(bodyOf(server)).toMatchObject({ model: "llama", max_tokens: 9 });
	expect(bodyOf(server).tools).toHaveLength(1);
	expect(server.requests.at(-1)).toMatchObject({
		path: "/v1/chat/completions?v=2",
		headers: { "x-own": "1" },
	});
	expect(registry.info().find((info) => info.name === "ollama")).toMatchObject({
		usable: true,
		tools: { denied: ["look"], parallelCalls: true, images: false },
	});
	expect(registry.resolve("nobody", null)).toBeNull();
});

test("registry: a table of config.toml wins over what is built in under the same name", () => {
	using registry = registryAt(folder, {
		toml: '[model_providers.claude]\nbase_url = "http://127.0.0.1:9/v1"\n',
	});
	expect(registry.resolve("claude", null)).toBeNull();
	expect(registry.resolve("copilot", null)).not.toBeNull();
});
