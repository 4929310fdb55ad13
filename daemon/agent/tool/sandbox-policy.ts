import { isAbsolute } from "node:path";
import { z } from "zod";
import type { ThreadSettings } from "#protocol/record.ts";

/** Codex `SandboxPolicy`, as far as it says more than the mode. */
const policySchema = z.looseObject({
	networkAccess: z.union([z.boolean(), z.enum(["enabled", "restricted"])]).optional(),
	writableRoots: z.array(z.string()).optional(),
	excludeSlashTmp: z.boolean().optional(),
	excludeTmpdirEnvVar: z.boolean().optional(),
});

export interface SandboxChoices {
	/** Undefined: as the machine's settings say. */
	readonly networkAccess: boolean | undefined;
	/** Absolute, beside the workspace. */
	readonly writableRoots: readonly string[];
	readonly excludeSlashTmp: boolean;
	readonly excludeTmpdir: boolean;
}

/** What a thread's sandbox policy opens beyond its mode; a policy of a shape we don't know opens nothing. */
export function sandboxPolicyOf(settings: ThreadSettings | undefined): SandboxChoices {
	const parsed = policySchema.safeParse(settings?.sandbox_policy ?? {});
	if (!parsed.success)
		return { networkAccess: undefined, writableRoots: [], excludeSlashTmp: false, excludeTmpdir: false };
	const { networkAccess, writableRoots } = parsed.data;
	return {
		networkAccess:
			networkAccess === undefined ? undefined : networkAccess === true || networkAccess === "enabled",
		excludeSlashTmp: parsed.data.excludeSlashTmp === true,
		excludeTmpdir: parsed.data.excludeTmpdirEnvVar === true,
		writableRoots: (writableRoots ?? []).filter((root) => isAbsolute(root)),
	};
}
