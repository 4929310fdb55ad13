import type { CliContext } from "./descriptor.ts";

/** The environment for what attaches to terminals: HOMIE_PREFIX is the prefix key as set, there or in config.json. */
export async function attachEnvironment({
	env,
	paths,
}: Pick<CliContext, "env" | "paths">): Promise<Readonly<Record<string, string | undefined>>> {
	const { readConfig } = await import("#config/read.ts");
	return { ...env, HOMIE_PREFIX: String(readConfig(paths.config, env).get("terminal.prefix")) };
}
