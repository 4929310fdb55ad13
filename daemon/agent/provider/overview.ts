import { toAppError } from "#base/app-error.ts";
import type { ModelProvider } from "#daemon/agent/model.ts";
import type { CodexConfig } from "./codex/config.ts";
import type { CodexHome } from "./codex/home.ts";
import type { ProviderInfo, ProviderRegistry } from "./registry.ts";
import type { ProviderSelector, WorkspaceWritePolicy } from "./select.ts";

export type ModelRow = { id: string; provider: string; is_default: boolean };

/** A provider as settings and lists show it; no secrets. */
export type ProviderRow = {
	name: string;
	label: string;
	usable: boolean;
	/** How it is reached or what is missing. */
	detail: string;
	/** What it may do with tools; null where the model's own description says it. */
	tools: { denied: string[]; parallel_calls: boolean; images: boolean } | null;
};

interface OverviewParts {
	resolve(provider: string | null, model: null): ModelProvider;
	readonly home: CodexHome;
	readonly codexHome: string;
	readonly registry: Pick<ProviderRegistry, "info">;
}

type Overview = Pick<ProviderSelector, "account" | "models" | "provider" | "defaults">;

function rowOf({ name, label, usable, detail, tools }: ProviderInfo): ProviderRow {
	const { denied, parallelCalls, images } = tools;
	return {
		...{ name, label, usable, detail },
		tools: { denied: [...denied], parallel_calls: parallelCalls, images },
	};
}

function workspaceWriteOf({ sandbox_workspace_write: own }: CodexConfig): WorkspaceWritePolicy | null {
	if (own === undefined) return null;
	return {
		type: "workspaceWrite",
		writableRoots: own.writable_roots,
		networkAccess: own.network_access,
		excludeTmpdirEnvVar: own.exclude_tmpdir_env_var,
		excludeSlashTmp: own.exclude_slash_tmp,
	};
}

/** What `resolve` gives by default, as lists and status show it. */
export function createOverview({ resolve, home, codexHome, registry }: OverviewParts): Overview {
	return {
		account() {
			const { name, defaultModel, detail } = resolve(null, null);
			const { login } = home.read();
			const { email, plan, expiresAtMs } =
				login.kind === "chatgpt" ? login : { email: null, plan: null, expiresAtMs: null };
			return {
				provider: name,
				model: defaultModel,
				login: login.kind,
				email,
				plan,
				expires_at_ms: expiresAtMs,
				codex_home: codexHome,
				detail,
			};
		},
		models() {
			const provider = resolve(null, null);
			const { name, defaultModel } = provider;
			const own = provider
				.listModels()
				.map((id) => ({ id, provider: name, is_default: id === defaultModel }));
			const known = registry.info();
			const others = known
				.filter((each) => each.usable && each.name !== name)
				.flatMap((each) => each.models.map(({ id }) => ({ id, provider: each.name, is_default: false })));
			return { models: [...own, ...others], providers: known.map(rowOf) };
		},
		provider(name) {
			const info = registry.info().find((each) => each.name === name);
			if (info !== undefined) return rowOf(info);
			const row = { name, label: name, tools: null };
			try {
				return { ...row, usable: true, detail: resolve(name, null).detail };
			} catch (error) {
				return { ...row, usable: false, detail: toAppError(error).message };
			}
		},
		defaults() {
			const { name, defaultModel } = resolve(null, null);
			const { config } = home.read();
			const { approval_policy: approvalPolicy, sandbox_mode: sandbox } = config;
			return {
				provider: name,
				model: defaultModel,
				approvalPolicy: approvalPolicy ?? null,
				sandbox: sandbox ?? null,
				workspaceWrite: workspaceWriteOf(config),
			};
		},
	};
}
