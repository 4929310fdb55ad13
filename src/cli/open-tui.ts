import { distEntry } from "#platform/package-root.ts";
import { VERSION } from "#protocol/limits.ts";
import type { CliContext } from "./descriptor.ts";

/** What the bundled TUI exports; it is loaded by its file, so that the command line never knows Ink. */
interface TuiModule {
	runTui(options: Readonly<Record<string, unknown>>): Promise<number>;
}

/** Opens the TUI and resolves with the exit code when it is left. The daemon is started beside the first frame. */
export async function openTui(context: CliContext, threadId?: string): Promise<number> {
	const { connectLocal } = await import("#client/node/connect-local.ts");
	const { attachEnvironment } = await import("./attach-environment.ts");
	const { ensureDaemon } = await import("./ensure-daemon.ts");
	const { runTui } = (await import(distEntry("tui").href)) as TuiModule;
	return runTui({
		paths: context.paths,
		env: await attachEnvironment(context),
		cwd: context.cwd,
		stdin: context.stdin,
		stdout: context.stdout,
		stderr: context.stderr,
		connect: () => connectLocal(context.paths, { kind: "tui", failFast: false }),
		startDaemon: () => ensureDaemon(context.paths),
		signal: context.signal,
		version: VERSION,
		...(threadId === undefined ? {} : { threadId }),
	});
}
