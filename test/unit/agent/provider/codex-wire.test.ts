import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import type { ModelEvent, ModelOptions, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import { createProviderSelector, type ProviderSelector } from "#daemon/agent/provider/select.ts";
import { accountToken, type OauthServer, startOauthServer } from "#test/support/oauth-server.ts";

interface Sent {
	readonly url: string;
	readonly headers: IncomingHttpHeaders;
	readonly body: Record<string, unknown>;
}
interface Answer {
	readonly status?: number;
	readonly headers?: Record<string, string>;
	readonly body?: string;
}

const DONE =
	'event: response.completed\ndata: {"type":"response.completed","response":{"id":"resp_1","usage":null}}\n\n';

/** The OpenAI backend: `/responses` by the answers in order (then an empty turn), `/models` by `models`. */
async function startBackend(answers: Answer[] = [], models?: (headers: IncomingHttpHeaders) => Answer) {
	const sent: Sent[] = [];
	const listed: Sent[] = [];
	async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const pieces: Buffer[] = [];
		for await (const piece of request) pieces.push(piece as Buffer);
		const { url = "", headers } = request;
		const bytes = Buffer.concat(pieces);
		const text = headers["content-encoding"] === "zstd" ? zstdDecompressSync(bytes) : bytes;
		const isList = url.includes("/models");
		const body = isList ? {} : (JSON.parse(text.toString("utf8")) as Record<string, unknown>);
		(isList ? listed : sent).push({ url, headers, body });
		const answer = (isList ? models?.(headers) : answers.shift()) ?? {};
		response.writeHead(answer.status ?? 200, { "content-type": "text/event-stream", ...answer.headers });
		response.end(answer.body ?? (isList ? "{}" : DONE));
	}
	const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
	const ready = Promise.withResolvers<void>();
	server.listen(0, "127.0.0.1", () => ready.resolve());
	await ready.promise;
	const address = server.address();
	const port = typeof address === "object" && address !== null ? address.port : 0;
	return {
		url: `http://127.0.0.1:${port}/v1`,
		sent,
		listed,
		async [Symbol.asyncDispose]() {
			const closed = Promise.withResolvers<void>();
			server.close(() => closed.resolve());
			server.closeAllConnections();
			await closed.promise;
		},
	};
}

let root = "";
let codexHome = "";
let issuer: OauthServer;
const selectors: ProviderSelector[] = [];
beforeEach(async () => {
	root = mkdtempSync(join(tmpdir(), "weave-wire-"));
	codexHome = join(root, "codex");
	mkdirSync(codexHome);
	issuer = await startOauthServer();
});
afterEach(async () => {
	for (const selector of selectors.splice(0)) await selector[Symbol.asyncDispose]();
	await issuer[Symbol.asyncDispose]();
	rmSync(root, { recursive: true, force: true });
});

function select(): ProviderSelector {
	const selector = createProviderSelector({
		paths: { home: join(root, "home"), weaveHome: join(root, "weave"), codexHome },
		env: { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${issuer.url}/oauth/token` },
		clock: systemClock,
		newId: () => "id",
		identity: { name: "weave_codex", version: "1" },
	});
	selectors.push(selector);
	return selector;
}
const config = (toml: string): void => writeFileSync(join(codexHome, "config.toml"), toml);
const own = (url: string, more = ""): void =>
	config(`${more}\nmodel_provider = "own"\n[model_providers.own]\nbase_url = "${url}"\n`);
function logIn(url: string, expiresInMs = 3_600_000): string {
	const token = accountToken({ expiresAtMs: Date.now() + expiresInMs });
	const tokens = { id_token: token, access_token: token, refresh_token: "rt-1", account_id: "acct-1" };
	writeFileSync(join(codexHome, "auth.json"), JSON.stringify({ auth_mode: "chatgpt", tokens }));
	config(`openai_base_url = "${url}"\nmodel = "gpt-5.5"\n`);
	return token;
}

const INPUT = [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }];
async function ask(provider: ModelProvider, more: Partial<ModelRequest> = {}): Promise<ModelEvent[]> {
	const request = { threadId: "thr", turnId: "trn", model: null, cwd: "/", input: INPUT, tools: [], ...more };
	const events: ModelEvent[] = [];
	for await (const event of provider.stream(request, new AbortController().signal)) events.push(event);
	return events;
}
async function bodyOf(toml: string, options?: ModelOptions): Promise<Record<string, unknown>> {
	await using backend = await startBackend();
	own(backend.url, toml);
	await ask(select().resolve(null, null), options === undefined ? {} : { options });
	return backend.sent[0]?.body ?? {};
}

test("codex wire: members of a classic request come in Codex's order", async () => {
	const body = await bodyOf('model = "gpt-5.5"\nservice_tier = "fast"');
	expect(Object.keys(body)).toEqual([
		...[
			"model",
			"stream",
			"service_tier",
			"input",
			"tools",
			"tool_choice",
			"parallel_tool_calls",
			"reasoning",
		],
		...["store", "include", "prompt_cache_key", "text", "client_metadata"],
	]);
	expect(body).toMatchObject({
		service_tier: "priority",
		parallel_tool_calls: true,
		reasoning: { effort: "medium" },
		text: { verbosity: "low" },
		client_metadata: { session_id: "thr", thread_id: "thr", turn_id: "trn", "x-codex-window-id": "thr:0" },
	});
});

test("codex wire: a code-mode model, the default, takes its tools in the input and says so", async () => {
	await using backend = await startBackend();
	own(backend.url);
	const provider = select().resolve(null, null);
	expect(provider.describe()).toMatchObject({
		...{ id: "gpt-6.1-sol", toolMode: "code", toolsInInput: true, supportsParallelToolCalls: false },
		...{ contextWindow: 258_400, autoCompactTokens: 244_800, defaultEffort: "low" },
	});
	await ask(provider);
	expect(backend.sent[0]?.body).toMatchObject({
		parallel_tool_calls: false,
		reasoning: { effort: "low", context: "all_turns" },
	});
	expect(backend.sent[0]?.body).not.toHaveProperty("tools");
	expect(backend.sent[0]?.headers).toMatchObject({
		"x-openai-internal-codex-responses-lite": "true",
		"x-codex-beta-features": "remote_compaction_v2",
		"x-codex-window-id": "thr:0",
	});
	expect(backend.sent[0]?.headers).not.toHaveProperty("version");
});

test("codex wire: a model that the catalogue does not know is asked for the least", async () => {
	const body = await bodyOf('model = "local-llm"\nmodel_verbosity = "high"');
	expect(body).toMatchObject({
		model: "local-llm",
		parallel_tool_calls: true,
		reasoning: { summary: "auto" },
	});
	expect(body).not.toHaveProperty("text");
});

test.each<[string, string, ModelOptions, Record<string, unknown>]>([
	[
		"options of the turn over config.toml",
		'model = "gpt-5.5"\nmodel_reasoning_effort = "low"\nmodel_verbosity = "high"',
		{ effort: "xhigh", summary: "concise", serviceTier: "priority" },
		{
			reasoning: { effort: "xhigh", summary: "concise" },
			text: { verbosity: "high" },
			service_tier: "priority",
		},
	],
	[
		"ultra as the level below it",
		'model = "gpt-6-astra"',
		{ effort: "ultra" },
		{ reasoning: { effort: "xhigh", context: "all_turns" } },
	],
	["no summary for none", 'model = "gpt-5.5"', { summary: "none" }, { reasoning: { effort: "medium" } }],
	[
		"a schema for the answer",
		'model = "gpt-5.5"',
		{ outputSchema: { type: "object" } },
		{
			text: {
				verbosity: "low",
				format: {
					...{ type: "json_schema", strict: true, schema: { type: "object" }, name: "codex_output_schema" },
				},
			},
		},
	],
])("codex wire: a request carries %s", async (_name, toml, options, expected) => {
	const body = await bodyOf(toml, options);
	expect({ ...body, input: null, tools: null }).toMatchObject(expected);
	expect(body["reasoning"]).toEqual(expected["reasoning"] ?? body["reasoning"]);
});

test("codex wire: compaction and later windows are told in the metadata", async () => {
	await using backend = await startBackend();
	own(backend.url, 'model = "gpt-5.5"');
	await ask(select().resolve(null, null), {
		...{
			kind: "compaction",
			windowNumber: 1,
			options: { sandbox: "danger-full-access", originator: "a cliént" },
		},
	});
	const headers = backend.sent[0]?.headers ?? {};
	expect(headers["x-codex-window-id"]).toBe("thr:1");
	expect(headers["originator"]).toBe("a cli_nt");
	expect(JSON.parse(String(headers["x-codex-turn-metadata"]))).toMatchObject({
		...{ request_kind: "compaction", window_number: 1, sandbox: "none", sandbox_mode: "danger-full-access" },
		...{ thread_id: "thr", turn_id: "trn", analytics_enabled: false },
	});
	expect(backend.sent[0]?.body).toMatchObject({ parallel_tool_calls: false, tools: [] });
});

test("codex wire: a ChatGPT login brings its headers and a compressed body", async () => {
	await using backend = await startBackend();
	const token = logIn(backend.url);
	const provider = select().resolve(null, null);
	expect([provider.providerId, provider.compaction]).toEqual(["openai", "remote"]);
	await ask(provider);
	expect(backend.sent[0]?.headers).toMatchObject({
		...{ authorization: `Bearer ${token}`, "chatgpt-account-id": "acct-1", version: "0.169.0" },
		...{ "content-encoding": "zstd", "x-codex-routing-hint": "model=gpt-5.5" },
	});
	expect(backend.sent[0]?.body).toMatchObject({ model: "gpt-5.5", input: INPUT });
});

test("codex wire: requests of a thread share their prefix byte for byte", async () => {
	await using backend = await startBackend();
	own(backend.url, 'model = "gpt-5.5"');
	const provider = select().resolve(null, null);
	await ask(provider);
	await ask(provider, { input: [...INPUT, { type: "message", role: "assistant", content: [] }] });
	const [first, second] = backend.sent.map(({ body }) => JSON.stringify(body));
	const prefix = first?.slice(0, first.indexOf("]}]")) ?? "";
	expect(prefix).toContain('"text":"hi"');
	expect(second?.startsWith(prefix)).toBe(true);
});

test("codex wire: a login about to end is renewed before the request", async () => {
	await using backend = await startBackend();
	const old = logIn(backend.url, 60_000);
	await ask(select().resolve(null, null));
	expect(backend.sent[0]?.headers.authorization).not.toBe(`Bearer ${old}`);
	expect(issuer.to("/oauth/token")).toHaveLength(1);
});

const REFUSED: Answer = { status: 401, body: '{"error":{"message":"bad token"}}' };

test("codex wire: a refused login is tried again, then renewed, and nobody hears of it", async () => {
	await using backend = await startBackend([REFUSED, REFUSED]);
	const old = logIn(backend.url);
	expect(await ask(select().resolve(null, null))).toMatchObject([{ type: "completed" }]);
	const bearers = backend.sent.map(({ headers }) => headers.authorization === `Bearer ${old}`);
	expect(bearers).toEqual([true, true, false]);
	expect(JSON.parse(readFileSync(join(codexHome, "auth.json"), "utf8"))).toMatchObject({
		tokens: { refresh_token: "rt-new-1" },
	});
});

test("codex wire: a login that cannot be renewed ends the request for good", async () => {
	await using backend = await startBackend([REFUSED, REFUSED]);
	logIn(backend.url);
	issuer.answers.set("/oauth/token", () => [401, { error: { code: "refresh_token_reused" } }]);
	expect(await ask(select().resolve(null, null))).toMatchObject([
		{
			type: "failed",
			failure: {
				...{ kind: "fatal", codexErrorInfo: "unauthorized" },
				message: expect.stringContaining("was already used"),
			},
		},
	]);
});

test("codex wire: a login refused three times is a failure to try again", async () => {
	await using backend = await startBackend([REFUSED, REFUSED, REFUSED]);
	logIn(backend.url);
	expect(await ask(select().resolve(null, null))).toMatchObject([
		{ type: "failed", failure: { kind: "stream", httpStatusCode: 401 } },
	]);
	expect(backend.sent).toHaveLength(3);
});

test("codex wire: limits in the headers are told, of refusals too", async () => {
	const headers = {
		...{ "x-codex-primary-used-percent": "42.5", "x-codex-primary-window-minutes": "300" },
		...{ "x-codex-primary-reset-at": "1795200000", "x-codex-credits-has-credits": "true" },
		...{ "x-codex-credits-unlimited": "false", "x-codex-credits-balance": "12" },
		...{ "x-codex-other-primary-used-percent": "1", "x-codex-other-limit-name": "Other" },
	};
	const body = '{"error":{"type":"usage_limit_reached","message":"used up"}}';
	await using backend = await startBackend([{ headers }, { status: 429, headers, body }]);
	own(backend.url);
	const provider = select().resolve(null, null);
	const limits = [
		{
			type: "rate_limits",
			rateLimits: {
				...{ limitId: "codex", secondary: null },
				primary: { usedPercent: 43, windowDurationMins: 300, resetsAt: 1_795_200_000 },
				credits: { hasCredits: true, unlimited: false, balance: "12" },
			},
		},
		{ type: "rate_limits", rateLimits: { limitId: "codex_other", limitName: "Other", credits: null } },
	];
	expect(await ask(provider)).toMatchObject([...limits, { type: "completed", responseId: "resp_1" }]);
	expect(await ask(provider)).toMatchObject([
		...limits,
		{ type: "failed", failure: { kind: "fatal", codexErrorInfo: "usageLimitExceeded" } },
	]);
});

test("codex wire: what an answer says of its routing comes back within the turn only", async () => {
	await using backend = await startBackend([{ headers: { "x-codex-turn-state": "sticky" } }]);
	own(backend.url);
	const provider = select().resolve(null, null);
	for (const turnId of ["one", "one", "two"]) await ask(provider, { turnId });
	expect(backend.sent.map(({ headers }) => headers["x-codex-turn-state"])).toEqual([
		undefined,
		"sticky",
		undefined,
	]);
});

test("codex wire: raw reasoning is told apart from summaries", async () => {
	const event = { type: "response.reasoning_text.delta", item_id: "r", content_index: 0, delta: "hm" };
	await using backend = await startBackend([{ body: `data: ${JSON.stringify(event)}\n\n${DONE}` }]);
	own(backend.url);
	expect(await ask(select().resolve(null, null))).toMatchObject([
		{ type: "reasoning_text_delta", itemId: "r", contentIndex: 0, delta: "hm" },
		{ type: "completed" },
	]);
});

test("codex wire: a thread's own config wins over config.toml, by dotted keys too", async () => {
	await using backend = await startBackend();
	own(backend.url, 'model = "gpt-5.5"\nmodel_reasoning_effort = "high"');
	const selector = select();
	const overrides = {
		...{ model: "gpt-5.6-sol", model_reasoning_effort: null },
		...{ "model_providers.own.http_headers.X-Mine": "1", "__proto__.polluted": true },
	};
	await ask(selector.resolve(null, null, overrides));
	expect(backend.sent[0]?.headers["x-mine"]).toBe("1");
	expect(backend.sent[0]?.body).toMatchObject({ model: "gpt-5.6-sol", reasoning: { effort: "low" } });
	expect({}).not.toHaveProperty("polluted");
	expect(() => selector.resolve(null, null, { model: 7 })).toThrow(/config override model/);
});

test("codex wire: a profile's members win, and settings reach the loop and the tools", () => {
	config(
		'model = "a"\nprofile = "p"\ncompact_prompt = "c"\nshow_raw_agent_reasoning = true\n[profiles.p]\nmodel = "b"\n' +
			'[tools.update_plan]\nenabled = true\n[tools]\nweb_search = false\n[mcp_servers.s]\ncommand = "x"\n[projects."/w"]\ntrust_level = "trusted"\n',
	);
	const selector = select();
	expect(selector.defaultModel()).toBe("b");
	const settings = selector.settingsFor({ config: { "tools.web_search": true }, effort: "low" });
	expect(settings).toMatchObject({
		...{ compactPrompt: "c", showRawReasoning: true, mcpServers: { s: { command: "x" } } },
		...{ tools: { updatePlan: true, webSearch: true, viewImage: null }, modelOptions: { effort: "low" } },
	});
	expect([settings.trustOf("/w"), settings.trustOf("/other")]).toEqual(["trusted", null]);
});

test("codex wire: the backend's own models are asked for with a ChatGPT login, kept, and asked again by their tag", async () => {
	const row = {
		...{ slug: "gpt-9", display_name: "GPT-9", priority: 0, visibility: "list", use_responses_lite: true },
		...{ tool_mode: "code_mode_only", context_window: 100_000, default_reasoning_level: "high" },
	};
	await using backend = await startBackend([], (headers) =>
		headers["if-none-match"] === '"one"'
			? { status: 304 }
			: { headers: { etag: '"one"' }, body: JSON.stringify({ models: [row, { slug: 7 }] }) },
	);
	logIn(backend.url);
	const selector = select();
	expect((await selector.codexModels()).map(({ id }) => id)).toEqual(["gpt-9"]);
	await selector.codexModels();
	expect(backend.listed.map(({ url }) => url)).toEqual(["/v1/models?client_version=0.169.0"]);
	expect(selector.resolve(null, "gpt-9").describe()).toMatchObject({
		...{ toolMode: "code", toolsInInput: true, contextWindow: 95_000, defaultEffort: "high" },
	});
	const later = select();
	expect((await later.codexModels()).map(({ id }) => id)).toEqual(["gpt-9"]);
	expect(backend.listed).toHaveLength(1);
});

test("codex wire: without a ChatGPT login, or an answer, the built-in models stand", async () => {
	const selector = select();
	expect((await selector.codexModels()).map(({ id }) => id)).toContain("gpt-5.5");
	await using backend = await startBackend([], () => ({ status: 500 }));
	logIn(backend.url);
	expect(await selector.codexModels()).toHaveLength(12);
	await selector.codexModels();
	expect(backend.listed).toHaveLength(1);
});
