import type { SandboxMode, Thread } from "#protocol/record.ts";
import { CodexError } from "../method.ts";
import type { JsonObject } from "../wire/decode.ts";

const MODES: Readonly<Record<string, SandboxMode>> = {
	dangerFullAccess: "danger-full-access",
	// Whoever says so has a sandbox around us already.
	externalSandbox: "danger-full-access",
	readOnly: "read-only",
	workspaceWrite: "workspace-write",
};

/** The mode that a Codex `SandboxPolicy` comes down to. */
export function modeOfPolicy(policy: { type: string }): SandboxMode {
	return MODES[policy.type] ?? "read-only";
}

const PROFILES: Readonly<Record<string, SandboxMode>> = {
	":read-only": "read-only",
	":workspace": "workspace-write",
	":danger-full-access": "danger-full-access",
};

/** The mode that a built-in permission profile stands for. @throws CodexError for any other id. */
export function modeOfProfile(id: string): SandboxMode {
	const mode = Object.hasOwn(PROFILES, id) ? PROFILES[id] : undefined;
	if (mode !== undefined) return mode;
	throw new CodexError("failed to load configuration: default_permissions requires a `[permissions]` table");
}

/** Codex `ActivePermissionProfile`: the one that was chosen, while the sandbox is still what it stands for. */
export function activeProfileOf(thread: Thread): JsonObject | null {
	const id = thread.settings?.["permission_profile"];
	return typeof id === "string" && PROFILES[id] === thread.sandbox ? { id, extends: null } : null;
}

function plainPolicy(mode: SandboxMode): JsonObject & { type: string } {
	if (mode === "danger-full-access") return { type: "dangerFullAccess" };
	if (mode === "read-only") return { type: "readOnly", networkAccess: false };
	const open = { networkAccess: false, excludeTmpdirEnvVar: false, excludeSlashTmp: false };
	return { type: "workspaceWrite", writableRoots: [], ...open };
}

/** The thread's policy as Codex writes it; what the thread says beyond its mode counts only while it fits the mode. */
export function sandboxPolicyOf(thread: Thread): JsonObject {
	const plain = plainPolicy(thread.sandbox);
	const policy = thread.settings?.sandbox_policy;
	if (policy === undefined || modeOfPolicy(policy) !== thread.sandbox) return plain;
	return policy.type === plain.type ? { ...plain, ...policy } : policy;
}
