import { AppError } from "#base/app-error.ts";
import type { AccountPort, ExternalTokens, LoginParams } from "#daemon/agent/account/port.ts";
import { type CodexConnection, CodexError, type CodexMethods, INTERNAL_ERROR } from "../method.ts";
import { boolean, optional, string, struct, tagged } from "../wire/decode.ts";

const INTERNAL_CODES: ReadonlySet<string> = new Set([
	"PROVIDER_AUTH",
	"PROVIDER_UNAVAILABLE",
	"PORT_IN_USE",
	"INTERNAL",
]);

const readParams = struct("GetAccountParams", { refreshToken: optional(boolean) });
const statusParams = struct("GetAuthStatusParams", {
	includeToken: optional(boolean),
	refreshToken: optional(boolean),
});
const cancelParams = struct("CancelLoginAccountParams", { loginId: string });
const loginParams = tagged("LoginAccountParams", {
	apiKey: { apiKey: string },
	chatgpt: {},
	chatgptDeviceCode: {},
	chatgptAuthTokens: {
		accessToken: string,
		chatgptAccountId: string,
		chatgptPlanType: optional(string),
	},
	amazonBedrock: {},
	amazonBedrockAccessKeys: {},
});

/** Runs an account call with its refusals as this wire has them. */
async function told<T>(action: () => Promise<T>): Promise<T> {
	try {
		return await action();
	} catch (error) {
		if (!(error instanceof AppError) || !INTERNAL_CODES.has(error.code)) throw error;
		throw new CodexError(error.message, INTERNAL_ERROR);
	}
}

async function askForTokens(connection: CodexConnection, params: unknown): Promise<ExternalTokens> {
	const answer = await connection.request("account/chatgptAuthTokens/refresh", params);
	return struct("ChatgptAuthTokensRefreshResponse", {
		accessToken: string,
		chatgptAccountId: string,
		chatgptPlanType: optional(string),
	}).decode(answer);
}

function startParams(
	params: ReturnType<typeof loginParams.decode>,
	connection: CodexConnection,
): LoginParams {
	if (params.type.startsWith("amazon")) throw new CodexError("Amazon Bedrock logins are not served");
	if (params.type === "chatgpt") return { type: "chatgpt", originator: connection.client.name };
	return params as unknown as LoginParams;
}

/** `account/*` and `getAuthStatus`: the login of the Codex home, shared by all clients. */
export function createAccountMethods(account: AccountPort): CodexMethods {
	/** Nothing is told before the first client asked; each change is told to all. */
	const watched = new Set<string>();

	function watch(connection: CodexConnection): void {
		if (watched.has(connection.connectionId)) return;
		watched.add(connection.connectionId);
		const updated = account.onUpdated((update) => connection.notify("account/updated", update));
		const completed = account.onLoginCompleted((login) =>
			connection.notify("account/login/completed", login),
		);
		connection.onClose(() => {
			watched.delete(connection.connectionId);
			updated[Symbol.dispose]();
			completed[Symbol.dispose]();
		});
	}

	return {
		"account/read"(params, connection) {
			watch(connection);
			const { refreshToken } = readParams.decode(params);
			return told(() => account.read({ refresh: refreshToken ?? false }));
		},
		getAuthStatus(params, connection) {
			watch(connection);
			const { includeToken, refreshToken } = statusParams.decode(params);
			return told(() => account.authStatus({ includeToken, refresh: refreshToken }));
		},
		"account/login/start"(params, connection) {
			watch(connection);
			const asked = startParams(loginParams.decode(params), connection);
			if (asked.type === "chatgptAuthTokens") {
				const source = account.setExternalTokenSource((why) => askForTokens(connection, why));
				connection.onClose(() => source[Symbol.dispose]());
			}
			return told(() => account.loginStart(asked));
		},
		async "account/login/cancel"(params) {
			const { loginId } = cancelParams.decode(params);
			if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(loginId))
				throw new CodexError(`invalid login id: ${loginId}`);
			return account.loginCancel(loginId);
		},
		async "account/logout"(_params, connection) {
			watch(connection);
			await account.logout();
			return {};
		},
		"account/rateLimits/read": async () => {
			try {
				return await account.rateLimits();
			} catch (error) {
				if (error instanceof AppError && error.code === "PROVIDER_AUTH")
					throw new CodexError("codex account authentication required to read rate limits");
				throw error;
			}
		},
		"account/usage/read": () => {
			throw new CodexError("codex account authentication required to read token usage");
		},
		"account/bedrock/checkGovCloudRequirements": () => ({ isGovCloud: false, shouldWarn: false }),
	};
}
