import type { RolloutHead } from "#daemon/storage/repository/rollout-head.ts";
import type { ApprovalPolicy, SandboxMode, ThreadSettings } from "#protocol/record.ts";
import { camelCase, renamed } from "./casing.ts";
import { pathOf } from "./item-in.ts";
import { type Json, objectOf, textOf, textOrNull } from "./line.ts";

/** What a turn ran with. */
export interface TurnContext {
	model?: string;
	cwd?: string;
	approval_policy?: ApprovalPolicy;
	sandbox?: SandboxMode;
	settings: ThreadSettings;
}

const POLICIES: Readonly<Record<string, ApprovalPolicy>> = {
	untrusted: "untrusted",
	never: "never",
	"on-request": "on-request",
	// Commands ran first there and were asked about only when the sandbox stopped them; asking is the nearest that we have.
	"on-failure": "on-request",
};
const SANDBOXES: Readonly<Record<string, SandboxMode>> = {
	"read-only": "read-only",
	"workspace-write": "workspace-write",
	"danger-full-access": "danger-full-access",
	"external-sandbox": "danger-full-access",
};

const kebab = (text: string): string => camelCase(text.replaceAll("-", "_"));

function sandboxOf(
	payload: Json,
): Pick<TurnContext, "sandbox"> & { policy?: ThreadSettings["sandbox_policy"] } {
	const policy = objectOf(payload, "sandbox_policy");
	// Older files name it `mode`.
	const type = textOf(policy, "type") || textOf(policy, "mode");
	const sandbox = SANDBOXES[type];
	if (sandbox === undefined) return {};
	const { mode: _mode, ...said } = renamed(policy, camelCase);
	return { sandbox, policy: { ...said, type: kebab(type) } };
}

/** A `turn_context` line: model, folder, policies, effort and mode. */
export function turnContextOf(payload: Json): TurnContext {
	const { sandbox, policy } = sandboxOf(payload);
	const model = textOrNull(payload, "model");
	const cwd = pathOf(textOf(payload, "cwd"));
	const approval = POLICIES[textOf(payload, "approval_policy")];
	const mode = objectOf(payload, "collaboration_mode");
	const effort = textOrNull(payload, "effort") ?? textOrNull(objectOf(mode, "settings"), "reasoning_effort");
	return {
		...(model === null ? {} : { model }),
		...(cwd.startsWith("/") ? { cwd } : {}),
		...(approval === undefined ? {} : { approval_policy: approval }),
		...(sandbox === undefined ? {} : { sandbox }),
		settings: {
			...(effort === null ? {} : { effort }),
			...(policy === undefined ? {} : { sandbox_policy: policy }),
			...(textOf(mode, "mode") === "plan" ? { collaboration_mode: { ...mode, mode: "plan" } } : {}),
		},
	};
}

/** Where nothing is said: ask, and write in the folder only. */
export const CAUTIOUS: Pick<RolloutHead, "approval_policy" | "sandbox"> = {
	approval_policy: "on-request",
	sandbox: "workspace-write",
};
