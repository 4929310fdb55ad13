import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { systemClock } from "#base/clock.ts";
import type { ModelEvent, ModelProvider } from "#daemon/agent/model.ts";
import { createProviderSelector, type ProviderSelector } from "#daemon/agent/provider/select.ts";
import { startScriptedModel } from "#test/support/scripted-model.ts";

function createIds(): () => string {
	let serial = 0;
	return () => {
		serial += 1;
		return String(serial);
	};
}

let root = "";
let codexHome = "";
beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), "weave-provider-"));
	codexHome = join(root, "codex");
	mkdirSync(codexHome);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function select(env: Record<string, string> = {}): ProviderSelector {
	const ids = createIds();
	return createProviderSelector({
		paths: { home: join(root, "home"), weaveHome: join(root, "weave"), codexHome },
		env,
		clock: systemClock,
		newId: ids,
		identity: { name: "weave_codex", version: "1.2.3" },
	});
}
const config = (toml: string): void => writeFileSync(join(codexHome, "config.toml"), toml);
const login = (auth: unknown): void => writeFileSync(join(codexHome, "auth.json"), JSON.stringify(auth));
const token = (claims: unknown): string => `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;

async function ask(provider: ModelProvider, signal = new AbortController().signal): Promise<ModelEvent[]> {
	const input = [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }];
	const request = {
		threadId: "thr",
		turnId: "trn",
		model: null,
		cwd: "/",
		input,
		tools: [{ type: "function", name: "t" }],
	};
	const events: ModelEvent[] = [];
	for await (const event of provider.stream(request, signal)) events.push(event);
	return events;
}

function codeOf(run: () => unknown): { code: string; message: string } {
	try {
		run();
	} catch (error) {
		if (error instanceof AppError) return { code: error.code, message: error.message };
		throw error;
	}
	throw new Error("nothing was thrown");
}

test("select: without a login and a provider the offline agent is the default, and says why", () => {
	const selector = select();
	expect(selector.resolve(null, null)).toMatchObject({
		name: "offline",
		detail: expect.stringContaining("codex login"),
	});
	expect(selector.account()).toMatchObject({
		provider: "offline",
		login: "none",
		model: null,
		codex_home: codexHome,
	});
	expect(selector.models().models).toEqual([]);
});

test("select: a login or a provider counts from the next call on", () => {
	const selector = select({ MY_KEY: "key-123456" });
	login({ auth_mode: "apikey", OPENAI_API_KEY: "sk-test-123456" });
	expect(selector.resolve(null, null)).toMatchObject({
		name: "codex",
		defaultModel: "gpt-6.1-sol",
		contextWindow: 258_400,
	});
	expect(selector.account()).toMatchObject({
		login: "api_key",
		detail: "OpenAI at https://api.openai.com/v1, API key",
	});
	config(
		'model = "m"\nmodel_provider = "own"\n[model_providers.own]\nname = "Own"\nbase_url = "http://127.0.0.1:9/v1"\nenv_key = "MY_KEY"\n',
	);
	expect(selector.resolve(null, "other")).toMatchObject({
		name: "codex",
		defaultModel: "other",
		detail: "Own at http://127.0.0.1:9/v1",
	});
	expect(selector.models().models).toContainEqual({ id: "m", provider: "codex", is_default: true });
	expect(select().resolve(null, null)).toMatchObject({
		name: "offline",
		detail: expect.stringContaining("MY_KEY is not set"),
	});
	expect(selector.resolve("offline", null).name).toBe("offline");
	expect(selector.resolve("openai", null).name).toBe("openai");
	expect(codeOf(() => selector.resolve("nowhere", null))).toMatchObject({ code: "CONFIG_INVALID" });
});

test("select: a ChatGPT login goes to its own address with the account's id", () => {
	const claims = {
		email: "a@b.c",
		"https://api.openai.com/auth": { chatgpt_account_id: "acc", chatgpt_plan_type: "plus" },
	};
	login({
		auth_mode: "chatgpt",
		OPENAI_API_KEY: null,
		tokens: { id_token: token(claims), access_token: "secret-access" },
	});
	const { detail } = select().resolve(null, null);
	expect(detail).toBe("OpenAI at https://chatgpt.com/backend-api/codex, ChatGPT login");
});

test.each([
	["not TOML", 'model = "x"\nmodel_provider = [\n', /config\.toml:\d+: not valid TOML/],
	[
		"a wrong type",
		'model = "x"\n[model_providers.own]\nbase_url = "http://h"\nstream_max_retries = "many"\n',
		/config\.toml:4: model_providers\.own\.stream_max_retries/,
	],
	[
		"another wire",
		'model_provider = "own"\n[model_providers.own]\nbase_url = "http://h"\nwire_api = "soap"\n',
		/config\.toml:4: .*wire_api must be "responses"/,
	],
	[
		"no base_url",
		'model_provider = "own"\n[model_providers.own]\nname = "x"\n',
		/config\.toml:2: .*base_url must be a URL/,
	],
	["an unknown provider", 'model_provider = "gone"\n', /no \[model_providers\.gone\]/],
])("select: config.toml with %s is refused with file and line", (_name, toml, message) => {
	config(toml);
	expect(codeOf(() => select().resolve(null, null))).toMatchObject({
		code: "CONFIG_INVALID",
		message: expect.stringMatching(message),
	});
});

test("select: a broken auth.json is refused without a word of its content", () => {
	writeFileSync(join(codexHome, "auth.json"), '{"OPENAI_API_KEY": "sk-secret-value');
	const { code, message } = codeOf(() => select().resolve(null, null));
	expect(code).toBe("CONFIG_INVALID");
	expect(message).not.toContain("sk-secret");
});

test("codex: body, headers and query are those of the classic tools", async () => {
	await using model = await startScriptedModel({ responses: [{ items: [{ type: "text", text: "x" }] }] });
	config(
		`model = "gpt-5.5"\nmodel_provider = "own"\nmodel_reasoning_effort = "high"\n[model_providers.own]\nbase_url = "${model.url}/"\nenv_key = "MY_KEY"\n` +
			'query_params = { "api-version" = "7" }\nhttp_headers = { "X-One" = "1" }\nenv_http_headers = { "X-Two" = "TWO", "X-None" = "NONE" }\n',
	);
	const events = await ask(select({ MY_KEY: "key-123456", TWO: "2" }).resolve(null, null));
	expect(events.at(-1)).toMatchObject({
		type: "completed",
		usage: { totalTokens: 110, cachedInputTokens: 20, reasoningOutputTokens: 2 },
	});
	const request = model.requests[0];
	expect(request?.path).toBe("/v1/responses?api-version=7");
	expect(request?.headers).toMatchObject({
		authorization: "Bearer key-123456",
		originator: "weave_codex",
		"user-agent": expect.stringMatching(/^weave_codex\/1\.2\.3 \(/),
		"session-id": "thr",
		"thread-id": "thr",
		"x-client-request-id": "thr",
		"x-one": "1",
		"x-two": "2",
	});
	expect(request?.headers).not.toHaveProperty("x-none");
	expect(request?.body).toMatchObject({
		model: "gpt-5.5",
		stream: true,
		store: false,
		tool_choice: "auto",
		parallel_tool_calls: true,
		include: ["reasoning.encrypted_content"],
		prompt_cache_key: "thr",
		reasoning: { effort: "high" },
		text: { verbosity: "low" },
		tools: [{ type: "function", name: "t" }],
	});
	expect(request?.body).not.toHaveProperty("instructions");
});

test("codex: a custom provider needs no login, and openai_base_url moves the built-in one", async () => {
	await using model = await startScriptedModel({ responses: [], repeatLast: true });
	config(`openai_base_url = "${model.url}"\n[model_providers.own]\nbase_url = "${model.url}"\n`);
	login({ tokens: { access_token: "secret-access", account_id: "acc" } });
	await ask(select().resolve("own", null));
	await ask(select().resolve(null, null));
	expect(model.requests[0]?.headers).not.toHaveProperty("authorization");
	expect(model.requests[1]?.headers).toMatchObject({
		authorization: "Bearer secret-access",
		"chatgpt-account-id": "acc",
	});
});

test("codex: keys and tokens are taken out of what a provider answers", async () => {
	const body = { error: { message: "Incorrect API key provided: key-123456 (header-secret)" } };
	await using model = await startScriptedModel({ responses: [{ status: 401, body }] });
	config(
		`model_provider = "own"\n[model_providers.own]\nbase_url = "${model.url}"\nenv_key = "MY_KEY"\n` +
			'http_headers = { "x-key" = "header-secret" }\nquery_params = { key = "query-secret" }\n',
	);
	const events = await ask(select({ MY_KEY: "key-123456" }).resolve(null, null));
	const text = JSON.stringify(events);
	expect(text).toContain("Incorrect API key provided: [redacted] ([redacted])");
	expect(text).not.toMatch(/key-123456|header-secret|query-secret/);
});

test("codex: a chosen provider without its key fails at once and says which variable", async () => {
	config(
		'[model_providers.own]\nbase_url = "http://127.0.0.1:9"\nenv_key = "MY_KEY"\nenv_key_instructions = "Get one at example.test."\n',
	);
	const [event] = await ask(select().resolve("own", null));
	expect(event).toMatchObject({
		type: "failed",
		failure: {
			kind: "fatal",
			codexErrorInfo: "unauthorized",
			message: expect.stringMatching(/MY_KEY is not set\. Get one/),
		},
	});
});

test("codex: a redirect is not followed", async () => {
	await using elsewhere = await startScriptedModel({ responses: [] });
	await using model = await startScriptedModel({
		responses: [{ status: 307, headers: { location: `${elsewhere.url}/responses` } }],
	});
	config(`model_provider = "own"\n[model_providers.own]\nbase_url = "${model.url}"\n`);
	expect(await ask(select().resolve(null, null))).toMatchObject([
		{ type: "failed", failure: { kind: "fatal" } },
	]);
	expect(elsewhere.requests).toHaveLength(0);
});

test("codex: an abort ends the stream without an event and closes the connection", async () => {
	await using model = await startScriptedModel({ responses: [{ items: [{ type: "gate", name: "never" }] }] });
	config(`model_provider = "own"\n[model_providers.own]\nbase_url = "${model.url}"\n`);
	const abort = new AbortController();
	const asked = ask(select().resolve(null, null), abort.signal);
	await model.paused("never");
	abort.abort();
	expect(await asked).toEqual([]);
	await model.cut(1);
});

test("codex: what is not JSON, or says nothing to us, does not end a turn by accident", async () => {
	const done = { type: "message", role: "assistant", id: "m", content: [{ type: "output_text", text: "x" }] };
	await using model = await startScriptedModel({
		responses: [
			{
				items: [
					{ type: "event", event: { type: "response.something.new", odd: 1 } },
					{ type: "raw", item: done },
				],
				usage: null,
			},
			{ items: [{ type: "event", event: { type: "response.output_text.delta", delta: 7 } }], usage: null },
			{ items: [{ type: "event", event: { type: "response.completed", response: "yes" } }] },
		],
	});
	config(`model_provider = "own"\n[model_providers.own]\nbase_url = "${model.url}"\n`);
	const provider = select().resolve(null, null);
	expect(await ask(provider)).toEqual([
		{ type: "item_done", item: done },
		{ type: "completed", usage: null, responseId: expect.any(String) },
	]);
	expect(await ask(provider)).toMatchObject([{ type: "completed" }]);
	expect(await ask(provider)).toMatchObject([{ type: "failed", failure: { kind: "stream" } }]);
});

test("codex: a refusal other than a bad request is told as one to try again, with its status", async () => {
	for (const status of [401, 403, 404]) {
		await using model = await startScriptedModel({ responses: [{ status }] });
		config(`model_provider = "own"\n[model_providers.own]\nbase_url = "${model.url}"\n`);
		const codexErrorInfo = { httpConnectionFailed: { httpStatusCode: status } };
		expect(await ask(select().resolve(null, null))).toMatchObject([
			{ type: "failed", failure: { kind: "stream", httpStatusCode: status, codexErrorInfo } },
		]);
	}
});
