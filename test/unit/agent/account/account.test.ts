import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { type AccountParts, createAccount } from "#daemon/agent/account/create-account.ts";
import type { AccountUpdated, LoginCompleted, LoginStarted } from "#daemon/agent/account/port.ts";
import { accountToken, type OauthServer, startOauthServer } from "#test/support/oauth-server.ts";

let root = "";
let codexHome = "";
let server: OauthServer;
const opened: AccountParts[] = [];
beforeEach(async () => {
	root = mkdtempSync(join(tmpdir(), "weave-account-"));
	codexHome = join(root, "codex");
	mkdirSync(codexHome);
	server = await startOauthServer();
});
afterEach(async () => {
	for (const { account } of opened.splice(0)) await account[Symbol.asyncDispose]();
	await server[Symbol.asyncDispose]();
	rmSync(root, { recursive: true, force: true });
});

function open(requiresOpenaiAuth = true): AccountParts {
	let serial = 0;
	const parts = createAccount({
		codexHome,
		env: {
			CODEX_APP_SERVER_LOGIN_ISSUER: server.url,
			CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${server.url}/oauth/token`,
			CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${server.url}/oauth/revoke`,
		},
		clock: systemClock,
		newId: () => {
			serial += 1;
			return `00000000-0000-7000-8000-${String(serial).padStart(12, "0")}`;
		},
		originator: "weave_codex",
		userAgent: "weave_codex/1",
		settings: () => ({ chatgptBaseUrl: `${server.url}/backend-api`, requiresOpenaiAuth }),
		loginPorts: [0],
	});
	opened.push(parts);
	return parts;
}

const authFile = (): string => join(codexHome, "auth.json");
const readAuth = () => JSON.parse(readFileSync(authFile(), "utf8")) as Record<string, never>;
function writeAuth(options: { expiresInMs?: number; refreshToken?: string } = {}): string {
	const token = accountToken({ expiresAtMs: Date.now() + (options.expiresInMs ?? 3_600_000) });
	const tokens = {
		id_token: token,
		access_token: token,
		refresh_token: options.refreshToken ?? "rt-1",
		account_id: "acct-1",
	};
	const file = { auth_mode: "chatgpt", OPENAI_API_KEY: null, tokens, last_refresh: null, kept: { a: 1 } };
	writeFileSync(authFile(), JSON.stringify(file));
	return token;
}

const NOBODY = { account: null, userId: null, requiresOpenaiAuth: true, workspaceRouting: null };

test("account: without a login it says nobody, and whether one is needed", async () => {
	expect(await open().account.read()).toEqual(NOBODY);
	expect(await open(false).account.read()).toEqual({ ...NOBODY, requiresOpenaiAuth: false });
	expect(await open().account.authStatus({ includeToken: true })).toEqual({
		authMethod: null,
		authToken: null,
		requiresOpenaiAuth: true,
	});
	expect(server.requests).toEqual([]);
});

test("account: a ChatGPT login is told with its workspace", async () => {
	const token = writeAuth();
	const { account } = open();
	expect(await account.read()).toEqual({
		account: { type: "chatgpt", email: "u@example.com", planType: "plus", workspaceName: "Personal" },
		userId: "user-1",
		requiresOpenaiAuth: true,
		workspaceRouting: {
			chatgptAccountId: "acct-1",
			backendOrigin: "https://chatgpt.example",
			accountRoutingOverride: "NO_CONSTRAINT",
		},
	});
	expect(server.requests[0]?.headers).toMatchObject({
		authorization: `Bearer ${token}`,
		"chatgpt-account-id": "acct-1",
	});
	expect(await account.authStatus({ includeToken: false })).toMatchObject({
		authMethod: "chatgpt",
		authToken: null,
	});
	expect((await account.authStatus({ includeToken: true })).authToken).toBe(token);
});

test("account: reading fails as Codex says when the workspace is not to be found", async () => {
	writeAuth();
	server.answers.set("/backend-api/wham/accounts/check", () => [500, {}]);
	await expect(open().account.read()).rejects.toMatchObject({
		code: "PROVIDER_UNAVAILABLE",
		message: "workspace routing discovery failed",
	});
});

test("account: a token that ends within five minutes is renewed in place, with what the file held beside it", async () => {
	writeAuth({ expiresInMs: 240_000 });
	await open().credentials.prepare();
	const sent: unknown = JSON.parse(server.to("/oauth/token")[0]?.body ?? "");
	expect(sent).toEqual({
		client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
		grant_type: "refresh_token",
		refresh_reason: "proactive_expiry",
		refresh_token: "rt-1",
	});
	expect(readAuth()).toMatchObject({
		auth_mode: "chatgpt",
		tokens: { refresh_token: "rt-new-1", account_id: "acct-1" },
		kept: { a: 1 },
	});
	expect(statSync(authFile()).mode & 0o777).toBe(0o600);
});

test("account: a token that is good for longer is left alone", async () => {
	writeAuth({ expiresInMs: 360_000 });
	await open().credentials.prepare();
	expect(server.requests).toEqual([]);
});

test("account: many askers, also of another process, use a refresh token once", async () => {
	writeAuth({ expiresInMs: 60_000 });
	const [one, other] = [open(), open()];
	const work = [one, other, one, other, one].map(({ credentials }) => credentials.prepare());
	await Promise.all(work);
	expect(server.to("/oauth/token")).toHaveLength(1);
	expect(other.credentials.login()).toMatchObject({ refreshToken: "rt-new-1" });
});

test("account: what another program wrote during a refresh stays", async () => {
	writeAuth({ expiresInMs: 60_000 });
	server.answers.set("/oauth/token", () => {
		writeAuth({ refreshToken: "rt-of-another" });
		const token = accountToken({ expiresAtMs: Date.now() + 3_600_000 });
		return [200, { id_token: token, access_token: token, refresh_token: "rt-ours" }];
	});
	await open().credentials.prepare();
	expect(readAuth()).toMatchObject({ tokens: { refresh_token: "rt-of-another" } });
});

test("account: a refresh waits for the Codex CLI's lock and takes what the CLI wrote meanwhile", async (context) => {
	if (spawnSync("flock", ["--version"]).status !== 0) {
		context.skip("no flock program here; the lock file of our own is used then");
	}
	writeAuth({ expiresInMs: 60_000 });
	const cli = spawn("flock", ["-x", join(codexHome, "auth.lock"), "-c", "echo held; cat"]);
	await once(cli.stdout, "data");
	const { credentials } = open();
	const prepared = credentials.prepare();
	writeAuth({ refreshToken: "rt-of-the-cli", expiresInMs: 7_200_000 });
	cli.stdin.end();
	await prepared;
	expect(server.requests).toEqual([]);
	expect(credentials.login()).toMatchObject({ refreshToken: "rt-of-the-cli" });
});

test("account: after a 401 the file is read again, then the token renewed, then it ends", async () => {
	writeAuth();
	const { credentials } = open();
	const recovery = credentials.createRecovery();
	expect(await recovery.next()).toEqual({ kind: "retry" });
	expect(server.requests).toEqual([]);
	expect(await recovery.next()).toEqual({ kind: "retry" });
	expect(JSON.parse(server.requests[0]?.body ?? "")).toMatchObject({
		refresh_reason: "unauthorized_recovery",
	});
	expect(await recovery.next()).toEqual({ kind: "end", message: null });
});

test.each([
	["refresh_token_expired", "has expired"],
	["refresh_token_reused", "was already used"],
	["refresh_token_invalidated", "was revoked"],
	["something_else", "Your access token could not be refreshed. Please"],
])("account: a refresh refused with %s ends the login, once", async (code, words) => {
	writeAuth();
	server.answers.set("/oauth/token", () => [401, { error: { code } }]);
	const { account, credentials } = open();
	const recovery = credentials.createRecovery();
	await recovery.next();
	expect(await recovery.next()).toMatchObject({ kind: "end", message: expect.stringContaining(words) });
	expect(await account.read()).toEqual(NOBODY);
	expect(await account.authStatus({ includeToken: true })).toMatchObject({
		authMethod: "chatgpt",
		authToken: null,
	});
	await credentials.prepare();
	expect(server.to("/oauth/token")).toHaveLength(1);
	expect(existsSync(authFile())).toBe(true);
});

test("account: an issuer that fails leaves the login as it is", async () => {
	writeAuth();
	server.answers.set("/oauth/token", () => [500, {}]);
	const read = await open().account.read({ refresh: true });
	expect(read.account).toMatchObject({ type: "chatgpt" });
	expect(readAuth()).toMatchObject({ tokens: { refresh_token: "rt-1" } });
});

test("account: an API key is stored, told, and forgotten by logout", async () => {
	const { account } = open();
	const told: (AccountUpdated | LoginCompleted)[] = [];
	account.onLoginCompleted((completed) => told.push(completed));
	account.onUpdated((update) => told.push(update));
	expect(await account.loginStart({ type: "apiKey", apiKey: "sk-test" })).toEqual({ type: "apiKey" });
	expect(readAuth()).toEqual({ auth_mode: "apikey", OPENAI_API_KEY: "sk-test" });
	expect(statSync(authFile()).mode & 0o777).toBe(0o600);
	expect((await account.read()).account).toEqual({ type: "apiKey" });
	await account.logout();
	expect(existsSync(authFile())).toBe(false);
	expect(told).toEqual([
		{ loginId: null, success: true, error: null, onboardingEntrypoint: null },
		{ authMode: "apikey", planType: null },
		{ authMode: null, planType: null },
	]);
	expect(server.requests).toEqual([]);
});

test("account: logout takes the refresh token back, and works when the issuer does not", async () => {
	writeAuth();
	await open().account.logout();
	expect(JSON.parse(server.to("/oauth/revoke")[0]?.body ?? "")).toEqual({
		token: "rt-1",
		token_type_hint: "refresh_token",
		client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
	});
	expect(existsSync(authFile())).toBe(false);
	writeAuth();
	server.answers.set("/oauth/revoke", () => [500, {}]);
	await open().account.logout();
	expect(existsSync(authFile())).toBe(false);
});

function loginOf(started: LoginStarted): { loginId: string; state: string; redirect: string } {
	if (started.type !== "chatgpt") throw new Error(started.type);
	const query = new URL(started.authUrl).searchParams;
	return {
		loginId: started.loginId,
		state: query.get("state") ?? "",
		redirect: query.get("redirect_uri") ?? "",
	};
}

function nextCompleted(parts: AccountParts): Promise<LoginCompleted> {
	const { promise, resolve } = Promise.withResolvers<LoginCompleted>();
	parts.account.onLoginCompleted(resolve);
	return promise;
}

test("account: a browser login checks its state, stores the tokens and ends when the person saw it", async () => {
	const parts = open();
	const completed = nextCompleted(parts);
	const started = await parts.account.loginStart({ type: "chatgpt", originator: "a_client" });
	const { loginId, state, redirect } = loginOf(started);
	expect(started).toMatchObject({ authUrl: expect.stringContaining("originator=a_client") });
	expect((await fetch(`${redirect}?code=c&state=wrong`)).status).toBe(400);
	expect(parts.account.loginState(loginId)).toEqual({ state: "pending" });
	const page = await fetch(`${redirect}?code=the-code&state=${state}`);
	expect([page.status, new URL(page.url).pathname]).toEqual([200, "/success"]);
	expect(page.url).not.toContain("token");
	expect(await completed).toEqual({ loginId, success: true, error: null, onboardingEntrypoint: null });
	expect(parts.account.loginState(loginId)).toEqual({ state: "completed" });
	const sent = new URLSearchParams(server.to("/oauth/token")[0]?.body);
	expect(Object.fromEntries(sent)).toMatchObject({
		grant_type: "authorization_code",
		code: "the-code",
		redirect_uri: redirect,
		code_verifier: expect.stringMatching(/^[\w-]{43,128}$/),
	});
	expect(readAuth()).toMatchObject({
		auth_mode: "chatgpt",
		OPENAI_API_KEY: "sk-exchanged",
		tokens: { refresh_token: "rt-new-1", account_id: "acct-1", oauth_provenance: { issuer: server.url } },
	});
});

test("account: a browser login that is refused, or cancelled, says so and stores nothing", async () => {
	const parts = open();
	const refused = nextCompleted(parts);
	const { state, redirect } = loginOf(await parts.account.loginStart({ type: "chatgpt" }));
	const page = await fetch(
		`${redirect}?error=access_denied&error_description=%3Cb%3Eno%3C/b%3E&state=${state}`,
	);
	expect(await page.text()).not.toContain("<b>");
	expect(await refused).toMatchObject({
		success: false,
		error: "Login server error: Sign-in failed: <b>no</b>",
	});
	const cancelled = nextCompleted(parts);
	const { loginId } = loginOf(await parts.account.loginStart({ type: "chatgpt" }));
	expect(await parts.account.loginCancel(loginId)).toEqual({ status: "canceled" });
	expect(await cancelled).toMatchObject({ loginId, error: "Login server error: Login was not completed" });
	expect(await parts.account.loginCancel(loginId)).toEqual({ status: "notFound" });
	await expect(parts.account.loginCancel("zz")).rejects.toMatchObject({ message: "invalid login id: zz" });
	expect(existsSync(authFile())).toBe(false);
});

test("account: a device login waits for the person and stores the tokens", async () => {
	const polls: string[] = [];
	server.answers.set("/api/accounts/deviceauth/usercode", () => [
		200,
		{ device_auth_id: "d1", user_code: "ABCD-1234", interval: "0" },
	]);
	server.answers.set("/api/accounts/deviceauth/token", ({ body }) => {
		polls.push(body);
		if (polls.length < 3) return [403, {}];
		return [200, { authorization_code: "dc", code_challenge: "cc", code_verifier: "cv" }];
	});
	const parts = open();
	const completed = nextCompleted(parts);
	const started = await parts.account.loginStart({ type: "chatgptDeviceCode" });
	expect(started).toMatchObject({ verificationUrl: `${server.url}/codex/device`, userCode: "ABCD-1234" });
	expect(await completed).toMatchObject({ success: true });
	expect(server.to("/oauth/token")[0]?.body).toContain("code_verifier=cv");
	expect(readAuth()).toMatchObject({ OPENAI_API_KEY: null, tokens: { refresh_token: "rt-new-1" } });
});

test("account: a client's own tokens are never written, and it is asked for new ones after a 401", async () => {
	const { account, credentials } = open();
	const expiresAtMs = Date.now() + 3_600_000;
	const first = accountToken({ expiresAtMs, serial: 1 });
	await account.loginStart({
		...{ type: "chatgptAuthTokens", accessToken: first, chatgptAccountId: "acct-1", chatgptPlanType: "pro" },
	});
	expect((await account.read()).account).toMatchObject({ type: "chatgpt", planType: "pro" });
	expect(await account.authStatus({ includeToken: true })).toMatchObject({
		authMethod: "chatgptAuthTokens",
		authToken: first,
	});
	const second = accountToken({ expiresAtMs, serial: 2 });
	const asked: unknown[] = [];
	account.setExternalTokenSource(async (params) => {
		asked.push(params);
		return { accessToken: second, chatgptAccountId: "acct-1", chatgptPlanType: null };
	});
	expect(await credentials.createRecovery().next()).toEqual({ kind: "retry" });
	expect(asked).toEqual([{ reason: "unauthorized", previousAccountId: "acct-1" }]);
	expect(credentials.login()).toMatchObject({ accessToken: second, external: true });
	expect(existsSync(authFile())).toBe(false);
	await expect(
		account.loginStart({ type: "chatgptAuthTokens", accessToken: "no token", chatgptAccountId: "a" }),
	).rejects.toMatchObject({ message: "failed to set external auth: invalid ID token format" });
	await account.logout();
	expect(await account.read()).toEqual(NOBODY);
});

test("account: rate limits are read as Codex tells them", async () => {
	const { account } = open();
	await expect(account.rateLimits()).rejects.toMatchObject({
		message: "chatgpt authentication required to read rate limits",
	});
	writeAuth();
	server.answers.set("/backend-api/wham/usage", () => [
		200,
		{
			plan_type: "plus",
			rate_limit: {
				primary_window: { used_percent: 12, limit_window_seconds: 18_000, reset_at: 1_795_200_000 },
				secondary_window: null,
			},
			credits: { has_credits: true, unlimited: false, balance: "5" },
		},
	]);
	const read = await account.rateLimits();
	expect(read.rateLimits).toMatchObject({
		limitId: "codex",
		primary: { usedPercent: 12, windowDurationMins: 300, resetsAt: 1_795_200_000 },
		credits: { hasCredits: true, unlimited: false, balance: "5" },
		planType: "plus",
	});
	expect(read.rateLimitsByLimitId?.["codex"]).toEqual(read.rateLimits);
});
