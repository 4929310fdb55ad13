import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import { createAccountReading, updateOf } from "./account-reading.ts";
import { createAuthStore } from "./auth-store.ts";
import { createBackend } from "./backend.ts";
import { type Credentials, createCredentials, externalLogin } from "./credentials.ts";
import { createLogins } from "./logins.ts";
import { createOauth } from "./oauth.ts";
import type {
	AccountPort,
	AccountUpdated,
	LoginCompleted,
	LoginParams,
	LoginStarted,
	RequestExternalTokens,
} from "./port.ts";

export interface AccountOptions {
	readonly codexHome: string;
	/** Overrides of the issuer's URLs, by the real Codex's names. */
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly clock: Clock;
	readonly newId: NewId;
	/** Sent as the originator of a browser login. */
	readonly originator: string;
	readonly userAgent: string;
	/** What config.toml says now. @throws AppError CONFIG_INVALID. */
	settings(): { chatgptBaseUrl: string; requiresOpenaiAuth: boolean };
	/** Default: the registered redirect ports; tests take free ones. */
	readonly loginPorts?: readonly number[] | undefined;
}

/** The account, and the same login as providers use it. */
export interface AccountParts {
	readonly account: AccountPort;
	readonly credentials: Credentials;
}

/** Listeners that are told in order; one that throws does not keep the others from hearing. */
function createEmitter<T>() {
	const listeners = new Set<(value: T) => void>();
	return {
		add(listener: (value: T) => void): Disposable {
			listeners.add(listener);
			return { [Symbol.dispose]: () => void listeners.delete(listener) };
		},
		emit(value: T): void {
			for (const listener of [...listeners]) listener(value);
		},
	};
}

/** Opens the login of a Codex home; nothing is read, asked or listened on before a method needs it. */
export function createAccount(options: AccountOptions): AccountParts {
	const { clock, newId, settings } = options;
	const oauth = createOauth(options.env, options.userAgent);
	const store = createAuthStore({ codexHome: options.codexHome, oauth, clock });
	const backend = createBackend({
		baseUrl: () => settings().chatgptBaseUrl,
		userAgent: options.userAgent,
	});
	const updated = createEmitter<AccountUpdated>();
	const completed = createEmitter<LoginCompleted>();
	let source: RequestExternalTokens | null = null;
	const credentials = createCredentials({ store, clock, externalSource: () => source });
	const reading = createAccountReading({ store, backend, credentials, settings });

	function complete(loginId: string | null, error: string | null): void {
		completed.emit({ loginId, success: error === null, error, onboardingEntrypoint: null });
		if (error === null) updated.emit(updateOf(store.login()));
	}
	const logins = createLogins({
		...{ oauth, clock, newId, ports: options.loginPorts },
		save: (file) => store.save(file),
		onEnd: complete,
	});

	async function loginStart(params: LoginParams): Promise<LoginStarted> {
		switch (params.type) {
			case "apiKey":
				await store.save({ auth_mode: "apikey", OPENAI_API_KEY: params.apiKey });
				complete(null, null);
				return { type: "apiKey" };
			case "chatgpt":
				return logins.startBrowser(params.originator ?? options.originator);
			case "chatgptDeviceCode":
				return logins.startDevice();
			case "chatgptAuthTokens": {
				const login = externalLogin(params);
				if (login === null) {
					throw new AppError("PROVIDER_AUTH", "failed to set external auth: invalid ID token format");
				}
				store.setExternal(login);
				complete(null, null);
				return { type: "chatgptAuthTokens" };
			}
			default: {
				const never: never = params;
				throw new AppError("INVALID_PARAMS", `unknown login ${JSON.stringify(never)}`);
			}
		}
	}

	const account: AccountPort = {
		read: reading.read,
		authStatus: reading.authStatus,
		rateLimits: reading.rateLimits,
		loginStart,
		async loginCancel(loginId) {
			return { status: logins.cancel(loginId) };
		},
		loginState: (loginId) => logins.state(loginId),
		async logout() {
			const login = store.login();
			if (login.kind === "chatgpt" && !login.external) {
				if (login.refreshToken === null) await oauth.revoke(login.accessToken, "access_token");
				else await oauth.revoke(login.refreshToken, "refresh_token");
			}
			await store.remove();
			reading.forget();
			updated.emit(updateOf(store.login()));
		},
		onUpdated: (listener) => updated.add(listener),
		onLoginCompleted: (listener) => completed.add(listener),
		setExternalTokenSource(request) {
			source = request;
			return {
				[Symbol.dispose]() {
					if (source === request) source = null;
				},
			};
		},
		[Symbol.asyncDispose]: () => logins[Symbol.asyncDispose](),
	};
	return { account, credentials };
}
