import {
	anything,
	boolean,
	clearable,
	type Decoder,
	i64,
	list,
	object,
	oneOf,
	optional,
	string,
	struct,
	tagged,
	u32,
	withDefault,
} from "../wire/decode.ts";
import {
	approvalPolicy,
	collaborationMode,
	itemsView,
	personality,
	reasoningSummary,
	sandboxMode,
	sandboxPolicy,
	sortDirection,
} from "./shared.ts";

/** Members that start, resume and fork share. */
const overrides = {
	model: optional(string),
	modelProvider: optional(string),
	serviceTier: clearable(string),
	cwd: optional(string),
	approvalPolicy: optional(approvalPolicy),
	sandbox: optional(sandboxMode),
	permissions: optional(string),
	config: optional(object),
	baseInstructions: optional(string),
	developerInstructions: optional(string),
};

export const threadStart = struct(
	"ThreadStartParams",
	{
		...overrides,
		personality: optional(personality),
		ephemeral: optional(boolean),
		historyMode: optional(oneOf(["legacy", "paginated"])),
		threadSource: optional(string),
		dynamicTools: optional(list(object)),
		experimentalRawEvents: withDefault(boolean, false),
	},
	27,
);

export const threadResume = struct("ThreadResumeParams", {
	threadId: string,
	...overrides,
	personality: optional(personality),
	excludeTurns: withDefault(boolean, false),
});

export const threadFork = struct("ThreadForkParams", {
	threadId: string,
	lastTurnId: optional(string),
	beforeTurnId: optional(string),
	...overrides,
	ephemeral: withDefault(boolean, false),
	threadSource: optional(string),
	excludeTurns: withDefault(boolean, false),
});

export const SOURCE_KINDS = [
	"cli",
	"vscode",
	"exec",
	"appServer",
	"subAgent",
	"subAgentReview",
	"subAgentCompact",
	"subAgentThreadSpawn",
	"subAgentOther",
	"unknown",
] as const;

/** One folder, or any of several. */
const cwdFilter: Decoder<readonly string[]> = {
	decode: (value) => (typeof value === "string" ? [value] : list(string).decode(value)),
};

const page = { cursor: optional(string), limit: optional(u32), sortDirection: optional(sortDirection) };
const chosen = { sourceKinds: optional(list(oneOf(SOURCE_KINDS))), archived: optional(boolean) };

export const threadList = struct("ThreadListParams", {
	...page,
	...chosen,
	excludedThreadIds: optional(list(string)),
	sortKey: optional(oneOf(["created_at", "updated_at", "recency_at", "section_position"])),
	modelProviders: optional(list(string)),
	originators: optional(list(string)),
	cwd: optional(cwdFilter),
	searchTerm: optional(string),
});

export const threadSearch = struct("ThreadSearchParams", {
	...page,
	...chosen,
	sortKey: optional(oneOf(["created_at", "updated_at", "recency_at"])),
	searchTerm: string,
});

export const threadRead = struct("ThreadReadParams", {
	threadId: string,
	includeTurns: withDefault(boolean, false),
});
export const threadName = struct("ThreadSetNameParams", { threadId: string, name: string });
export const threadTurns = struct("ThreadTurnsListParams", {
	threadId: string,
	...page,
	itemsView: optional(itemsView),
});
export const threadItems = struct("ThreadItemsListParams", {
	threadId: string,
	turnId: optional(string),
	...page,
	cursor: optional(anything),
});
export const threadItemsRead = struct("ThreadItemsReadParams", {
	threadId: string,
	turnId: string,
	itemIds: list(string),
});
export const loadedList = struct("ThreadLoadedListParams", {
	cursor: optional(string),
	limit: optional(u32),
});
export const threadRevert = struct("ThreadRevertParams", { threadId: string, beforeTurnId: string });
export const threadInject = struct("ThreadInjectItemsParams", { threadId: string, items: list(anything) });
export const threadShell = struct("ThreadShellCommandParams", { threadId: string, command: string });
export const threadTerminal = struct("ThreadBackgroundTerminalsTerminateParams", {
	threadId: string,
	processId: string,
});
export const threadReadState = struct("ThreadReadStateUpdateParams", {
	threadId: string,
	operation: tagged("ThreadReadStateOperation", { read: {}, unread: {} }),
	expectedRevision: string,
});
export const threadGoal = struct("ThreadGoalSetParams", {
	threadId: string,
	objective: optional(string),
	status: optional(oneOf(["active", "paused", "blocked", "usageLimited", "budgetLimited", "complete"])),
	tokenBudget: clearable(i64),
});
export const threadMetadata = struct("ThreadMetadataUpdateParams", {
	threadId: string,
	projectId: clearable(string),
	gitInfo: optional(
		struct("ThreadMetadataGitInfoUpdateParams", {
			sha: clearable(string),
			branch: clearable(string),
			originUrl: clearable(string),
		}),
	),
	daybreakEnabled: clearable(boolean),
});

/** Settings that a turn or an update may change. */
export const settingsMembers = {
	cwd: optional(string),
	approvalPolicy: optional(approvalPolicy),
	sandboxPolicy: optional(sandboxPolicy),
	permissions: optional(string),
	model: optional(string),
	serviceTier: clearable(string),
	effort: optional(string),
	summary: optional(reasoningSummary),
	personality: optional(personality),
	collaborationMode: optional(collaborationMode),
};
export const threadSettings = struct("ThreadSettingsUpdateParams", { threadId: string, ...settingsMembers });
