import { resolve } from "node:path";
import type { ThreadPatch } from "#daemon/agent/runner/runner.ts";
import type { ApprovalPolicy, SandboxMode, Thread } from "#protocol/record.ts";
import { CodexError } from "../method.ts";
import { isObject, type JsonObject } from "../wire/decode.ts";
import { modeOfPolicy, modeOfProfile } from "./sandbox-policy.ts";

/** Members of requests that change a thread; null and absent keep what it has, except where absent alone does. */
export interface Overrides {
	readonly cwd?: string | null;
	readonly model?: string | null;
	readonly modelProvider?: string | null;
	readonly approvalPolicy?: ApprovalPolicy | null;
	readonly sandbox?: SandboxMode | null;
	/** Id of a permission profile, in place of a sandbox. */
	readonly permissions?: string | null;
	readonly sandboxPolicy?: (JsonObject & { type: string }) | null;
	readonly serviceTier?: string | null | undefined;
	readonly config?: JsonObject | null;
	readonly baseInstructions?: string | null;
	readonly developerInstructions?: string | null;
	readonly personality?: string | null;
	readonly effort?: string | null;
	readonly summary?: string | null;
	readonly collaborationMode?: JsonObject | null;
}

type Settings = NonNullable<ThreadPatch["settings"]>;

/** @throws CodexError where a profile and a sandbox are asked for at once. */
function profileOf({ permissions, sandbox, sandboxPolicy, config }: Overrides): string | undefined {
	if (permissions) {
		const other = sandbox ? "sandbox" : sandboxPolicy ? "sandboxPolicy" : null;
		if (other !== null) throw new CodexError(`\`permissions\` cannot be combined with \`${other}\``);
		return permissions;
	}
	const configured = config?.["default_permissions"];
	return typeof configured === "string" && !sandbox && !sandboxPolicy ? configured : undefined;
}

/** A collaboration mode says which model and how much effort; no effort is the model's own. */
function effortOf({ collaborationMode: mode, effort }: Overrides): string | null | undefined {
	const own = isObject(mode?.["settings"]) ? mode["settings"]["reasoning_effort"] : undefined;
	return typeof own === "string" || own === null ? own : (effort ?? undefined);
}

function modelOf({ collaborationMode: mode, model }: Overrides): string | undefined {
	const own = isObject(mode?.["settings"]) ? mode["settings"]["model"] : undefined;
	return typeof own === "string" && own !== "" ? own : (model ?? undefined);
}

/** As it is kept: its model and effort are the thread's own, where later words may change them. */
function collaborationMode(said: JsonObject | null | undefined): (JsonObject & { mode: string }) | undefined {
	if (said === null || said === undefined) return undefined;
	const { model: _, reasoning_effort: __, ...settings } = isObject(said["settings"]) ? said["settings"] : {};
	return { ...said, mode: String(said["mode"]), settings };
}

function settingsOf(said: Overrides, profile: string | undefined): Settings {
	const settings: Record<string, unknown> = {
		base_instructions: said.baseInstructions ?? undefined,
		developer_instructions: said.developerInstructions ?? undefined,
		personality: said.personality ?? undefined,
		effort: effortOf(said),
		summary: said.summary ?? undefined,
		service_tier: said.serviceTier,
		config: said.config ?? undefined,
		collaboration_mode: collaborationMode(said.collaborationMode),
		sandbox_policy: said.sandboxPolicy ?? undefined,
		permission_profile: profile,
	};
	// A new mode without a policy of its own takes the old policy away.
	if ((said.sandbox || profile !== undefined) && !said.sandboxPolicy) settings["sandbox_policy"] = null;
	if (said.sandbox || said.sandboxPolicy) settings["permission_profile"] = null;
	return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** What a request changes of a thread, as the runner takes it. `base` is the folder that relative paths start from. */
export function toPatch(said: Overrides, base: string): ThreadPatch {
	const { sandboxPolicy, cwd } = said;
	const profile = profileOf(said);
	const chosen = profile === undefined ? (said.sandbox ?? undefined) : modeOfProfile(profile);
	const sandbox = sandboxPolicy ? modeOfPolicy(sandboxPolicy) : chosen;
	const members = {
		model: modelOf(said),
		provider: said.modelProvider ?? undefined,
		cwd: cwd ? resolve(base, cwd) : undefined,
		approval_policy: said.approvalPolicy ?? undefined,
		sandbox,
	};
	const settings = settingsOf(said, profile);
	return {
		...Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)),
		...(Object.keys(settings).length === 0 ? {} : { settings }),
	};
}

export const isEmptyPatch = (patch: ThreadPatch): boolean => Object.keys(patch).length === 0;

/** Whether the thread would be another with the patch. */
export function changesThread(thread: Thread, patch: ThreadPatch): boolean {
	const { settings, ...columns } = patch;
	const now: JsonObject = thread;
	const own: JsonObject = thread.settings ?? {};
	const differs = (has: JsonObject, wants: JsonObject): boolean =>
		Object.entries(wants).some(
			([key, value]) => JSON.stringify(has[key] ?? null) !== JSON.stringify(value ?? null),
		);
	return differs(now, columns as JsonObject) || differs(own, (settings ?? {}) as JsonObject);
}

const TOOL_NAME = /^[a-zA-Z0-9_-]+$/u;

/** @throws CodexError for a name that no model could call. */
export function assertToolNames(tools: readonly JsonObject[]): void {
	const seen = new Set<string>();
	for (const tool of tools) {
		const name = String(tool["name"] ?? "");
		if (!TOOL_NAME.test(name)) {
			throw new CodexError(`dynamic tool name must match ^[a-zA-Z0-9_-]+$ to match Responses API: ${name}`);
		}
		if (name === "mcp" || name.startsWith("mcp__"))
			throw new CodexError(`dynamic tool name is reserved: ${name}`);
		const place = `${String(tool["namespace"] ?? "")}/${name}`;
		if (seen.has(place)) throw new CodexError(`duplicate dynamic tool name: ${name}`);
		seen.add(place);
		const nested = tool["tools"];
		if (Array.isArray(nested)) assertToolNames(nested as JsonObject[]);
	}
}
