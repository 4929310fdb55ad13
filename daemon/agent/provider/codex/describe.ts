import type { ModelDescription } from "#daemon/agent/model.ts";
import { type CatalogueModel, CODEX_MODELS } from "./catalogue.ts";
import type { CodexConfig } from "./config.ts";

/** Share of a window that is for use, and share at which history is compacted by itself (codex.md section 2; the real one's defaults). */
const USABLE_SHARE = 0.95;
const COMPACT_SHARE = 0.9;
/** The window the real one assumes of a model that its catalogue does not know. */
const UNKNOWN_WINDOW = 272_000;

/** The listed model of the lowest priority number, as the real server picks. */
export const DEFAULT_MODEL: string = CODEX_MODELS.filter((model) => !model.hidden).reduce((best, model) =>
	model.priority < best.priority ? model : best,
).id;

/** The row of a model; dated or suffixed ids (`gpt-5.5-2026-01-01`) count as the longest row that starts them. */
export function findModel(
	id: string,
	models: readonly CatalogueModel[] = CODEX_MODELS,
): CatalogueModel | null {
	const bare = id.includes("/") ? id.slice(id.lastIndexOf("/") + 1) : id;
	const exact = models.find((model) => model.id === bare);
	if (exact !== undefined) return exact;
	const starts = models.filter((model) => bare.startsWith(`${model.id}-`));
	return starts.toSorted((one, other) => other.id.length - one.id.length)[0] ?? null;
}

function withConfig(description: ModelDescription, config: CodexConfig, window: number): ModelDescription {
	const total = config.model_context_window ?? window;
	const bound = Math.floor(total * COMPACT_SHARE);
	const own = config.model_auto_compact_token_limit;
	return {
		...description,
		contextWindow: Math.floor(total * USABLE_SHARE),
		autoCompactTokens: own === undefined ? bound : Math.min(own, bound),
		defaultEffort: config.model_reasoning_effort ?? description.defaultEffort,
	};
}

/** What the loop and the tools need to know of a model, with what config.toml says of it. */
export function describeModel(
	id: string,
	config: CodexConfig,
	models: readonly CatalogueModel[] = CODEX_MODELS,
): ModelDescription {
	const model = findModel(id, models);
	if (model === null) {
		const unknown: ModelDescription = {
			id,
			toolMode: "classic",
			toolsInInput: false,
			contextWindow: null,
			autoCompactTokens: null,
			baseInstructions: null,
			supportsParallelToolCalls: true,
			takesImages: true,
			defaultEffort: null,
			toolNamespaces: true,
			isUnknown: true,
		};
		return withConfig(unknown, config, UNKNOWN_WINDOW);
	}
	return withConfig(
		{
			id,
			toolMode: model.toolMode,
			toolsInInput: model.responsesLite,
			contextWindow: null,
			autoCompactTokens: null,
			baseInstructions: null,
			supportsParallelToolCalls: !model.responsesLite,
			takesImages: model.inputModalities.includes("image"),
			defaultEffort: model.defaultEffort,
			toolNamespaces: true,
			// A script finds tools by itself.
			toolSearch: model.toolMode === "classic",
		},
		config,
		model.contextWindow,
	);
}
