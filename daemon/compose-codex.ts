import { VERSION } from "#protocol/limits.ts";
import type { CodexRunner } from "./agent/runner/runner.ts";
import { createCodexFacade } from "./codex/create-facade.ts";
import type { CodexFacade } from "./codex/facade.ts";
import { type CodexSocket, createCodexSocket } from "./codex/listener/create-codex-socket.ts";
import type { InstallationMethods } from "./codex/method.ts";
import type { DaemonWorld } from "./compose.ts";
import { type CodexUpgrades, createCodexUpgrades } from "./gateway/codex-upgrade.ts";

/** Version of Codex whose app-server protocol we speak (reference: recorded from codex-cli 0.169.0). */
const PROTOCOL_VERSION = "0.169.0";

/** The Codex protocol over the daemon's threads. */
export interface CodexSide {
	readonly facade: CodexFacade;
	readonly upgrades: CodexUpgrades;
	/** Lets clients in. @throws AppError SOCKET_IN_USE, HOME_NOT_WRITABLE. */
	listen(): Promise<CodexSocket>;
}

export function openCodexSide(
	world: DaemonWorld,
	{ runner, installation }: { runner: CodexRunner; installation: InstallationMethods },
): CodexSide {
	const { paths, clock, newId, logger } = world;
	const facade = createCodexFacade({
		...{ runner, clock, newId, logger, paths, installation },
		identity: { protocol: PROTOCOL_VERSION, ours: VERSION },
	});
	const upgrades = createCodexUpgrades({ facade, clock });
	return {
		facade,
		upgrades,
		listen: () => createCodexSocket({ path: paths.codexSocket, facade, upgrades, logger }),
	};
}
