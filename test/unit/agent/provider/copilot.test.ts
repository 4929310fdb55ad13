import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startWireServer, type WireServer } from "#test/support/wire-server.ts";
import { collect, requestOf, userItem } from "./provider-contract.ts";
import { chatFrames, copilotToken, copilotWire, registryAt, SECRET } from "./wires.ts";

let folder = "";
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "weave-copilot-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const JSON_TYPE = { "content-type": "application/json" };
const exchanges = (server: WireServer): number =>
	server.requests.filter((request) => request.path.endsWith("/token")).length;
const json = (body: unknown, status = 200) => ({
	status,
	headers: JSON_TYPE,
	pieces: [JSON.stringify(body)],
});

test("copilot: one exchange serves many requests, says who asks, and is made anew after a refusal or near its end", async () => {
	await using server = await startWireServer();
	const ok = { pieces: chatFrames({ text: "ok" }) };
	server.answer(copilotWire.path, ok, ok, json({ error: { message: "expired" } }, 401), ok);
	const provider = copilotWire.connect(server, folder);
	await Promise.all([collect(provider), collect(provider)]);
	expect(exchanges(server)).toBe(1);
	const request = server.requests.find(({ path }) => path.endsWith("/chat/completions"));
	expect(request?.headers).toMatchObject({
		authorization: "Bearer copilot-token-123",
		"x-initiator": "user",
		"editor-version": "weave-codex/1.2.3",
	});
	expect(request?.headers).not.toHaveProperty("copilot-integration-id");
	expect((await collect(provider)).at(-1)).toMatchObject({ failure: { codexErrorInfo: "unauthorized" } });
	copilotToken(server, Math.floor(Date.now() / 1000) + 60);
	const output = { type: "function_call_output", call_id: "a", output: "x" };
	const call = { type: "function_call", call_id: "a", name: "look", arguments: "{}" };
	await collect(provider, requestOf([userItem("go"), call, output]));
	expect(exchanges(server)).toBe(2);
	expect(server.requests.at(-1)?.headers["x-initiator"]).toBe("agent");
	await collect(provider);
	expect(exchanges(server)).toBe(3);
});

test("copilot: an account without Copilot is told, with no token in the message", async () => {
	await using server = await startWireServer();
	const provider = copilotWire.connect(server, folder);
	server.answer("/copilot_internal/v2/token", json({ message: `no ${SECRET}` }, 403));
	const last = (await collect(provider)).at(-1);
	expect(last).toMatchObject({ failure: { kind: "fatal", codexErrorInfo: "unauthorized" } });
	expect(JSON.stringify(last)).not.toContain(SECRET);
});

test("copilot: the device login waits, slows down, and keeps the token for this user only", async () => {
	await using server = await startWireServer();
	using registry = registryAt(folder, {
		env: { HOMIE_COPILOT_GITHUB_URL: server.url, HOMIE_COPILOT_CLIENT_ID: "our-app" },
	});
	const { signal } = new AbortController();
	server.answer(
		"/login/device/code",
		json({
			device_code: "dev",
			user_code: "AB-CD",
			verification_uri: "https://x/device",
			expires_in: 900,
			interval: 5,
		}),
	);
	server.answer(
		"/login/oauth/access_token",
		json({ error: "authorization_pending" }),
		json({ error: "slow_down", interval: 10 }),
		json({ access_token: "gho_123", token_type: "bearer" }),
	);
	const login = await registry.copilotLogin.start(signal);
	expect(login).toMatchObject({ userCode: "AB-CD", verificationUrl: "https://x/device", intervalMs: 5000 });
	expect(server.requests.at(-1)?.body).toMatchObject({ client_id: "our-app" });
	expect(await registry.copilotLogin.poll(login, signal)).toEqual({ status: "pending", intervalMs: null });
	expect(await registry.copilotLogin.poll(login, signal)).toEqual({ status: "pending", intervalMs: 10_000 });
	expect(await registry.copilotLogin.poll(login, signal)).toEqual({ status: "authorized" });
	expect(statSync(join(folder, "credentials", "copilot.json")).mode & 0o777).toBe(0o600);
	expect(registry.info().find((info) => info.name === "copilot")).toMatchObject({ usable: true });
	expect(await registry.copilotLogin.poll({ ...login, expiresAtMs: 0 }, signal)).toEqual({
		status: "expired",
	});
});

test("copilot: without the id of an app the login says what to set", async () => {
	using registry = registryAt(folder);
	await expect(registry.copilotLogin.start(new AbortController().signal)).rejects.toMatchObject({
		code: "CONFIG_INVALID",
		message: expect.stringContaining("HOMIE_COPILOT_CLIENT_ID"),
	});
});

test("copilot: models are discovered with their windows, those for chat only", async () => {
	await using server = await startWireServer();
	copilotToken(server);
	const capabilities = (type: string) => ({
		type,
		limits: { max_context_window_tokens: 128_000, max_output_tokens: 16_000 },
		supports: { tool_calls: true, vision: true },
	});
	server.answer(
		"/api/models",
		json({
			data: [
				{ id: "gpt-x", name: "GPT X", capabilities: capabilities("chat") },
				{ id: "embed", capabilities: capabilities("embeddings") },
			],
		}),
	);
	using registry = registryAt(folder, {
		env: { COPILOT_GITHUB_TOKEN: SECRET, HOMIE_COPILOT_GITHUB_API_URL: server.url },
	});
	expect(await registry.refreshModels("copilot")).toMatchObject([
		{ id: "gpt-x", label: "GPT X", context_window: 128_000, images: true, tools: true },
	]);
	expect(registry.resolve("copilot", null)?.describe()).toMatchObject({
		id: "gpt-x",
		takesImages: true,
		contextWindow: 121_600,
	});
});
