import { join } from "node:path";
import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import { createAccount } from "#daemon/agent/account/create-account.ts";
import type { AccountPort } from "#daemon/agent/account/port.ts";
import type { ModelProvider } from "#daemon/agent/model.ts";
import type { Paths } from "#platform/paths.ts";
import type { ApprovalPolicy, SandboxMode, ThreadSettings } from "#protocol/record.ts";
import { type AgentSettings, agentSettingsOf } from "./agent-settings.ts";
import type { CatalogueModel } from "./codex/catalogue.ts";
import { type CodexConfig, overrideConfig } from "./codex/config.ts";
import { OPENAI_PROVIDER_ID } from "./codex/constants.ts";
import { DEFAULT_MODEL } from "./codex/describe.ts";
import { type Endpoint, resolveEndpoint } from "./codex/endpoint.ts";
import { createCodexHome } from "./codex/home.ts";
import { createCodexModels } from "./codex/models.ts";
import { modelsEndpointOf } from "./codex/models-endpoint.ts";
import { createCodexProvider } from "./codex/provider.ts";
import { type ClientIdentity, userAgentOf } from "./codex/request.ts";
import { createLocalFiles, createNotes } from "./offline/local.ts";
import { createOfflineProvider, OFFLINE_PROVIDER_NAME } from "./offline/provider.ts";
import { createOverview, type ModelRow, type ProviderRow } from "./overview.ts";
import { createProviderRegistry, type ProviderRegistry } from "./registry.ts";

/** Follows config.toml's `model_provider`. */
export const CODEX_PROVIDER_NAME = "codex";
const CHATGPT_BASE_URL = "https://chatgpt.com/backend-api/";

type Overrides = Readonly<Record<string, unknown>> | undefined;

export interface ProviderSelectorOptions {
	readonly paths: Pick<Paths, "home" | "weaveHome" | "codexHome"> & Partial<Pick<Paths, "config">>;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly clock: Clock;
	readonly newId: NewId;
	readonly identity: ClientIdentity;
	/** Redirect ports of a browser login; absent: the registered ones. */
	readonly loginPorts?: readonly number[];
}

/** Who would answer, for `chat.account.read`; the shape of its result. */
export type AccountState = {
	provider: string;
	model: string | null;
	login: "none" | "api_key" | "chatgpt";
	/** Of a ChatGPT login. */
	email: string | null;
	plan: string | null;
	/** When its access token ends; it is renewed before. Milliseconds since 1970. */
	expires_at_ms: number | null;
	codex_home: string;
	detail: string;
};

/** A workspace-write sandbox in Codex's own members. */
export type WorkspaceWritePolicy = {
	type: "workspaceWrite";
	writableRoots: string[];
	networkAccess: boolean;
	excludeTmpdirEnvVar: boolean;
	excludeSlashTmp: boolean;
};

/** Defaults of a new thread that Codex's own config.toml sets; null where it sets none. */
export interface ThreadDefaults {
	provider: string;
	model: string | null;
	approvalPolicy: ApprovalPolicy | null;
	sandbox: SandboxMode | null;
	/** Codex `SandboxPolicy` that workspace-write means here; null: the plain one. */
	workspaceWrite: WorkspaceWritePolicy | null;
}

/** Finds the way to a model. All of it follows the files as they are now; each throws CONFIG_INVALID when one is broken. */
export interface ProviderSelector extends AsyncDisposable {
	/**
	 * `null`: the default, which is `codex` when a login or a provider can be used, else `offline`. Any other name is a
	 * provider of its own (claude, copilot ...) or the id of one in config.toml. `overrides` are the thread's `settings.config`.
	 * @throws AppError CONFIG_INVALID
	 */
	resolve(provider: string | null, model: string | null, overrides?: Overrides): ModelProvider;
	account(): AccountState;
	/** Of the default provider first, then of every other that can be used. */
	models(): { models: ModelRow[]; providers: ProviderRow[] };
	/** Of a name nobody has (any more) it says so. */
	provider(name: string): ProviderRow;
	defaults(): ThreadDefaults;
	/** For the prompt: what config.toml says beside the model. */
	promptSettings(): { developerInstructions: string | null; projectDocMaxBytes: number | null };
	/** What config.toml says of a thread, its own overrides included. */
	settingsFor(settings?: ThreadSettings): AgentSettings;
	/** config.toml as parsed, for whoever shows it. */
	config(): CodexConfig;
	/** The OpenAI provider's catalogue: asks the backend where a login may, else what is built in. Never rejects. */
	codexModels(): Promise<readonly CatalogueModel[]>;
	/** Model of a new thread that names none. */
	defaultModel(): string;
	/** The login of Codex's home. */
	readonly accounts: AccountPort;
	/** Providers beside Codex's own wire. */
	readonly registry: ProviderRegistry;
}

function requiresLogin(config: CodexConfig): boolean {
	const id = config.model_provider ?? OPENAI_PROVIDER_ID;
	return id === OPENAI_PROVIDER_ID || config.model_providers[id]?.requires_openai_auth === true;
}

/** The account and the homes that the providers share. */
function openHome({ paths, env, clock, newId, identity, loginPorts }: ProviderSelectorOptions) {
	// config.toml first: the account needs the backend's address of it, and the providers the account's login.
	const files = createCodexHome(paths.codexHome, () => ({ kind: "none" }));
	const parts = createAccount({
		...{ codexHome: paths.codexHome, env, clock, newId, originator: identity.name },
		userAgent: userAgentOf(identity.name, identity.version),
		settings() {
			const { config } = files.read();
			const { chatgpt_base_url: own } = config;
			return { chatgptBaseUrl: own ?? CHATGPT_BASE_URL, requiresOpenaiAuth: requiresLogin(config) };
		},
		...(loginPorts === undefined ? {} : { loginPorts }),
	});
	return { ...parts, home: createCodexHome(paths.codexHome, () => parts.credentials.login()) };
}

export function createProviderSelector(options: ProviderSelectorOptions): ProviderSelector {
	const { paths, env, clock, newId, identity } = options;
	const { account, credentials, home } = openHome(options);
	const configFile = join(paths.codexHome, "config.toml");
	const models = createCodexModels({
		file: join(paths.home, "cache", "models-openai.json"),
		clock,
		endpoint: () => modelsEndpointOf({ home, env, credentials, identity }),
	});
	const registry = createProviderRegistry({
		...{ env, clock, newId, identity, codexHome: home },
		paths: { home: paths.home, config: paths.config ?? join(paths.home, "config.json") },
	});
	const notes = createNotes({ file: join(paths.home, "memory", "notes.md"), nowMs: () => clock.nowMs() });
	const files = createLocalFiles([paths.home, paths.weaveHome, paths.codexHome]);
	const loginHint = `To talk to a model, log in with \`weave-codex login\`, or name a model_provider in ${configFile}.`;

	function configOf(overrides: Overrides): CodexConfig {
		return overrideConfig(home.read().config, overrides);
	}
	function providerIdOf(overrides: Overrides): string {
		return configOf(overrides).model_provider ?? OPENAI_PROVIDER_ID;
	}
	function endpoint(id: string, overrides: Overrides): Endpoint {
		return resolveEndpoint({ ...home.read(), config: configOf(overrides) }, id, env);
	}
	function offline(why: string): ModelProvider {
		const detail = `offline agent, no model: ${why}`;
		return createOfflineProvider({ files, notes, clock, loginHint, newId, detail });
	}
	function codex(choice: { name: string; providerId: string; model: string | null; overrides: Overrides }) {
		return createCodexProvider({ home, env, clock, identity, credentials, models }, choice);
	}
	/** config.toml's provider, whichever wire it speaks; `name` as the thread keeps it. */
	function configured(name: string, model: string | null, overrides: Overrides): ModelProvider {
		const providerId = providerIdOf(overrides);
		return registry.resolve(providerId, model) ?? codex({ name, providerId, model, overrides });
	}
	function byDefault(model: string | null, overrides: Overrides): ModelProvider {
		const providerId = providerIdOf(overrides);
		const other = registry.resolve(providerId, model);
		if (other !== null) return other;
		const { unusable } = endpoint(providerId, overrides);
		return unusable === null
			? codex({ name: CODEX_PROVIDER_NAME, providerId, model, overrides })
			: offline(unusable);
	}
	function byName(name: string, model: string | null, overrides: Overrides): ModelProvider {
		const other = registry.resolve(name, model);
		if (other !== null) return other;
		const known = configOf(overrides).model_providers;
		if (name !== OPENAI_PROVIDER_ID && !Object.hasOwn(known, name)) {
			const names = [CODEX_PROVIDER_NAME, OFFLINE_PROVIDER_NAME, OPENAI_PROVIDER_ID];
			const all = [...new Set([...names, ...registry.names(), ...Object.keys(known)])].join(", ");
			throw new AppError("CONFIG_INVALID", `There is no provider ${name}. Known: ${all} (${configFile}).`);
		}
		return codex({ name, providerId: name, model, overrides });
	}
	function resolve(provider: string | null, model: string | null, overrides?: Overrides): ModelProvider {
		if (provider === OFFLINE_PROVIDER_NAME) return offline("chosen for this thread");
		if (provider === null) return byDefault(model, overrides);
		if (provider === CODEX_PROVIDER_NAME) return configured(provider, model, overrides);
		return byName(provider, model, overrides);
	}
	return {
		resolve,
		...createOverview({ resolve, home, codexHome: paths.codexHome, registry }),
		promptSettings() {
			const { developerInstructions, projectDocMaxBytes } = agentSettingsOf(home.read().config);
			return { developerInstructions, projectDocMaxBytes };
		},
		settingsFor: (settings) => agentSettingsOf(home.read().config, settings),
		config: () => home.read().config,
		codexModels: () => models.refresh(),
		defaultModel: () => home.read().config.model ?? DEFAULT_MODEL,
		accounts: account,
		registry,
		async [Symbol.asyncDispose]() {
			registry[Symbol.dispose]();
			await models[Symbol.asyncDispose]();
			await account[Symbol.asyncDispose]();
		},
	};
}
