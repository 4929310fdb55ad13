import { z } from "zod";

type Env = Readonly<Record<string, string | undefined>>;

/** The public client of the Codex CLI; its registered redirect ports are 1455 and 1457. */
export const CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann";
const ISSUER = "https://auth.openai.com";
const SCOPE = "openid profile email offline_access api.connectors.read api.connectors.invoke";
/** Longest wait for an answer of the issuer. */
const TIMEOUT_MS = 30_000;

/** Where the issuer is; each with the real Codex's variable that overrides it. */
export interface OauthUrls {
	readonly issuer: string;
	readonly refresh: string;
	readonly revoke: string;
}

function stripSlash(url: string): string {
	return url.replace(/\/+$/, "");
}

/** Where logins are made, renewed and taken back; moved by the variables that move them for Codex. */
export function oauthUrls(env: Env): OauthUrls {
	const issuer = stripSlash(env["CODEX_APP_SERVER_LOGIN_ISSUER"] || ISSUER);
	const refresh = env["CODEX_REFRESH_TOKEN_URL_OVERRIDE"] || `${ISSUER}/oauth/token`;
	// As in Codex: who moves the refresh moves the revocation with it.
	const besideRefresh =
		env["CODEX_REFRESH_TOKEN_URL_OVERRIDE"] && URL.canParse(refresh)
			? new URL("/oauth/revoke", refresh).href
			: `${ISSUER}/oauth/revoke`;
	return { issuer, refresh, revoke: env["CODEX_REVOKE_TOKEN_URL_OVERRIDE"] || besideRefresh };
}

/** What an endpoint answered; `body` null: no JSON. `status` 0: nothing came back. */
interface Reply {
	readonly status: number;
	readonly body: unknown;
}

interface Post {
	readonly url: string;
	readonly body: string;
	readonly contentType: string;
	readonly userAgent: string;
	readonly signal?: AbortSignal | undefined;
}

const MAX_REPLY_BYTES = 1024 * 1024;

async function readJson(response: Response): Promise<unknown> {
	const length = Number(response.headers.get("content-length") ?? "0");
	if (length > MAX_REPLY_BYTES) {
		await response.body?.cancel();
		return null;
	}
	try {
		return await response.json();
	} catch {
		return null;
	}
}

/** Never throws: an issuer that is not there is status 0. The thrown text is dropped, as it may hold what was sent. */
async function post({ url, body, contentType, userAgent, signal }: Post): Promise<Reply> {
	const timeout = AbortSignal.timeout(TIMEOUT_MS);
	try {
		const response = await fetch(url, {
			method: "POST",
			headers: {
				"content-type": contentType,
				originator: "codex_cli_rs",
				"user-agent": userAgent,
				accept: "*/*",
			},
			body,
			redirect: "manual",
			signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
		});
		return { status: response.status, body: await readJson(response) };
	} catch {
		return { status: 0, body: null };
	}
}

const tokensSchema = z.looseObject({
	id_token: z.string().nullish(),
	access_token: z.string().nullish(),
	refresh_token: z.string().nullish(),
});
/** What the issuer gives; null: it gave no new one, and the old one stays good. */
export interface NewTokens {
	readonly idToken: string | null;
	readonly accessToken: string | null;
	readonly refreshToken: string | null;
}

function tokensOf(body: unknown): NewTokens | null {
	const parsed = tokensSchema.safeParse(body);
	if (!parsed.success) return null;
	const { id_token: id, access_token: access, refresh_token: refresh } = parsed.data;
	return { idToken: id || null, accessToken: access || null, refreshToken: refresh || null };
}

const errorSchema = z.looseObject({
	error: z.union([z.string(), z.looseObject({ code: z.string().nullish() })]).nullish(),
	error_code: z.string().nullish(),
	code: z.string().nullish(),
});

function codeOf(body: unknown): string {
	const parsed = errorSchema.safeParse(body);
	if (!parsed.success) return "";
	const { error, error_code: own, code } = parsed.data;
	return (typeof error === "string" ? error : error?.code) ?? own ?? code ?? "";
}

const DEAD = "Your access token could not be refreshed";
const AGAIN = "Please log out and sign in again.";
/** Ends of a refresh token, in the words the Codex wire has for them. */
const REFRESH_ENDS: Readonly<Record<string, string>> = {
	refresh_token_expired: `${DEAD} because your refresh token has expired. ${AGAIN}`,
	refresh_token_reused: `${DEAD} because your refresh token was already used. ${AGAIN}`,
	refresh_token_invalidated: `${DEAD} because your refresh token was revoked. ${AGAIN}`,
};

export type RefreshReason = "proactive_expiry" | "forced" | "unauthorized_recovery";
export type RefreshReply =
	| { readonly kind: "tokens"; readonly tokens: NewTokens }
	/** The refresh token is of no use any more. */
	| { readonly kind: "dead"; readonly message: string }
	| { readonly kind: "unreachable" };

/** Calls of the issuer, none of which throws. */
export interface Oauth {
	readonly urls: OauthUrls;
	refresh(refreshToken: string, reason: RefreshReason): Promise<RefreshReply>;
	revoke(token: string, hint: "refresh_token" | "access_token"): Promise<void>;
	/** Null: refused or unreachable. */
	exchangeCode(code: {
		code: string;
		verifier: string;
		redirectUri: string;
		signal?: AbortSignal;
	}): Promise<NewTokens | null>;
	/** An API key for the account that just logged in; null where it gets none. */
	exchangeApiKey(idToken: string, signal?: AbortSignal): Promise<string | null>;
	/** JSON to a path below the issuer; for the device login. */
	postIssuer(path: string, body: unknown, signal: AbortSignal): Promise<Reply>;
}

export function createOauth(env: Env, userAgent: string): Oauth {
	const urls = oauthUrls(env);
	function json(url: string, body: unknown, signal?: AbortSignal): Promise<Reply> {
		return post({ url, body: JSON.stringify(body), contentType: "application/json", userAgent, signal });
	}
	function form(url: string, fields: Record<string, string>, signal?: AbortSignal): Promise<Reply> {
		const body = new URLSearchParams(fields).toString();
		return post({ url, body, contentType: "application/x-www-form-urlencoded", userAgent, signal });
	}
	return {
		urls,
		async refresh(refreshToken, reason) {
			const { status, body } = await json(urls.refresh, {
				client_id: CLIENT_ID,
				grant_type: "refresh_token",
				refresh_reason: reason,
				refresh_token: refreshToken,
			});
			const tokens = status === 200 ? tokensOf(body) : null;
			if (tokens !== null) return { kind: "tokens", tokens };
			const end = REFRESH_ENDS[codeOf(body)];
			if ((status === 400 || status === 401) && end !== undefined) return { kind: "dead", message: end };
			if (status === 401) return { kind: "dead", message: `${DEAD}. ${AGAIN}` };
			return { kind: "unreachable" };
		},
		async revoke(token, hint) {
			await json(urls.revoke, { token, token_type_hint: hint, client_id: CLIENT_ID });
		},
		async exchangeCode({ code, verifier, redirectUri, signal }) {
			const fields = {
				grant_type: "authorization_code",
				code,
				redirect_uri: redirectUri,
				client_id: CLIENT_ID,
				code_verifier: verifier,
			};
			const { status, body } = await form(`${urls.issuer}/oauth/token`, fields, signal);
			const tokens = status === 200 ? tokensOf(body) : null;
			return tokens?.accessToken && tokens.idToken ? tokens : null;
		},
		async exchangeApiKey(idToken, signal) {
			const fields = {
				grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
				client_id: CLIENT_ID,
				requested_token: "openai-api-key",
				subject_token: idToken,
				subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
			};
			const { status, body } = await form(`${urls.issuer}/oauth/token`, fields, signal);
			return status === 200 ? (tokensOf(body)?.accessToken ?? null) : null;
		},
		postIssuer: (path, body, signal) => json(`${urls.issuer}${path}`, body, signal),
	};
}

/** The page a browser login starts on. */
export function authorizeUrl(
	issuer: string,
	{
		redirectUri,
		challenge,
		state,
		originator,
	}: { redirectUri: string; challenge: string; state: string; originator: string },
): string {
	const query = new URLSearchParams({
		response_type: "code",
		client_id: CLIENT_ID,
		redirect_uri: redirectUri,
		scope: SCOPE,
		code_challenge: challenge,
		code_challenge_method: "S256",
		id_token_add_organizations: "true",
		codex_cli_simplified_flow: "true",
		state,
		originator,
	});
	return `${issuer}/oauth/authorize?${query.toString()}`;
}
