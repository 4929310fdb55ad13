import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { createCodexHome } from "#daemon/agent/provider/codex/home.ts";
import { createProviderRegistry, type ProviderRegistry } from "#daemon/agent/provider/registry.ts";
import { createProviderSelector } from "#daemon/agent/provider/select.ts";
import type { WireServer } from "#test/support/wire-server.ts";
import type { Said, Wire } from "./provider-contract.ts";

export const SECRET = "secret-key-123456";

export function registryAt(
	folder: string,
	{
		env = {},
		providers = {},
		toml = "",
	}: { env?: Record<string, string>; providers?: object; toml?: string } = {},
): ProviderRegistry {
	const codex = join(folder, "codex");
	mkdirSync(codex, { recursive: true });
	writeFileSync(join(codex, "config.toml"), toml);
	writeFileSync(join(folder, "config.json"), JSON.stringify({ providers }));
	let serial = 0;
	return createProviderRegistry({
		paths: { home: folder, config: join(folder, "config.json") },
		env,
		clock: systemClock,
		newId: () => {
			serial += 1;
			return `id${serial}`;
		},
		identity: { name: "weave_codex", version: "1.2.3" },
		codexHome: createCodexHome(codex),
	});
}

function resolved(registry: ProviderRegistry, name: string, model: string | null) {
	const provider = registry.resolve(name, model);
	if (provider === null) throw new Error(`no provider ${name}`);
	return provider;
}

export const frame = (event: object): string => `data: ${JSON.stringify(event)}\n\n`;
const named = (event: { type: string; [member: string]: unknown }): string =>
	`event: ${event.type}\n${frame(event)}`;

/** Frames of the Messages API. */
export function claudeFrames({ thought, text, calls = [], usage }: Said): string[] {
	const { input = 3, cached = 0, output = 2 } = usage ?? {};
	const frames = [
		named({
			type: "message_start",
			message: {
				id: "msg_1",
				usage: { input_tokens: input - cached, cache_read_input_tokens: cached, output_tokens: 1 },
			},
		}),
	];
	let index = -1;
	const block = (start: object, deltas: object[]): void => {
		index += 1;
		frames.push(named({ type: "content_block_start", index, content_block: start }));
		for (const delta of deltas) frames.push(named({ type: "content_block_delta", index, delta }));
		frames.push(named({ type: "content_block_stop", index }));
	};
	if (thought !== undefined) {
		block({ type: "thinking", thinking: "", signature: "" }, [
			{ type: "thinking_delta", thinking: thought },
			{ type: "signature_delta", signature: "signed" },
		]);
	}
	if (text !== undefined) block({ type: "text", text: "" }, [{ type: "text_delta", text }]);
	for (const call of calls) {
		const json = JSON.stringify(call.args);
		block({ type: "tool_use", id: call.id, name: call.name, input: {} }, [
			{ type: "input_json_delta", partial_json: json.slice(0, 4) },
			{ type: "input_json_delta", partial_json: json.slice(4) },
		]);
	}
	frames.push(
		named({
			type: "message_delta",
			delta: { stop_reason: calls.length > 0 ? "tool_use" : "end_turn" },
			usage: { output_tokens: output },
		}),
		named({ type: "message_stop" }),
	);
	return frames;
}

/** Frames of chat completions. */
export function chatFrames({ thought, text, calls = [], usage }: Said): string[] {
	const { input = 3, cached = 0, output = 2 } = usage ?? {};
	const chunk = (delta: object, finish: string | null = null): string =>
		frame({
			id: "c1",
			object: "chat.completion.chunk",
			choices: [{ index: 0, delta, finish_reason: finish }],
		});
	const frames = [chunk({ role: "assistant", content: "" })];
	if (thought !== undefined) frames.push(chunk({ reasoning_content: thought }));
	if (text !== undefined) frames.push(chunk({ content: text }));
	for (const [index, call] of calls.entries()) {
		const json = JSON.stringify(call.args);
		const open = { index, id: call.id, type: "function", function: { name: call.name, arguments: "" } };
		frames.push(chunk({ tool_calls: [open] }));
		frames.push(chunk({ tool_calls: [{ index, function: { arguments: json.slice(0, 4) } }] }));
		frames.push(chunk({ tool_calls: [{ index, function: { arguments: json.slice(4) } }] }));
	}
	frames.push(chunk({}, calls.length > 0 ? "tool_calls" : "stop"));
	const counts = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
	frames.push(
		frame({ id: "c1", choices: [], usage: { ...counts, prompt_tokens_details: { cached_tokens: cached } } }),
	);
	frames.push("data: [DONE]\n\n");
	return frames;
}

export const claudeWire: Wire = {
	name: "claude",
	path: "/v1/messages",
	frames: claudeFrames,
	unknownFrame: named({ type: "message_sparkle", sparkle: 1 }),
	errorBody: (message) => ({ type: "error", error: { type: "api_error", message } }),
	connect: (server, folder) =>
		resolved(
			registryAt(folder, { env: { ANTHROPIC_API_KEY: SECRET, ANTHROPIC_BASE_URL: server.url } }),
			"claude",
			null,
		),
};

export const chatWire: Wire = {
	name: "chat completions",
	path: "/v1/chat/completions",
	frames: chatFrames,
	unknownFrame: frame({ object: "sparkle", sparkle: 1 }),
	errorBody: (message) => ({ error: { message, type: "server_error" } }),
	connect: (server, folder) =>
		resolved(
			registryAt(folder, {
				env: { OWN_KEY: SECRET },
				toml: `[model_providers.own]\nname = "Own"\nbase_url = "${server.url}/v1"\nwire_api = "chat"\nenv_key = "OWN_KEY"\n`,
			}),
			"own",
			"m",
		),
};

export function copilotToken(server: WireServer, expiresAt = 4_000_000_000): void {
	const body = JSON.stringify({
		token: "copilot-token-123",
		expires_at: expiresAt,
		endpoints: { api: `${server.url}/api` },
	});
	server.answer("/copilot_internal/v2/token", {
		headers: { "content-type": "application/json" },
		pieces: [body],
	});
}

export const copilotWire: Wire = {
	...chatWire,
	name: "copilot",
	path: "/api/chat/completions",
	connect(server, folder) {
		copilotToken(server);
		const env = { COPILOT_GITHUB_TOKEN: SECRET, HOMIE_COPILOT_GITHUB_API_URL: server.url };
		return resolved(registryAt(folder, { env }), "copilot", "m");
	},
};

/** Events of the Responses API. */
function responsesFrames({ thought, text, calls = [], usage }: Said): string[] {
	const { input = 3, cached = 0, output = 2 } = usage ?? {};
	const frames = [named({ type: "response.created", response: { id: "resp_1" } })];
	const open = (item: object): number => frames.push(named({ type: "response.output_item.added", item }));
	const done = (item: object): number => frames.push(named({ type: "response.output_item.done", item }));
	if (thought !== undefined) {
		const at = { item_id: "rs_1", summary_index: 0 };
		open({ type: "reasoning", id: "rs_1", summary: [] });
		frames.push(named({ type: "response.reasoning_summary_part.added", ...at }));
		frames.push(named({ type: "response.reasoning_summary_text.delta", ...at, delta: thought }));
		done({
			type: "reasoning",
			id: "rs_1",
			summary: [{ type: "summary_text", text: thought }],
			encrypted_content: "e",
		});
	}
	if (text !== undefined) {
		open({ type: "message", id: "msg_1", role: "assistant", content: [] });
		frames.push(named({ type: "response.output_text.delta", item_id: "msg_1", delta: text }));
		done({ type: "message", id: "msg_1", role: "assistant", content: [{ type: "output_text", text }] });
	}
	for (const call of calls) {
		const item = { type: "function_call", id: `fc_${call.id}`, call_id: call.id, name: call.name };
		done({ ...item, arguments: JSON.stringify(call.args) });
	}
	const counts = { input_tokens: input, output_tokens: output, total_tokens: input + output };
	const told = { ...counts, input_tokens_details: { cached_tokens: cached } };
	frames.push(named({ type: "response.completed", response: { id: "resp_1", usage: told } }));
	return frames;
}

export const responsesWire: Wire = {
	name: "codex",
	path: "/v1/responses",
	frames: responsesFrames,
	unknownFrame: named({ type: "response.sparkle", sparkle: 1 }),
	errorBody: (message) => ({ error: { message, type: "server_error" } }),
	connect(server, folder) {
		const codexHome = join(folder, "codex");
		mkdirSync(codexHome, { recursive: true });
		const table = `base_url = "${server.url}/v1"\nenv_key = "OWN_KEY"\n`;
		writeFileSync(join(codexHome, "config.toml"), `model = "gpt-5.5"\n[model_providers.own]\n${table}`);
		return createProviderSelector({
			paths: { home: folder, weaveHome: join(folder, "weave"), codexHome },
			env: { OWN_KEY: SECRET },
			clock: systemClock,
			newId: () => "id",
			identity: { name: "weave_codex", version: "1.2.3" },
		}).resolve("own", null);
	},
};
