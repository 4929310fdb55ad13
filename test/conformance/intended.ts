/** Scenarios in which ours differs by intent, with the reason. */
export const INTENDED: Readonly<Record<string, string>> = {
	"review-uncommitted": "the prompt of a review is in our own words",
};

/** Scenarios in which the real server's own order varies from run to run, with what races. */
export const RACES: Readonly<Record<string, string>> = {
	steer: "a client's write against the stream",
	"turn-start-while-active": "a client's write against the stream",
	"plan-mode": "settings against the answer to turn/start",
	"shell-parallel": "which tool ends first",
	"shell-long-stdin": "how output is cut",
	ephemeral: "the answer to turn/start against the first news",
};

/** Methods that are left out by intent; the rest of the unserved ones are not built. */
export const LEFT_OUT: readonly (readonly [start: string, why: string])[] = [
	["remoteControl/", "weave has its own pairing and remote access"],
	["feedback/", "nothing is sent to anybody"],
	["userVerification/", "belongs to the vendor's account service"],
	["account/bedrock", "no Bedrock provider"],
	["account/gcp", "no Vertex provider"],
	["account/gatewayOAuth", "no gateway logins"],
	["accountSession/", "one login for each Codex home"],
	["plugin/", "no plugin marketplace"],
	["marketplace/", "no plugin marketplace"],
	["app/", "no hosted apps"],
	["thread/attachment", "attachments of the vendor's own apps; what is attached goes with the turn's input"],
	["threadSection/", "sections of the vendor's own apps"],
	["thread/section/", "sections of the vendor's own apps"],
	["project/", "projects of the vendor's own apps"],
	["thread/timeline/", "timelines of the vendor's own apps"],
	["thread/approveGuardianDeniedAction", "no second model judges commands"],
	["thread/guardianReview", "no second model judges commands"],
	["thread/queue/", "not built; a turn started while another runs waits in weave's own queue"],
	["thread/sample", "not built; samples of a turn without its thread"],
	["thread/prediction/", "not built; guesses of the next message"],
	["thread/prepareApprovedPlan", "not built; an approved plan is sent as a turn"],
	["turn/settings/update", "not built; thread/settings/update holds from the next turn on"],
	["memory/status", "no memories"],
	["process/", "command/exec does the same, and the TUI uses neither"],
	["skills/config/write", "not built; config/batchWrite writes the same table"],
	["modelProvider/config/write", "not built; config/batchWrite writes the same table"],
	["mcpServer/resource/read", "not built; resources are read by the agent's own tools"],
	["mcpServer/tool/call", "not built; tools are called by the agent"],
	["mcpServer/event/", "not built; events of servers are not followed"],
	["account/securitySetup/", "belongs to the vendor's account service"],
	["account/rateLimitResetCredit/", "belongs to the vendor's account service"],
	["account/workspaceMessages/", "belongs to the vendor's account service"],
	["account/sendAddCreditsNudgeEmail", "nothing is sent to anybody"],
	["getConversationSummary", "of the protocol before threads; thread/read answers it"],
	["server/diagnostics", "weave-codex doctor does it"],
	["rollout/compress", "threads are kept in a database"],
	["thread/realtime/", "no voice"],
	["windowsSandbox/", "Linux and macOS only"],
	["externalAgentConfig/", "imports of other agents' settings are not built"],
	["environment/", "machines are weave's nodes"],
];
