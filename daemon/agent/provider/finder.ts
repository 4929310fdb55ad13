import type { Paths } from "#platform/paths.ts";
import { createChatDescriptor } from "./chat-completions/index.ts";
import type { CodexConfig, ProviderConfig } from "./codex/config.ts";
import type { CodexHome } from "./codex/home.ts";
import type { ProviderDescriptor, ProviderSettings } from "./descriptor.ts";
import { type ProviderEntry, readProviderEntries, settingsOfEntry, settingsOfTable } from "./settings.ts";

/** A provider and what is set for it now. */
export interface FoundProvider {
	readonly descriptor: ProviderDescriptor;
	readonly settings: ProviderSettings;
}

/** Looks providers up by name: config.json's entries, the tables of config.toml (those that speak chat), what is built in. */
export interface ProviderFinder {
	/** @throws AppError CONFIG_INVALID. */
	find(name: string): FoundProvider | null;
	/** @throws AppError CONFIG_INVALID. */
	names(): string[];
}

export function createProviderFinder(options: {
	paths: Pick<Paths, "config">;
	env: Readonly<Record<string, string | undefined>>;
	codexHome: CodexHome;
	builtIn: readonly ProviderDescriptor[];
}): ProviderFinder {
	const { paths, env, codexHome, builtIn } = options;

	function descriptorOf(name: string, entry: ProviderEntry | undefined): ProviderDescriptor | null {
		const own = builtIn.find((candidate) => candidate.name === name);
		if (own !== undefined) return own;
		if (entry?.wire === "chat") return createChatDescriptor(name, entry.label ?? name);
		const base = builtIn.find((candidate) => candidate.name === entry?.wire);
		return base === undefined ? null : { ...base, name, label: entry?.label ?? base.label };
	}

	function chatTable(name: string, table: ProviderConfig, config: CodexConfig): FoundProvider | null {
		if (table.wire_api !== "chat") return null;
		const isCurrent = config.model_provider === name;
		const about = {
			model: isCurrent ? (config.model ?? null) : null,
			contextWindow: isCurrent ? (config.model_context_window ?? null) : null,
		};
		const settings = settingsOfTable(table, about, env);
		return { descriptor: createChatDescriptor(name, table.name ?? name), settings };
	}

	return {
		find(name) {
			const entries = readProviderEntries(paths.config);
			const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
			const { config } = codexHome.read();
			const table = Object.hasOwn(config.model_providers, name) ? config.model_providers[name] : undefined;
			// A table of config.toml is the person's own, and wins over what is built in under the same name.
			if (entry === undefined && table !== undefined) return chatTable(name, table, config);
			const descriptor = descriptorOf(name, entry);
			return descriptor === null ? null : { descriptor, settings: settingsOfEntry(entry) };
		},
		names() {
			const entries = readProviderEntries(paths.config);
			const { model_providers: tables } = codexHome.read().config;
			const own = Object.keys(entries).filter((name) => descriptorOf(name, entries[name]) !== null);
			const chat = Object.keys(tables).filter((name) => tables[name]?.wire_api === "chat");
			return [...new Set([...builtIn.map((descriptor) => descriptor.name), ...own, ...chat])];
		},
	};
}
