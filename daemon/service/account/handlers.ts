import type { z } from "zod";
import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { AccountPort, LoginState } from "#daemon/agent/account/port.ts";
import type { CallContext } from "#daemon/gateway/handler.ts";
import type { accountMethods } from "#protocol/service/account.ts";

type AccountMethod = (typeof accountMethods)[number];
export type AccountMethodName = AccountMethod["name"];
type MethodOf<Name extends AccountMethodName> = Extract<AccountMethod, { name: Name }>;
export type AccountHandlers = {
	readonly [Name in AccountMethodName]: (
		params: z.output<MethodOf<Name>["params"]>,
		context: Pick<CallContext, "signal">,
	) => Promise<z.output<MethodOf<Name>["result"]>>;
};

/** Resolves when the login is no longer pending, the time is over or the caller is gone. */
async function waitForEnd(
	{ account, clock }: AccountHandlerPorts,
	{ loginId, waitMs, signal }: { loginId: string; waitMs: number; signal: AbortSignal },
): Promise<void> {
	const end = Promise.withResolvers<void>();
	using _ended = account.onLoginCompleted((completed) => {
		if (completed.loginId === loginId) end.resolve();
	});
	using _timer = clock.after(waitMs, end.resolve);
	signal.addEventListener("abort", () => end.resolve(), { once: true });
	if (account.loginState(loginId)?.state !== "pending" || signal.aborted) return;
	await end.promise;
}

function stateOf(state: LoginState | null, loginId: string): LoginState {
	if (state === null) throw new AppError("NOT_FOUND", `There is no login ${loginId}.`);
	return state;
}

/** What the handlers see: the login, and a clock to wait by. */
export interface AccountHandlerPorts {
	readonly account: AccountPort;
	readonly clock: Clock;
}

/** Handlers of the `chat.account.*` methods that change something. */
export function createAccountHandlers(ports: AccountHandlerPorts): AccountHandlers {
	const { account } = ports;
	return {
		async "chat.account.refresh"() {
			const { account: who } = await account.read({ refresh: true });
			const nobody = { email: null, plan: null, workspace: null };
			if (who === null) return { login: "none", ...nobody };
			if (who.type === "apiKey") return { login: "api_key", ...nobody };
			return { login: "chatgpt", email: who.email, plan: who.planType, workspace: who.workspaceName };
		},
		async "chat.account.login.start"({ kind, api_key: apiKey }) {
			if (kind === "api_key") {
				if (apiKey === undefined) throw new AppError("INVALID_PARAMS", "api_key is missing.");
				await account.loginStart({ type: "apiKey", apiKey });
				return { login_id: null, url: null, user_code: null };
			}
			if (apiKey !== undefined) throw new AppError("INVALID_PARAMS", `A ${kind} login takes no api_key.`);
			const started = await account.loginStart({
				type: kind === "browser" ? "chatgpt" : "chatgptDeviceCode",
			});
			if (started.type === "chatgpt") {
				return { login_id: started.loginId, url: started.authUrl, user_code: null };
			}
			if (started.type === "chatgptDeviceCode") {
				return { login_id: started.loginId, url: started.verificationUrl, user_code: started.userCode };
			}
			return { login_id: null, url: null, user_code: null };
		},
		async "chat.account.login.poll"({ login_id: loginId, wait_ms: waitMs }, { signal }) {
			stateOf(account.loginState(loginId), loginId);
			if (waitMs > 0) await waitForEnd(ports, { loginId, waitMs, signal });
			const now = stateOf(account.loginState(loginId), loginId);
			return { state: now.state, error: now.state === "failed" ? now.error : null };
		},
		async "chat.account.login.cancel"({ login_id: loginId }) {
			const { status } = await account.loginCancel(loginId);
			return { cancelled: status === "canceled" };
		},
		async "chat.account.logout"() {
			await account.logout();
			return {};
		},
	};
}
