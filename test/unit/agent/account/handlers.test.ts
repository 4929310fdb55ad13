import { expect, test } from "vitest";
import type { AccountPort, LoginCompleted, LoginState } from "#daemon/agent/account/port.ts";
import { createAccountHandlers } from "#daemon/service/account/handlers.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";

/** An account whose one login ends when the test says so. */
function createLogin() {
	const listeners = new Set<(completed: LoginCompleted) => void>();
	let state: LoginState = { state: "pending" };
	const account: AccountPort = {
		read: async () => ({ account: null, userId: null, requiresOpenaiAuth: true, workspaceRouting: null }),
		authStatus: async () => ({ authMethod: null, authToken: null, requiresOpenaiAuth: true }),
		loginStart: async ({ type }) =>
			type === "chatgptDeviceCode"
				? { type, loginId: "l", verificationUrl: "https://v", userCode: "C" }
				: { type: "chatgpt", loginId: "l", authUrl: "https://a" },
		loginCancel: async () => ({ status: "notFound" }),
		loginState: (id) => (id === "l" ? state : null),
		logout: async () => undefined,
		rateLimits: () => Promise.reject(new Error("not asked here")),
		onUpdated: () => ({ [Symbol.dispose]: () => undefined }),
		onLoginCompleted(listener) {
			listeners.add(listener);
			return { [Symbol.dispose]: () => void listeners.delete(listener) };
		},
		setExternalTokenSource: () => ({ [Symbol.dispose]: () => undefined }),
		[Symbol.asyncDispose]: async () => undefined,
	};
	return {
		account,
		listeners,
		end(next: LoginState): void {
			state = next;
			for (const listener of listeners)
				listener({ loginId: "l", success: true, error: null, onboardingEntrypoint: null });
		},
	};
}
const context = { signal: new AbortController().signal };

test("account methods: a poll answers as soon as the login ends", async () => {
	const login = createLogin();
	const handlers = createAccountHandlers({ account: login.account, clock: createFakeClock() });
	const polled = handlers["chat.account.login.poll"]({ login_id: "l", wait_ms: 20_000 }, context);
	login.end({ state: "failed", error: "why" });
	expect(await polled).toEqual({ state: "failed", error: "why" });
	expect(login.listeners.size).toBe(0);
});

test("account methods: a poll says pending when its time is over, and at once without one", async () => {
	const { account } = createLogin();
	const clock = createFakeClock();
	const handlers = createAccountHandlers({ account, clock });
	const polled = handlers["chat.account.login.poll"]({ login_id: "l", wait_ms: 5_000 }, context);
	clock.advance(5_000);
	expect(await polled).toEqual({ state: "pending", error: null });
	const now = handlers["chat.account.login.poll"]({ login_id: "l", wait_ms: 0 }, context);
	expect(await now).toEqual({ state: "pending", error: null });
	const unknown = handlers["chat.account.login.poll"]({ login_id: "x", wait_ms: 0 }, context);
	await expect(unknown).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("account methods: a login says where to go, and refuses a key where none belongs", async () => {
	const handlers = createAccountHandlers({ account: createLogin().account, clock: createFakeClock() });
	const start = handlers["chat.account.login.start"];
	expect(await start({ kind: "browser" }, context)).toEqual({
		login_id: "l",
		url: "https://a",
		user_code: null,
	});
	expect(await start({ kind: "device" }, context)).toEqual({
		login_id: "l",
		url: "https://v",
		user_code: "C",
	});
	await expect(start({ kind: "api_key" }, context)).rejects.toMatchObject({ code: "INVALID_PARAMS" });
	await expect(start({ kind: "device", api_key: "k" }, context)).rejects.toMatchObject({
		code: "INVALID_PARAMS",
	});
	expect(await handlers["chat.account.refresh"]({}, context)).toMatchObject({ login: "none", email: null });
});
