import type { CredentialStore } from "../credentials.ts";

type Env = Readonly<Record<string, string | undefined>>;

export const ANTHROPIC_URL = "https://api.anthropic.com";
const API_VERSION = "2023-06-01";
/** Bearers of a login, unlike keys, are refused without it. */
const OAUTH_BETA = "oauth-2025-04-20";
/** Thoughts between tool calls, for the models that think by a budget; the others do it by themselves. */
const INTERLEAVED_BETA = "interleaved-thinking-2025-05-14";

/** Where requests go and what they carry; made anew for each request. */
export interface ClaudeAccess {
	readonly baseUrl: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly secrets: readonly string[];
	/** `ANTHROPIC_API_KEY`, `a file`...; no secrets. */
	readonly source: string;
	readonly unusable: string | null;
}

export const CLAUDE_LOGIN_HINT =
	"Set ANTHROPIC_API_KEY, or ANTHROPIC_AUTH_TOKEN for a bearer, or keep one in credentials/claude.json of the home folder.";

const set = (value: string | undefined): string | null => (value?.trim() ? value.trim() : null);

/** Environment first, a key before a bearer, then the file. */
export function resolveClaudeAccess(
	env: Env,
	store: CredentialStore,
	baseUrl: string | undefined,
): ClaudeAccess {
	const key = set(env["ANTHROPIC_API_KEY"]);
	const token = set(env["ANTHROPIC_AUTH_TOKEN"]);
	const stored = key === null && token === null ? store.read("claude") : null;
	const apiKey = key ?? stored?.api_key ?? null;
	const bearer = apiKey === null ? (token ?? stored?.auth_token ?? null) : null;
	const betas = bearer === null ? [INTERLEAVED_BETA] : [OAUTH_BETA, INTERLEAVED_BETA];
	const secret = apiKey ?? bearer;
	return {
		baseUrl: (baseUrl ?? set(env["ANTHROPIC_BASE_URL"]) ?? ANTHROPIC_URL).replace(/\/+$/, ""),
		headers: {
			"anthropic-version": API_VERSION,
			"anthropic-beta": betas.join(","),
			...(apiKey === null ? {} : { "x-api-key": apiKey }),
			...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
		},
		secrets: secret === null ? [] : [secret],
		source:
			key !== null
				? "ANTHROPIC_API_KEY"
				: token !== null
					? "ANTHROPIC_AUTH_TOKEN"
					: "credentials/claude.json",
		unusable: secret === null ? `no key and no login. ${CLAUDE_LOGIN_HINT}` : null,
	};
}
