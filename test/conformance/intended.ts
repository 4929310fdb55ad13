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
	["thread/realtime/", "no voice"],
	["windowsSandbox/", "Linux and macOS only"],
	["externalAgentConfig/", "imports of other agents' settings are not built"],
	["environment/", "machines are weave's nodes"],
];
