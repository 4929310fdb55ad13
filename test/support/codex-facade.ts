import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { newId } from "#base/id.ts";
import { createHookRunner } from "#daemon/agent/hook/runner.ts";
import { createLocalEnvironment } from "#daemon/agent/local-environment.ts";
import { runTurn } from "#daemon/agent/loop/run-turn.ts";
import { createPreludeBuilder } from "#daemon/agent/prompt/build-prelude.ts";
import { createProviderSelector } from "#daemon/agent/provider/select.ts";
import { createEmbeddedRunner } from "#daemon/agent/runner/embedded-runner.ts";
import type { CodexRunner } from "#daemon/agent/runner/runner.ts";
import { createAgentTools } from "#daemon/agent/tool/index.ts";
import { createCodexFacade } from "#daemon/codex/create-facade.ts";
import type { CodexFacade } from "#daemon/codex/facade.ts";
import type { InstallationMethods } from "#daemon/codex/method.ts";
import type { Store } from "#daemon/storage/store.ts";
import { resolvePaths } from "#platform/paths.ts";
import { createMemoryLogger, type MemoryLogger } from "./logger.ts";
import { openTestStore } from "./store.ts";

export interface TestFacade extends AsyncDisposable {
	readonly facade: CodexFacade;
	readonly runner: CodexRunner;
	readonly logger: MemoryLogger;
	readonly store: Store;
}

interface TestFacadeOptions {
	/** Names the homes: HOME, HOMIE_HOME, WEAVE_HOME, CODEX_HOME. */
	env: Readonly<Record<string, string>>;
	cwd: string;
	installation?: InstallationMethods;
}

const silent = {
	count: () => undefined,
	observe: () => undefined,
	gauge: () => ({ [Symbol.dispose]: () => undefined }),
	trace: () => undefined,
};

/** The facade over the real runner, loop, tools, provider and store; only the daemon around them is left out. */
export async function openTestFacade({
	env,
	cwd,
	installation = {},
}: TestFacadeOptions): Promise<TestFacade> {
	const paths = resolvePaths(env);
	await mkdir(paths.home, { recursive: true });
	const logger = createMemoryLogger();
	await using stack = new AsyncDisposableStack();
	const store = stack.use(await openTestStore({ path: join(paths.home, "homie.db") }));
	const ports = { clock: systemClock, newId };
	const environment = stack.use(
		await createLocalEnvironment({ machineId: "machine-1", paths, env, clock: systemClock }),
	);
	const selector = createProviderSelector({
		...{ paths, env, ...ports },
		identity: { name: "codex_test", version: "0.0.0" },
	});
	const tools = createAgentTools({
		newId,
		protectedPaths: environment.protectedPaths,
		userHome: env["HOME"],
		isPlanToolEnabled: ({ settings }) => selector.settingsFor(settings).tools.updatePlan ?? false,
	});
	const runner = stack.use(
		createEmbeddedRunner({
			...{ store, environment, runTurn, logger, ...ports },
			random: Math.random,
			publish: () => undefined,
			tools: tools.source,
			providers: selector,
			hooks: createHookRunner({ logger, telemetry: silent }),
			prelude: createPreludeBuilder({
				...{ clock: systemClock, env, codexHome: paths.codexHome, environment },
				settings: () => selector.promptSettings(),
			}),
			gitHead: async () => null,
			isProcessAlive: () => false,
			telemetry: silent,
			fault: () => undefined,
		}),
	);
	await runner.recover();
	const facade = stack.use(
		createCodexFacade({
			...{ runner, logger, installation, ...ports },
			paths: { codexHome: paths.codexHome, home: paths.home, cwd },
			identity: { protocol: "0.169.0", ours: "0.0.0" },
		}),
	);
	const parts = stack.move();
	return { facade, runner, logger, store, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() };
}
