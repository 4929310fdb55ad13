import {
	anything,
	boolean,
	type Decoder,
	isObject,
	type JsonObject,
	list,
	object,
	oneOf,
	optional,
	string,
	struct,
	tagged,
	unknownVariant,
	withDefault,
	wrongType,
} from "../wire/decode.ts";

const GRANULAR = struct("GranularApprovalConfig", {
	sandbox_approval: boolean,
	rules: boolean,
	mcp_elicitations: boolean,
});
const POLICIES = ["untrusted", "on-request", "granular", "never"] as const;

/** A policy by name, or `granular` with its switches, which we serve as `on-request`. */
export const approvalPolicy: Decoder<"untrusted" | "on-request" | "never"> = {
	decode(value) {
		if (typeof value === "string") {
			const known = POLICIES.find((name) => name === value);
			if (known === undefined) throw unknownVariant(value, POLICIES);
			return known === "granular" ? "on-request" : known;
		}
		if (!isObject(value)) throw wrongType(value, "string or map");
		const [name] = Object.keys(value);
		if (name !== "granular") throw unknownVariant(name ?? "", POLICIES);
		GRANULAR.decode(value["granular"]);
		return "on-request";
	},
};

export const sandboxMode = oneOf(["read-only", "workspace-write", "danger-full-access"]);

export const sandboxPolicy = tagged("SandboxPolicy", {
	dangerFullAccess: {},
	readOnly: { networkAccess: withDefault(boolean, false) },
	externalSandbox: { networkAccess: withDefault(anything, "restricted") },
	workspaceWrite: {
		writableRoots: withDefault(list(string), []),
		networkAccess: withDefault(boolean, false),
		excludeTmpdirEnvVar: withDefault(boolean, false),
		excludeSlashTmp: withDefault(boolean, false),
	},
});

export const collaborationMode = struct("CollaborationMode", {
	mode: oneOf(["plan", "default"]),
	settings: struct("Settings", {
		model: string,
		reasoning_effort: optional(string),
		developer_instructions: optional(string),
	}),
});

export const reasoningSummary = oneOf(["auto", "concise", "detailed", "none"]);
export const personality = oneOf(["none", "friendly", "pragmatic"]);
export const sortDirection = oneOf(["asc", "desc"]);
export const itemsView = oneOf(["notLoaded", "summary", "full"]);

const userInput = tagged("UserInput", {
	text: { text: string, text_elements: withDefault(list(object), []) },
	image: { detail: optional(string) },
	localImage: { detail: optional(string), path: string },
	audio: {},
	localAudio: { path: string },
	skill: { name: string, path: string },
	mention: { name: string, path: string },
});
export const userInputs: Decoder<readonly (JsonObject & { type: string })[]> = list(userInput);

export const threadRef = struct("ThreadRef", { threadId: string });
