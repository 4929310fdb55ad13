import { type CatalogueModel, CODEX_MODELS } from "#daemon/agent/provider/codex/catalogue.ts";
import type { CodexMethods } from "../method.ts";
import { boolean, isObject, type JsonObject, object, optional, string, struct, u32 } from "../wire/decode.ts";
import { configFileOf, parseLayer, readTextFile } from "./config-document.ts";
import { FEATURE_ROWS } from "./feature-table.ts";
import { pageOf } from "./paging.ts";

const paged = { cursor: optional(string), limit: optional(u32) };
const modelParams = struct("ModelListParams", { ...paged, includeHidden: optional(boolean) });
const enablementParams = struct("ExperimentalFeatureEnablementSetParams", { enablement: object });
const pageParams = struct("PageParams", paged);

const OPENAI = {
	...{ id: "openai", name: "OpenAI", canEdit: false, baseUrl: null },
	settings: { type: "openai" },
};

function viewModel(model: CatalogueModel, defaultId: string | undefined): JsonObject {
	return {
		...{ id: model.id, model: model.id, upgrade: model.upgrade, upgradeInfo: null, availabilityNux: null },
		...{ displayName: model.displayName, description: model.description, modelSpecialty: model.specialty },
		hidden: model.hidden,
		supportedReasoningEfforts: model.efforts.map(({ effort, description }) => ({
			...{ reasoningEffort: effort, description },
		})),
		...{ defaultReasoningEffort: model.defaultEffort, inputModalities: model.inputModalities },
		...{ supportsPersonality: false, multiAgentVersion: model.multiAgentVersion },
		...{ additionalSpeedTiers: model.additionalSpeedTiers, serviceTiers: model.serviceTiers },
		...{ defaultServiceTier: model.defaultServiceTier, availableAccessPrograms: null },
		isDefault: model.id === defaultId,
	};
}

function viewProvider(id: string, provider: JsonObject): JsonObject {
	const hasKey = provider["env_key"] !== undefined || provider["experimental_bearer_token"] !== undefined;
	return {
		...{ id, name: provider["name"] ?? id, canEdit: true, baseUrl: provider["base_url"] ?? null },
		settings: { type: "customGateway", auth: { mode: hasKey ? "apiKey" : "none" } },
	};
}

/** Models, providers and features: what a client offers a person to choose from. */
export function createModelMethods({ codexHome }: { codexHome: string }): CodexMethods {
	const file = configFileOf(codexHome);
	const enablement = new Map<string, boolean>();
	const config = (): JsonObject => parseLayer(readTextFile(file), file);

	function features(): JsonObject[] {
		const { features: said } = config();
		return FEATURE_ROWS.map(({ name, stage, isDefault }) => {
			const own = enablement.get(name) ?? (isObject(said) ? said[name] : undefined);
			const texts = { displayName: null, description: null, announcement: null };
			return {
				name,
				stage,
				...texts,
				enabled: typeof own === "boolean" ? own : isDefault,
				defaultEnabled: isDefault,
			};
		});
	}

	return {
		"model/list"(params) {
			const { includeHidden, ...page } = modelParams.decode(params);
			const sorted = CODEX_MODELS.toSorted((one, other) => one.priority - other.priority);
			const first = sorted.find((model) => !model.hidden)?.id;
			const shown = sorted.filter((model) => includeHidden === true || !model.hidden);
			return pageOf(
				shown.map((model) => viewModel(model, first)),
				page,
			);
		},
		"modelProvider/list"() {
			const { model_providers: providers, model_provider: chosen } = config();
			const own = isObject(providers) ? Object.entries(providers) : [];
			return {
				data: [
					...own.flatMap(([id, provider]) => (isObject(provider) ? [viewProvider(id, provider)] : [])),
					OPENAI,
				],
				defaultProviderId: chosen ?? "openai",
				canChangeDefault: true,
			};
		},
		"modelProvider/capabilities/read": () => ({ imageGeneration: true, webSearch: true }),
		"experimentalFeature/list": (params) => pageOf(features(), pageParams.decode(params)),
		"experimentalFeature/enablement/set"(params) {
			const known = Object.entries(enablementParams.decode(params).enablement).filter(([name]) =>
				FEATURE_ROWS.some((row) => row.name === name),
			);
			for (const [name, enabled] of known) enablement.set(name, enabled === true);
			return { enablement: Object.fromEntries(known) };
		},
		"collaborationMode/list": () => ({
			data: [
				{ name: "Plan", mode: "plan", model: null, reasoning_effort: "medium" },
				{ name: "Default", mode: "default", model: null, reasoning_effort: null },
			],
		}),
		"permissionProfile/list": (params) =>
			pageOf(
				[":read-only", ":workspace", ":danger-full-access"].map((id) => ({
					id,
					description: null,
					allowed: true,
				})),
				pageParams.decode(params),
			),
	};
}
