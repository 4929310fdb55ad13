import { AppError } from "#base/app-error.ts";
import type { ChatgptLogin, Login } from "./auth-file.ts";
import type { AuthStore } from "./auth-store.ts";
import type { Backend, Workspace } from "./backend.ts";
import type { Credentials } from "./credentials.ts";
import type { AccountPort, AccountRead, AccountUpdated, AuthMode } from "./port.ts";

function modeOf(login: Login): AuthMode | null {
	if (login.kind === "none") return null;
	if (login.kind === "api_key") return "apikey";
	return login.external ? "chatgptAuthTokens" : "chatgpt";
}

/** What clients are told when the login has changed. */
export function updateOf(login: Login): AccountUpdated {
	return { authMode: modeOf(login), planType: login.kind === "chatgpt" ? (login.plan ?? "unknown") : null };
}

function tokenOf(login: Login): string | null {
	if (login.kind === "none") return null;
	return login.kind === "api_key" ? login.apiKey : login.accessToken;
}

export interface AccountReadingOptions {
	readonly store: AuthStore;
	readonly backend: Backend;
	readonly credentials: Credentials;
	settings(): { requiresOpenaiAuth: boolean };
}

/** The methods that change nothing but, where asked, renew the tokens. */
export interface AccountReading extends Pick<AccountPort, "read" | "authStatus" | "rateLimits"> {
	/** The workspace is asked for again. */
	forget(): void;
}

export function createAccountReading(options: AccountReadingOptions): AccountReading {
	const { store, backend, credentials, settings } = options;
	/** The workspace of the account that it was found for. */
	let known: { accountId: string; workspace: Workspace } | null = null;

	async function workspaceOf(login: ChatgptLogin): Promise<Workspace> {
		if (known !== null && known.accountId === login.accountId) return known.workspace;
		const workspace = await backend.workspace(login);
		if (login.accountId !== null) known = { accountId: login.accountId, workspace };
		return workspace;
	}

	async function refreshIf(wanted: boolean | null | undefined): Promise<void> {
		if (wanted !== true) return credentials.prepare();
		const login = store.login();
		if (login.kind === "chatgpt" && !login.external) await store.refresh("forced", login);
	}

	return {
		async read(wanted = {}) {
			const requiresOpenaiAuth = settings().requiresOpenaiAuth;
			const nobody: AccountRead = { account: null, userId: null, requiresOpenaiAuth, workspaceRouting: null };
			// As in Codex: a provider with its own key has no use for the login.
			if (!requiresOpenaiAuth) return nobody;
			await refreshIf(wanted.refresh);
			const login = store.login();
			if (login.kind === "none" || store.deadReason() !== null) return nobody;
			if (login.kind === "api_key") return { ...nobody, account: { type: "apiKey" } };
			const { name, routing } = await workspaceOf(login);
			const { email, plan, userId } = login;
			return {
				account: { type: "chatgpt", email, planType: plan ?? "unknown", workspaceName: name },
				userId,
				requiresOpenaiAuth,
				workspaceRouting: routing,
			};
		},
		async authStatus({ includeToken, refresh }) {
			const requiresOpenaiAuth = settings().requiresOpenaiAuth;
			if (!requiresOpenaiAuth) return { authMethod: null, authToken: null, requiresOpenaiAuth };
			await refreshIf(refresh);
			const login = store.login();
			const usable = includeToken === true && store.deadReason() === null;
			return { authMethod: modeOf(login), authToken: usable ? tokenOf(login) : null, requiresOpenaiAuth };
		},
		async rateLimits() {
			await credentials.prepare();
			const login = store.login();
			if (login.kind !== "chatgpt") {
				throw new AppError("INVALID_PARAMS", "chatgpt authentication required to read rate limits");
			}
			return backend.rateLimits(login);
		},
		forget() {
			known = null;
		},
	};
}
