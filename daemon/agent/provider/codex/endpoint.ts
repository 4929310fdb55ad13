import { AppError } from "#base/app-error.ts";
import { DEFAULT_PROVIDER, lineOfProvider, type ProviderConfig } from "./config.ts";
import { OPENAI_PROVIDER_ID } from "./constants.ts";
import type { CodexSettings } from "./home.ts";

type Env = Readonly<Record<string, string | undefined>>;

const OPENAI_URL = "https://api.openai.com/v1";
/** Where ChatGPT logins are served. */
const CHATGPT_URL = "https://chatgpt.com/backend-api/codex";

/** Where requests go and what they carry; made anew for each request. */
export interface Endpoint {
	readonly providerId: string;
	readonly url: string;
	/** Authentication and the provider's own headers. */
	readonly headers: Readonly<Record<string, string>>;
	/** The login of Codex's home pays for it. */
	readonly usesLogin: boolean;
	/** That login is a ChatGPT one. */
	readonly isChatgpt: boolean;
	/** Values that must not appear in a message. */
	readonly secrets: readonly string[];
	readonly config: ProviderConfig;
	/** In one line, no secrets. */
	readonly detail: string;
	/** Why it cannot be used, with what to do; null when it can. */
	readonly unusable: string | null;
}

function tableOf(settings: CodexSettings, id: string): ProviderConfig {
	const own = settings.config.model_providers[id];
	if (id === OPENAI_PROVIDER_ID) {
		// As in Codex: a table of that name does not replace the built-in provider.
		return { ...DEFAULT_PROVIDER, name: "OpenAI", requires_openai_auth: true };
	}
	const { configFile: file } = settings;
	if (own === undefined) {
		const known = [OPENAI_PROVIDER_ID, ...Object.keys(settings.config.model_providers)].join(", ");
		throw new AppError("CONFIG_INVALID", `${file}: there is no [model_providers.${id}]. Known: ${known}.`, {
			data: { file },
		});
	}
	const line = lineOfProvider(settings.configText, id);
	const where = line === null ? file : `${file}:${line}`;
	if (own.wire_api !== "responses") {
		const message = `${where}: model_providers.${id}.wire_api must be "responses"; other wires are not supported.`;
		throw new AppError("CONFIG_INVALID", message, { data: { file, line } });
	}
	if (own.base_url === undefined || !URL.canParse(own.base_url)) {
		const message = `${where}: model_providers.${id}.base_url must be a URL.`;
		throw new AppError("CONFIG_INVALID", message, { data: { file, line } });
	}
	return own;
}

/** Authentication, or why there is none. */
interface Credentials {
	headers: Record<string, string>;
	secrets: string[];
	unusable: string | null;
}

function bearer(token: string): Credentials {
	return { headers: { authorization: `Bearer ${token}` }, secrets: [token], unusable: null };
}

function credentialsOf(table: ProviderConfig, settings: CodexSettings, env: Env): Credentials {
	if (table.env_key !== undefined) {
		const key = env[table.env_key]?.trim();
		if (key) return bearer(key);
		const hint = table.env_key_instructions === undefined ? "" : ` ${table.env_key_instructions}`;
		return {
			headers: {},
			secrets: [],
			unusable: `the environment variable ${table.env_key} is not set.${hint}`,
		};
	}
	if (table.experimental_bearer_token !== undefined) return bearer(table.experimental_bearer_token);
	if (!table.requires_openai_auth) return { headers: {}, secrets: [], unusable: null };
	const { login } = settings;
	if (login.kind === "api_key") return bearer(login.apiKey);
	if (login.kind === "none")
		return { headers: {}, secrets: [], unusable: "nobody is logged in. Log in with `weave-codex login`." };
	const credentials = bearer(login.accessToken);
	if (login.accountId !== null) credentials.headers["chatgpt-account-id"] = login.accountId;
	return credentials;
}

function baseUrlOf(id: string, table: ProviderConfig, settings: CodexSettings): string {
	if (id !== OPENAI_PROVIDER_ID) return table.base_url ?? "";
	const { openai_base_url: own } = settings.config;
	if (own !== undefined && URL.canParse(own)) return own;
	return settings.login.kind === "chatgpt" ? CHATGPT_URL : OPENAI_URL;
}

function describe(id: string, base: URL, settings: CodexSettings): string {
	const { login, config } = settings;
	const name = config.model_providers[id]?.name ?? (id === OPENAI_PROVIDER_ID ? "OpenAI" : id);
	const how = login.kind === "chatgpt" ? ", ChatGPT login" : login.kind === "api_key" ? ", API key" : "";
	return `${name} at ${base.origin}${base.pathname}${id === OPENAI_PROVIDER_ID ? how : ""}`;
}

/**
 * Resolves where provider `id` is and how it is paid for, as of now.
 * @throws AppError CONFIG_INVALID when its table is missing or cannot be used.
 */
export function resolveEndpoint(settings: CodexSettings, id: string, env: Env): Endpoint {
	const table = tableOf(settings, id);
	const credentials = credentialsOf(table, settings, env);
	const base = new URL(baseUrlOf(id, table, settings));
	const url = new URL(base);
	url.pathname = `${url.pathname.replace(/\/+$/, "")}/responses`;
	for (const [name, value] of Object.entries(table.query_params)) url.searchParams.set(name, value);
	const headers: Record<string, string> = { ...credentials.headers };
	for (const [name, value] of Object.entries(table.http_headers)) headers[name.toLowerCase()] = value;
	for (const [name, variable] of Object.entries(table.env_http_headers)) {
		const value = env[variable];
		if (value !== undefined && value.trim() !== "") headers[name.toLowerCase()] = value;
	}
	// Header and query values count as secrets: providers take keys in either.
	const secrets = [...credentials.secrets, ...Object.values(headers), ...Object.values(table.query_params)];
	const usesLogin =
		table.requires_openai_auth &&
		table.env_key === undefined &&
		table.experimental_bearer_token === undefined;
	return {
		providerId: id,
		url: url.href,
		usesLogin,
		isChatgpt: usesLogin && settings.login.kind === "chatgpt",
		headers,
		secrets: secrets.filter((value) => value.length >= 6),
		config: table,
		detail: describe(id, base, settings),
		unusable: credentials.unusable,
	};
}
