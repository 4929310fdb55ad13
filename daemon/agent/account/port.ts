/** Shapes of the Codex protocol (codex.md section 5), so that its methods pass them on as they are. */
export type AuthMode = "apikey" | "chatgpt" | "chatgptAuthTokens";

export interface WorkspaceRouting {
	readonly chatgptAccountId: string;
	readonly backendOrigin: string;
	/** NO_CONSTRAINT, us, us_cr. */
	readonly accountRoutingOverride: string;
}

export type Account =
	| { readonly type: "apiKey" }
	| {
			readonly type: "chatgpt";
			readonly email: string | null;
			readonly planType: string;
			readonly workspaceName: string | null;
	  };

/** Result of Codex `account/read`. */
export interface AccountRead {
	readonly account: Account | null;
	readonly userId: string | null;
	readonly requiresOpenaiAuth: boolean;
	readonly workspaceRouting: WorkspaceRouting | null;
}

/** Result of Codex `getAuthStatus`. */
export interface AuthStatus {
	readonly authMethod: AuthMode | null;
	readonly authToken: string | null;
	readonly requiresOpenaiAuth: boolean;
}

/** Params of Codex `account/login/start`. */
export type LoginParams =
	| { readonly type: "apiKey"; readonly apiKey: string }
	| {
			readonly type: "chatgpt";
			/** Sent to the person's browser as `originator`; absent: our own name. */
			readonly originator?: string | undefined;
	  }
	| { readonly type: "chatgptDeviceCode" }
	| ({ readonly type: "chatgptAuthTokens" } & ExternalTokens);

/** Result of Codex `account/login/start`. */
export type LoginStarted =
	| { readonly type: "apiKey" }
	| { readonly type: "chatgpt"; readonly loginId: string; readonly authUrl: string }
	| {
			readonly type: "chatgptDeviceCode";
			readonly loginId: string;
			readonly verificationUrl: string;
			readonly userCode: string;
	  }
	| { readonly type: "chatgptAuthTokens" };

/** Params of Codex `account/login/completed`. */
export interface LoginCompleted {
	readonly loginId: string | null;
	readonly success: boolean;
	readonly error: string | null;
	readonly onboardingEntrypoint: null;
}

/** Params of Codex `account/updated`. */
export interface AccountUpdated {
	readonly authMode: AuthMode | null;
	readonly planType: string | null;
}

/** Tokens that a client brings and renews itself; they are never written to a file. */
export interface ExternalTokens {
	readonly accessToken: string;
	readonly chatgptAccountId: string;
	readonly chatgptPlanType?: string | null | undefined;
}

/** Asks the client that brought external tokens for new ones (Codex server request `account/chatgptAuthTokens/refresh`). */
export type RequestExternalTokens = (params: {
	readonly reason: "unauthorized";
	readonly previousAccountId: string | null;
}) => Promise<ExternalTokens>;

/** Codex `RateLimitSnapshot`. */
export type RateLimits = Readonly<Record<string, unknown>>;

/** Result of Codex `account/rateLimits/read`. */
export interface RateLimitsRead {
	readonly ordinaryUsageAllowed: boolean | null;
	readonly rateLimits: RateLimits;
	readonly rateLimitsByLimitId: Readonly<Record<string, RateLimits>> | null;
	readonly rateLimitResetCredits: unknown;
	readonly accountId: string | null;
	readonly rateLimitUpsell: unknown;
}

/** How a login that was started stands. */
export type LoginState =
	| { readonly state: "pending" }
	| { readonly state: "completed" }
	| { readonly state: "failed"; readonly error: string };

/**
 * The login of the person's Codex home: the same auth.json that the Codex CLI reads and writes. No method here ever
 * tells a token to anyone but `authStatus` with `includeToken`.
 *
 * Refusals are AppErrors: INVALID_PARAMS (on the Codex wire -32600), PROVIDER_AUTH and PROVIDER_UNAVAILABLE (-32603), with
 * the message that the Codex wire carries.
 */
export interface AccountPort extends AsyncDisposable {
	/** @throws AppError PROVIDER_UNAVAILABLE "workspace routing discovery failed". */
	read(options?: { refresh?: boolean | undefined }): Promise<AccountRead>;
	authStatus(options: {
		includeToken?: boolean | null | undefined;
		refresh?: boolean | null | undefined;
	}): Promise<AuthStatus>;
	/** @throws AppError INVALID_PARAMS, PROVIDER_UNAVAILABLE, PORT_IN_USE. */
	loginStart(params: LoginParams): Promise<LoginStarted>;
	loginCancel(loginId: string): Promise<{ status: "canceled" | "notFound" }>;
	/** Null: there is no such login, or it ended over ten minutes ago. */
	loginState(loginId: string): LoginState | null;
	/** Takes the tokens back at the issuer as far as it answers, then deletes the file; never fails for the former. */
	logout(): Promise<void>;
	/** @throws AppError PROVIDER_AUTH without a ChatGPT login, PROVIDER_UNAVAILABLE. */
	rateLimits(): Promise<RateLimitsRead>;
	onUpdated(listener: (update: AccountUpdated) => void): Disposable;
	onLoginCompleted(listener: (completed: LoginCompleted) => void): Disposable;
	/** Who is asked for new external tokens; the last one set wins, disposing unsets it. */
	setExternalTokenSource(request: RequestExternalTokens): Disposable;
}
