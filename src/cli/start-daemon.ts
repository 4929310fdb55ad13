import { distEntry } from "#platform/package-root.ts";
import type { Paths } from "#platform/paths.ts";
import type { ListenFlags } from "./listen-flags.ts";

/** Starts the daemon in the background and resolves when it answers; flags go over the settings of config.json. */
export async function startDaemon(paths: Paths, { port, web }: ListenFlags) {
	const { spawnDaemon } = await import("#platform/daemon-process.ts");
	// A daemon of its own must not end with the shim (bin/launch.mjs) of the command that happened to start it.
	const { WEAVE_CODEX_SHIM_FD: _, ...env } = process.env;
	return spawnDaemon({
		paths,
		env,
		entry: distEntry("daemon"),
		...(port === undefined ? {} : { port }),
		...(web === undefined ? {} : { web }),
	});
}
