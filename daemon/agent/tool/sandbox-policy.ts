import { isAbsolute } from "node:path";
import { z } from "zod";
import type { ThreadSettings } from "#protocol/record.ts";

/** Codex `SandboxPolicy`, as far as it says more than the mode. */
const policySchema = z.looseObject({
	networkAccess: z.union([z.boolean(), z.enum(["enabled", "restricted"])]).optional(),
	writableRoots: z.array(z.string()).optional(),
});

export interface SandboxChoices {
	/** Undefined: as the machine's settings say. */
	readonly networkAccess: boolean | undefined;
	/** Absolute, beside the workspace. */
	readonly writableRoots: readonly string[];
}

/** What a thread's sandbox policy opens beyond its mode; a policy of a shape we don't know opens nothing. */
export function sandboxPolicyOf(settings: ThreadSettings | undefined): SandboxChoices {
	const parsed = policySchema.safeParse(settings?.sandbox_policy ?? {});
	if (!parsed.success) return { networkAccess: undefined, writableRoots: [] };
	const { networkAccess, writableRoots } = parsed.data;
	return {
		networkAccess:
			networkAccess === undefined ? undefined : networkAccess === true || networkAccess === "enabled",
		writableRoots: (writableRoots ?? []).filter((root) => isAbsolute(root)),
	};
}
