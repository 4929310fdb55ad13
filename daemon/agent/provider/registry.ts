import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import type { ModelProvider } from "#daemon/agent/model.ts";
import type { Paths } from "#platform/paths.ts";
import type { CatalogueModel } from "./catalogue/catalogue.ts";
import { createCatalogues } from "./catalogues.ts";
import { claudeDescriptor } from "./claude/index.ts";
import type { CodexHome } from "./codex/home.ts";
import type { ClientIdentity } from "./codex/request.ts";
import {
	type DeviceLogin,
	type DevicePoll,
	type DevicePorts,
	pollDeviceLogin,
	startDeviceLogin,
} from "./copilot/device.ts";
import { createCopilotDescriptor } from "./copilot/index.ts";
import { copilotSettings } from "./copilot/settings.ts";
import { type CredentialStore, createCredentialStore } from "./credentials.ts";
import type { ProviderDescriptor, ProviderPorts, ToolPolicy } from "./descriptor.ts";
import { createProviderFinder, type FoundProvider } from "./finder.ts";
import { readProviderEntries, settingsOfEntry } from "./settings.ts";

export interface ProviderRegistryOptions {
	readonly paths: Pick<Paths, "home" | "config">;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly clock: Clock;
	readonly newId: NewId;
	readonly identity: ClientIdentity;
	/** For the tables of config.toml whose `wire_api` is "chat". */
	readonly codexHome: CodexHome;
}

/** A provider as settings and lists show it. */
export interface ProviderInfo {
	readonly name: string;
	readonly label: string;
	readonly usable: boolean;
	/** How it is reached or what is missing; no secrets. */
	readonly detail: string;
	readonly loginHint: string;
	readonly tools: ToolPolicy;
	readonly models: readonly CatalogueModel[];
}

/** Every way to a model beside Codex's own wire and the offline agent. Files are read anew at each call. */
export interface ProviderRegistry extends Disposable {
	/** Names that `resolve` knows now. @throws AppError CONFIG_INVALID. */
	names(): string[];
	/** Null: no provider of that name is here. @throws AppError CONFIG_INVALID. */
	resolve(name: string, model: string | null): ModelProvider | null;
	/** @throws AppError CONFIG_INVALID. */
	info(): ProviderInfo[];
	/** Asks the provider for its models now; null for an unknown name. Rejects when it does not answer. */
	refreshModels(name: string): Promise<readonly CatalogueModel[] | null>;
	/** Device login of copilot; the token is kept when it is authorized. */
	readonly copilotLogin: {
		start(signal: AbortSignal): Promise<DeviceLogin>;
		poll(login: Pick<DeviceLogin, "deviceCode" | "expiresAtMs">, signal: AbortSignal): Promise<DevicePoll>;
	};
	readonly credentials: CredentialStore;
}

/** What a provider may do with tools, its settings over what it usually does. */
function toolsOf({ descriptor, settings }: FoundProvider): ToolPolicy {
	return {
		denied: settings.denyTools,
		parallelCalls: settings.parallelToolCalls ?? descriptor.toolPolicy.parallelCalls,
		images: settings.images ?? descriptor.toolPolicy.images,
	};
}

export function createProviderRegistry(options: ProviderRegistryOptions): ProviderRegistry {
	const { paths, env, clock, newId, identity, codexHome } = options;
	const credentials = createCredentialStore(paths.home);
	/** One line per built-in provider; tokens in memory live as long as the registry. */
	const builtIn: readonly ProviderDescriptor[] = [claudeDescriptor, createCopilotDescriptor()];
	const finder = createProviderFinder({ paths, env, codexHome, builtIn });
	const catalogues = createCatalogues({ home: paths.home, clock, finder, ports: () => ports });
	const modelsOf = (name: string): readonly CatalogueModel[] => {
		const found = finder.find(name);
		return found === null ? [] : catalogues.of(found).models();
	};
	const ports: ProviderPorts = {
		...{ env, clock, newId, identity, credentials },
		listModels: (name, own) => [...new Set([...own, ...modelsOf(name).map((model) => model.id)])],
		findModel: (name, id) => modelsOf(name).find((model) => model.id === id) ?? null,
	};
	const devicePorts = (): DevicePorts => {
		const settings = settingsOfEntry(readProviderEntries(paths.config)["copilot"]);
		return { settings: copilotSettings(env, settings), credentials, clock };
	};
	function infoOf(name: string): ProviderInfo[] {
		const found = finder.find(name);
		if (found === null) return [];
		const { label, loginHint } = found.descriptor;
		const login = found.descriptor.login(ports, found.settings);
		return [{ name, label, loginHint, tools: toolsOf(found), ...login, models: modelsOf(name) }];
	}
	return {
		names: () => finder.names(),
		resolve(name, model) {
			const found = finder.find(name);
			return found === null ? null : found.descriptor.create(ports, found.settings, { name, model });
		},
		info: () => finder.names().flatMap(infoOf),
		async refreshModels(name) {
			const found = finder.find(name);
			return found === null ? null : catalogues.of(found).refresh();
		},
		copilotLogin: {
			start: (signal) => startDeviceLogin(devicePorts(), signal),
			poll: (login, signal) => pollDeviceLogin(devicePorts(), login, signal),
		},
		credentials,
		[Symbol.dispose]: () => catalogues[Symbol.dispose](),
	};
}
