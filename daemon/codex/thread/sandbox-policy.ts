import type { SandboxMode, Thread } from "#protocol/record.ts";
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
