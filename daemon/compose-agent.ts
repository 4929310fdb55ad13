import { join } from "node:path";
import { createGit } from "#platform/git.ts";
import { isSameProcess } from "#platform/identity.ts";
import { VERSION } from "#protocol/limits.ts";
import { createCliBackend } from "./agent/cli-runner/cli-backend.ts";
import { createCodeMode } from "./agent/code-mode/create-code-mode.ts";
import { createHookRunner } from "./agent/hook/runner.ts";
import { registerToolTiming } from "./agent/hook/tool-timing.ts";
import type { LocalEnvironment } from "./agent/local-environment.ts";
import { runTurn } from "./agent/loop/run-turn.ts";
import { createPreludeBuilder } from "./agent/prompt/build-prelude.ts";
import { createProviderSelector } from "./agent/provider/select.ts";
import { createRecorder } from "./agent/recorder/create-recorder.ts";
import { createEmbeddedRunner } from "./agent/runner/embedded-runner.ts";
import { findGitHead } from "./agent/runner/git-head.ts";
import { createTools } from "./agent/tool/index.ts";
import { joinToolSources } from "./agent/tool-source.ts";
import type { DaemonWorld } from "./compose.ts";
import { entryUrl } from "./entry-url.ts";
import type { Publish } from "./gateway/hub.ts";
import { findThread, updateSettingsWrite } from "./storage/repository/chat-thread.ts";
import type { Store } from "./storage/store.ts";

/** The agent: providers, tools, the two ways to run a turn, and the runner over them. */
export function openAgent(
	world: DaemonWorld,
	{ store, publish, environment }: { store: Store; publish: Publish; environment: LocalEnvironment },
	stack: AsyncDisposableStack,
) {
	const { paths, env, clock, newId, random, telemetry, logger, fault } = world;
	const selector = createProviderSelector({
		paths,
		env,
		clock,
		newId,
		identity: { name: "weave_codex", version: VERSION },
	});
	const git = createGit(env);
	const hooks = createHookRunner({ logger, telemetry });
	stack.use(registerToolTiming(hooks, telemetry));
	const codeMode = stack.use(
		createCodeMode({ workerUrl: entryUrl("code-worker", "./agent/code-mode/worker-entry.ts"), clock, newId }),
	);
	const builtIn = createTools({ newId, protectedPaths: environment.protectedPaths, userHome: env["HOME"] });
	const backend = stack.use(
		createCliBackend({
			...{ env, clock, random, logger },
			threads: {
				read: (threadId) => findThread(store, threadId)?.settings?.provider_thread_id ?? null,
				async save(threadId, providerThreadId) {
					const settings = { provider_thread_id: providerThreadId };
					await store.write(updateSettingsWrite, { thread_id: threadId, settings });
				},
			},
			codexHome: paths.codexHome,
			cwd: paths.home,
			version: VERSION,
			embedded: runTurn,
		}),
	);
	const runner = createEmbeddedRunner({
		...{ store, publish, clock, newId, random, environment, hooks, logger, telemetry, fault },
		runTurn: backend.runTurn,
		tools: codeMode.wrap(joinToolSources([async () => builtIn])),
		providers: selector,
		prelude: createPreludeBuilder({
			...{ clock, env, codexHome: paths.codexHome, environment },
			settings: () => selector.promptSettings(),
		}),
		recorder: world.flags.isEnabled("record_runs")
			? createRecorder({ folder: join(paths.home, "recordings"), clock, logger })
			: undefined,
		gitHead: (cwd) => findGitHead({ readText: environment.readText, askGit: git.head }, cwd),
		isProcessAlive: (pid, startTime) => startTime !== null && isSameProcess({ pid, start_time: startTime }),
	});
	return { selector, runner: stack.use(runner) };
}
