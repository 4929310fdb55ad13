import { join } from "node:path";
import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import type { ModelProvider } from "#daemon/agent/model.ts";
import type { Paths } from "#platform/paths.ts";
import type { ApprovalPolicy, SandboxMode } from "#protocol/record.ts";
import { type Endpoint, OPENAI_PROVIDER_ID, resolveEndpoint } from "./codex/endpoint.ts";
import { createCodexHome } from "./codex/home.ts";
import { createCodexProvider } from "./codex/provider.ts";
import type { ClientIdentity } from "./codex/request.ts";
import { createLocalFiles, createNotes } from "./offline/local.ts";
import { createOfflineProvider, OFFLINE_PROVIDER_NAME } from "./offline/provider.ts";

/** Follows config.toml's `model_provider`. */
export const CODEX_PROVIDER_NAME = "codex";

export interface ProviderSelectorOptions {
	readonly paths: Pick<Paths, "home" | "weaveHome" | "codexHome">;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly clock: Clock;
	readonly newId: NewId;
	readonly identity: ClientIdentity;
}

/** Who would answer, for `chat.account.read`; the shape of its result. */
export type AccountState = {
	provider: string;
	model: string | null;
	login: "none" | "api_key" | "chatgpt";
	codex_home: string;
	detail: string;
};

/** Defaults of a new thread that Codex's own config.toml sets; null where it sets none. */
export interface ThreadDefaults {
	provider: string;
	model: string | null;
	approvalPolicy: ApprovalPolicy | null;
	sandbox: SandboxMode | null;
}

/** Finds the way to a model. All of it follows the files as they are now; each throws CONFIG_INVALID when one is broken. */
export interface ProviderSelector {
	/**
	 * `null`: the default, which is `codex` when a login or a provider can be used, else `offline`. Any other name is
	 * the id of a provider in config.toml.
	 * @throws AppError CONFIG_INVALID
	 */
	resolve(provider: string | null, model: string | null): ModelProvider;
	account(): AccountState;
	models(): { models: { id: string; provider: string; is_default: boolean }[] };
	defaults(): ThreadDefaults;
	/** For the prompt: what config.toml says beside the model. */
	promptSettings(): { developerInstructions: string | null; projectDocMaxBytes: number | null };
}

export function createProviderSelector(options: ProviderSelectorOptions): ProviderSelector {
	const { paths, env, clock, newId, identity } = options;
	const home = createCodexHome(paths.codexHome);
	const notes = createNotes({ file: join(paths.home, "memory", "notes.md"), nowMs: () => clock.nowMs() });
	const files = createLocalFiles([paths.home, paths.weaveHome, paths.codexHome]);
	const configFile = join(paths.codexHome, "config.toml");
	const loginHint = `To talk to a model, log in with \`codex login\`, or name a model_provider in ${configFile}.`;

	function endpoint(): Endpoint {
		const settings = home.read();
		return resolveEndpoint(settings, settings.config.model_provider ?? OPENAI_PROVIDER_ID, env);
	}
	function offline(why: string): ModelProvider {
		const detail = `offline agent, no model: ${why}`;
		return createOfflineProvider({ files, notes, clock, loginHint, newId, detail });
	}
	function codex(name: string, providerId: string, model: string | null): ModelProvider {
		return createCodexProvider({ home, env, clock, identity }, { name, providerId, model });
	}
	function resolve(provider: string | null, model: string | null): ModelProvider {
		if (provider === OFFLINE_PROVIDER_NAME) return offline("chosen for this thread");
		if (provider === null) {
			const { unusable, providerId } = endpoint();
			return unusable === null ? codex(CODEX_PROVIDER_NAME, providerId, model) : offline(unusable);
		}
		if (provider === CODEX_PROVIDER_NAME) return codex(provider, endpoint().providerId, model);
		const known = home.read().config.model_providers;
		if (provider !== OPENAI_PROVIDER_ID && !Object.hasOwn(known, provider)) {
			const names = [CODEX_PROVIDER_NAME, OFFLINE_PROVIDER_NAME, OPENAI_PROVIDER_ID, ...Object.keys(known)];
			throw new AppError(
				"CONFIG_INVALID",
				`There is no provider ${provider}. Known: ${names.join(", ")} (${configFile}).`,
			);
		}
		return codex(provider, provider, model);
	}
	return {
		resolve,
		account() {
			const { name, defaultModel, detail } = resolve(null, null);
			const { login } = home.read();
			return { provider: name, model: defaultModel, login: login.kind, codex_home: paths.codexHome, detail };
		},
		models() {
			const provider = resolve(null, null);
			const { name, defaultModel } = provider;
			return {
				models: provider.listModels().map((id) => ({ id, provider: name, is_default: id === defaultModel })),
			};
		},
		defaults() {
			const { name, defaultModel } = resolve(null, null);
			const { approval_policy: approvalPolicy, sandbox_mode: sandbox } = home.read().config;
			return {
				provider: name,
				model: defaultModel,
				approvalPolicy: approvalPolicy ?? null,
				sandbox: sandbox ?? null,
			};
		},
		promptSettings() {
			const { developer_instructions: own, project_doc_max_bytes: bytes } = home.read().config;
			return { developerInstructions: own ?? null, projectDocMaxBytes: bytes ?? null };
		},
	};
}
