import type { ModelOptions } from "#daemon/agent/model.ts";
import type { ThreadSettings } from "#protocol/record.ts";
import { type CodexConfig, overrideConfig } from "./codex/config.ts";

/** What config.toml, with a thread's own overrides, says to the loop, the prompt and the tools. */
export interface AgentSettings {
	readonly developerInstructions: string | null;
	readonly projectDocMaxBytes: number | null;
	readonly showRawReasoning: boolean;
	readonly compactPrompt: string | null;
	/** `[mcp_servers]`, raw: who runs them parses them. */
	readonly mcpServers: Readonly<Record<string, unknown>>;
	/** `[tools]` that are switched on or off; null: as usual. */
	readonly tools: {
		readonly updatePlan: boolean | null;
		readonly webSearch: boolean | null;
		readonly viewImage: boolean | null;
	};
	/** `[features]`, raw. */
	readonly features: Readonly<Record<string, unknown>>;
	/** The thread's own words on each request; absent ones follow config.toml and the model. */
	readonly modelOptions: ModelOptions;
	/** `trust_level` of a folder: "trusted", "untrusted"; null: never asked. */
	trustOf(folder: string): string | null;
}

function switchOf(value: boolean | { enabled?: boolean | undefined } | undefined): boolean | null {
	if (value === undefined) return null;
	return typeof value === "boolean" ? value : (value.enabled ?? true);
}

function modelOptionsOf(settings: ThreadSettings | undefined): ModelOptions {
	if (settings === undefined) return {};
	const { effort, summary, verbosity, service_tier: serviceTier, originator } = settings;
	return { effort, summary, verbosity, serviceTier, originator };
}

/** @throws AppError CONFIG_INVALID when an override is not valid. */
export function agentSettingsOf(base: CodexConfig, settings?: ThreadSettings): AgentSettings {
	const config = overrideConfig(base, settings?.config);
	const { tools, projects } = config;
	return {
		developerInstructions: settings?.developer_instructions ?? config.developer_instructions ?? null,
		projectDocMaxBytes: config.project_doc_max_bytes ?? null,
		showRawReasoning: config.show_raw_agent_reasoning ?? false,
		compactPrompt: config.compact_prompt ?? null,
		mcpServers: config.mcp_servers,
		tools: {
			updatePlan: switchOf(tools.update_plan),
			webSearch: switchOf(tools.web_search),
			viewImage: switchOf(tools.view_image),
		},
		features: config.features,
		modelOptions: modelOptionsOf(settings),
		trustOf: (folder) => (Object.hasOwn(projects, folder) ? (projects[folder]?.trust_level ?? null) : null),
	};
}
