/** One level of reasoning that a model takes. */
export interface EffortOption {
	readonly effort: string;
	readonly description: string;
}

/** What is known of a model of the OpenAI provider: facts of the catalogue of Codex 0.169.0, texts our own. */
export interface CatalogueModel {
	readonly id: string;
	readonly displayName: string;
	readonly description: string;
	readonly hidden: boolean;
	/** Lower comes first; the lowest that is listed is the default. */
	readonly priority: number;
	readonly toolMode: "classic" | "code";
	/** Tools travel in the input, and a header says so ("responses lite"). */
	readonly responsesLite: boolean;
	/** All tokens of the window; 95 % of them are for use. */
	readonly contextWindow: number;
	readonly maxContextWindow: number;
	readonly efforts: readonly EffortOption[];
	readonly defaultEffort: string;
	/** What "ultra" is on the wire. */
	readonly ultraEffort: string;
	readonly defaultVerbosity: string | null;
	readonly serviceTiers: readonly {
		readonly id: string;
		readonly name: string;
		readonly description: string;
	}[];
	readonly defaultServiceTier: string | null;
	readonly additionalSpeedTiers: readonly string[];
	readonly inputModalities: readonly string[];
	readonly multiAgentVersion: string | null;
	readonly specialty: string | null;
	/** The newer model that Codex proposes instead. */
	readonly upgrade: string | null;
}

const EFFORT_TEXTS: Readonly<Record<string, string>> = {
	low: "Quick answers with little reasoning",
	medium: "Everyday balance of speed and reasoning",
	high: "More reasoning for hard problems",
	xhigh: "Much more reasoning for hard problems",
	max: "As much reasoning as the model has",
	ultra: "As much reasoning as the model has, with work handed on by itself",
};

function efforts(...names: string[]): EffortOption[] {
	return names.map((effort) => ({ effort, description: EFFORT_TEXTS[effort] ?? "" }));
}

const TO_XHIGH = efforts("low", "medium", "high", "xhigh");
const TO_MAX = efforts("low", "medium", "high", "xhigh", "max");
const TO_ULTRA = efforts("low", "medium", "high", "xhigh", "max", "ultra");
const fast = (description: string) => [{ id: "priority", name: "Fast", description }];

/** What most models of the catalogue share. */
const COMMON = {
	hidden: false,
	toolMode: "code",
	responsesLite: true,
	contextWindow: 272_000,
	maxContextWindow: 872_000,
	efforts: TO_ULTRA,
	defaultEffort: "medium",
	ultraEffort: "max",
	defaultVerbosity: "low",
	serviceTiers: fast("Half as fast again, for more of the allowance"),
	defaultServiceTier: null,
	additionalSpeedTiers: ["fast"],
	inputModalities: ["text", "image"],
	multiAgentVersion: "v2",
	specialty: null,
	upgrade: null,
} as const satisfies Partial<CatalogueModel>;

/** In the catalogue's own order; `codex debug models` of the pinned binary says whether it still holds. */
export const CODEX_MODELS: readonly CatalogueModel[] = [
	{
		...COMMON,
		id: "gpt-6-astra",
		displayName: "GPT-6-Astra",
		description: "The strongest model, for the hardest work.",
		priority: 2,
		defaultEffort: "low",
		ultraEffort: "xhigh",
		serviceTiers: fast("Twice as fast, for more of the allowance"),
	},
	{
		...COMMON,
		id: "gpt-6.1-sol",
		displayName: "GPT-6.1-Sol",
		description: "The newest all-round model for code and daily work.",
		priority: 1,
		defaultEffort: "low",
		ultraEffort: "xhigh",
		serviceTiers: fast("Twice as fast, for more of the allowance"),
	},
	{
		...COMMON,
		id: "gpt-6.1-terra",
		displayName: "GPT-6.1 Terra",
		description: "GPT-6.1 Terra for Codex.",
		priority: 7,
		contextWindow: 500_000,
		defaultEffort: "low",
		ultraEffort: "xhigh",
		serviceTiers: fast("Half as fast again"),
	},
	{
		...COMMON,
		id: "gpt-6-sol",
		displayName: "GPT-6-Sol",
		description: "The all-round model of the generation before.",
		priority: 3,
		serviceTiers: fast("Half as fast again"),
		defaultServiceTier: "priority",
	},
	{
		...COMMON,
		id: "gpt-6-luna",
		displayName: "GPT-6-Luna",
		description: "Quick and cheap, for easier tasks.",
		priority: 4,
		efforts: TO_MAX,
		serviceTiers: fast("Half as fast again"),
		defaultServiceTier: "priority",
	},
	{
		...COMMON,
		id: "gpt-5.6-sol",
		displayName: "GPT-5.6-Sol",
		description: "An older all-round model.",
		priority: 5,
		defaultEffort: "low",
		upgrade: "gpt-6-sol",
	},
	{
		...COMMON,
		id: "gpt-5.6-terra",
		displayName: "GPT-5.6-Terra",
		description: "An older balanced model for plain work.",
		priority: 8,
		upgrade: "gpt-6-sol",
	},
	{
		...COMMON,
		id: "gpt-5.6-luna",
		displayName: "GPT-5.6-Luna",
		description: "An older quick and cheap model.",
		priority: 9,
		efforts: TO_MAX,
		multiAgentVersion: "v1",
		upgrade: "gpt-6-luna",
	},
	{
		...COMMON,
		id: "gpt-daybreak-blue-latest",
		displayName: "Daybreak Blue",
		description: "For defensive security work.",
		hidden: true,
		priority: 11,
		defaultEffort: "low",
		serviceTiers: [],
		additionalSpeedTiers: [],
		specialty: "cyber",
	},
	{
		...COMMON,
		id: "gpt-daybreak-red-latest",
		displayName: "Daybreak Red",
		description: "For authorised security research.",
		hidden: true,
		priority: 12,
		contextWindow: 372_000,
		maxContextWindow: 372_000,
		defaultVerbosity: "high",
		serviceTiers: [],
		additionalSpeedTiers: [],
		specialty: "cyber",
	},
	{
		...COMMON,
		id: "gpt-5.5",
		displayName: "GPT-5.5",
		description: "An older model that takes plain tools.",
		priority: 13,
		toolMode: "classic",
		responsesLite: false,
		maxContextWindow: 272_000,
		efforts: TO_XHIGH,
		multiAgentVersion: null,
		upgrade: "gpt-6-sol",
	},
	{
		...COMMON,
		id: "codex-auto-review",
		displayName: "Codex Auto Review",
		description: "Reviews approvals by itself.",
		hidden: true,
		priority: 43,
		efforts: TO_MAX,
		multiAgentVersion: "v1",
	},
];
