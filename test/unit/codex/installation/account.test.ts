import { describe, expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import type { AccountPort, AccountUpdated, RequestExternalTokens } from "#daemon/agent/account/port.ts";
import { createAccountMethods } from "#daemon/codex/installation/account-methods.ts";
import { createFakeConnection } from "./fake-connection.ts";

const nothing: Disposable = { [Symbol.dispose]: () => undefined };

/** A login without a home; `refuse` makes its answers fail. */
function createAccount(refuse?: AppError) {
	const calls: unknown[] = [];
	const listeners = new Set<(update: AccountUpdated) => void>();
	let source: RequestExternalTokens | undefined;
	async function answer<T>(call: unknown, value: T): Promise<T> {
		calls.push(call);
		if (refuse !== undefined) throw refuse;
		return value;
	}
	const port: AccountPort = {
		read: (options) =>
			answer(["read", options], {
				account: null,
				userId: null,
				requiresOpenaiAuth: true,
				workspaceRouting: null,
			}),
		authStatus: (options) =>
			answer(["status", options], { authMethod: null, authToken: null, requiresOpenaiAuth: true }),
		loginStart: (params) => answer(["login", params], { type: "apiKey" as const }),
		loginCancel: (id) => answer(["cancel", id], { status: "notFound" as const }),
		loginState: () => null,
		logout: () => answer(["logout"], undefined),
		rateLimits: () => Promise.reject(refuse ?? new AppError("PROVIDER_AUTH", "no login")),
		onUpdated(listener) {
			listeners.add(listener);
			return { [Symbol.dispose]: () => void listeners.delete(listener) };
		},
		onLoginCompleted: () => nothing,
		setExternalTokenSource(request) {
			source = request;
			return { [Symbol.dispose]: () => (source = undefined) };
		},
		[Symbol.asyncDispose]: () => Promise.resolve(),
	};
	return { port, calls, listeners, source: () => source };
}

describe("account methods", () => {
	test("account/read: asks for a refresh only when the client does, and its client hears of changes once", async () => {
		const { port, calls, listeners } = createAccount();
		const methods = createAccountMethods(port);
		const client = createFakeConnection();
		await methods["account/read"]?.({}, client);
		await methods["account/read"]?.({ refreshToken: true }, client);
		expect(calls).toEqual([
			["read", { refresh: false }],
			["read", { refresh: true }],
		]);
		expect(listeners.size).toBe(1);
		for (const tell of listeners) tell({ authMode: "apikey", planType: null });
		expect(client.told).toEqual([
			{ method: "account/updated", params: { authMode: "apikey", planType: null } },
		]);
		client.close();
		expect(listeners.size).toBe(0);
	});

	test("account/read: fails with the real server's code when the backend cannot be asked", async () => {
		const refusal = new AppError("PROVIDER_UNAVAILABLE", "workspace routing discovery failed");
		const methods = createAccountMethods(createAccount(refusal).port);
		await expect(methods["account/read"]?.({}, createFakeConnection())).rejects.toMatchObject({
			code: -32603,
			message: "workspace routing discovery failed",
		});
	});

	test("account/login/start: a browser login carries the client's name, and no login of others is begun", async () => {
		const { port, calls } = createAccount();
		const methods = createAccountMethods(port);
		const client = createFakeConnection();
		await methods["account/login/start"]?.({ type: "chatgpt" }, client);
		expect(calls).toEqual([["login", { type: "chatgpt", originator: "unit" }]]);
		expect(() => methods["account/login/start"]?.({ type: "amazonBedrock" }, client)).toThrow("Bedrock");
		expect(() => methods["account/login/start"]?.({ type: "unheard-of" }, client)).toThrow("unknown variant");
	});

	test("account/login/start: the client that brought tokens is asked for new ones, until it goes away", async () => {
		const { port, source } = createAccount();
		const tokens = { accessToken: "a", chatgptAccountId: "b", chatgptPlanType: null };
		const client = createFakeConnection("one", tokens);
		const methods = createAccountMethods(port);
		await methods["account/login/start"]?.({ type: "chatgptAuthTokens", ...tokens }, client);
		const why = { reason: "unauthorized" as const, previousAccountId: "b" };
		expect(await source()?.(why)).toMatchObject({ accessToken: "a", chatgptAccountId: "b" });
		expect(client.told).toEqual([{ method: "asked account/chatgptAuthTokens/refresh", params: why }]);
		client.close();
		expect(source()).toBeUndefined();
	});

	test("account/login/cancel: refuses what is no id of a login", async () => {
		const methods = createAccountMethods(createAccount().port);
		const cancel = methods["account/login/cancel"];
		await expect(cancel?.({ loginId: "x" }, createFakeConnection())).rejects.toThrow("invalid login id: x");
		const loginId = "01a1f9f9-34d9-7000-a962-c066085580fe";
		expect(await cancel?.({ loginId }, createFakeConnection())).toEqual({ status: "notFound" });
	});

	test("account/rateLimits/read: needs a login, and says so in the real server's words", async () => {
		const methods = createAccountMethods(createAccount().port);
		await expect(methods["account/rateLimits/read"]?.({}, createFakeConnection())).rejects.toThrow(
			"codex account authentication required to read rate limits",
		);
		expect(() => methods["account/usage/read"]?.({}, createFakeConnection())).toThrow("authentication");
		expect(await methods["account/logout"]?.({}, createFakeConnection())).toEqual({});
	});
});
