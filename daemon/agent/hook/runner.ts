import type { HookName, HookRunner } from "#daemon/agent/loop-port.ts";
import type { Logger, Telemetry } from "#daemon/telemetry/port.ts";

/** What a hook is told; which members there are depends on its name (AGENT_MODULE.md). */
export type HookInput = Readonly<Record<string, unknown>>;
export type Hook = (input: HookInput) => void | Promise<void>;

/** Runs hooks and takes new ones; a plugin goes by its owner id. */
export interface HookRegistry extends HookRunner {
	/** Hooks of one name run in order of registration, one after the other. */
	register(ownerId: string, name: HookName, hook: Hook): Disposable;
	unregisterOwner(ownerId: string): void;
}

interface HookRunnerPorts {
	logger: Logger;
	telemetry: Telemetry;
}

/** `run` never rejects: a hook that throws is logged with its owner, counted as `hook_failures_total`, and skipped. */
export function createHookRunner({ logger, telemetry }: HookRunnerPorts): HookRegistry {
	let entries: readonly { ownerId: string; name: HookName; hook: Hook }[] = [];
	return {
		register(ownerId, name, hook) {
			const entry = { ownerId, name, hook };
			entries = [...entries, entry];
			return {
				[Symbol.dispose]: () => {
					entries = entries.filter((other) => other !== entry);
				},
			};
		},
		unregisterOwner(ownerId) {
			entries = entries.filter((entry) => entry.ownerId !== ownerId);
		},
		async run(name, input) {
			// The array is replaced, never changed, so hooks may register and dispose while others run.
			for (const entry of entries) {
				if (entry.name !== name) continue;
				try {
					await entry.hook(input);
				} catch (error) {
					telemetry.count("hook_failures_total", 1, { hook: name, owner: entry.ownerId });
					logger.warn("a hook failed and was skipped", {
						hook: name,
						owner: entry.ownerId,
						error: String(error),
					});
				}
			}
		},
	};
}
