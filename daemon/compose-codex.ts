import { createGit } from "#platform/git.ts";
import { VERSION } from "#protocol/limits.ts";
import type { LocalEnvironment } from "./agent/local-environment.ts";
import { OPENAI_PROVIDER_ID } from "./agent/provider/codex/constants.ts";
import { createCodexFacade } from "./codex/create-facade.ts";
import type { CodexFacade } from "./codex/facade.ts";
import { createInstallationMethods } from "./codex/installation/index.ts";
import { type CodexSocket, createCodexSocket } from "./codex/listener/create-codex-socket.ts";
import { CODEX_VERSION } from "./codex/version.ts";
import type { DaemonWorld } from "./compose.ts";
import type { Agent } from "./compose-agent.ts";
import { type CodexUpgrades, createCodexUpgrades } from "./gateway/codex-upgrade.ts";

/** The Codex protocol over the daemon's threads. */
export interface CodexSide {
	readonly facade: CodexFacade;
	readonly upgrades: CodexUpgrades;
	/** Lets clients in. @throws AppError SOCKET_IN_USE, HOME_NOT_WRITABLE. */
	listen(): Promise<CodexSocket>;
}

export function openCodexSide(
	world: DaemonWorld,
	{ runner, selector, mcp, rollouts, notices }: Agent,
	environment: LocalEnvironment,
): CodexSide {
	const { paths, clock, newId, logger, env } = world;
	// A daemon in the background stands in its own home, where no command may work: clients of it start in the person's.
	const cwd = process.cwd() === paths.home ? (env["HOME"] ?? paths.home) : process.cwd();
	const facade = createCodexFacade({
		...{ runner, clock, newId, logger },
		paths: { codexHome: paths.codexHome, home: paths.home, cwd },
		notices,
		onThreadOpened: ({ thread_id: threadId, cwd, settings }) => mcp.open({ threadId, cwd, settings }),
		ensureThread: rollouts.ensureThread,
		installation: createInstallationMethods({
			codexHome: paths.codexHome,
			cwd,
			environment,
			secretFolders: [paths.home, paths.weaveHome, paths.runtime],
			account: selector.accounts,
			mcp: {
				list: () => mcp.status({ threadId: null }),
				async reload() {
					mcp.reload();
				},
			},
			git: createGit(env).read,
		}),
		identity: { protocol: CODEX_VERSION, ours: VERSION },
		providerId: () => selector.config().model_provider ?? OPENAI_PROVIDER_ID,
	});
	const upgrades = createCodexUpgrades({ facade, clock });
	return {
		facade,
		upgrades,
		listen: () => createCodexSocket({ path: paths.codexSocket, facade, upgrades, logger }),
	};
}
