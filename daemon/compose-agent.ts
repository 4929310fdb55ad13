import { join } from "node:path";
import { createEmitter, type Emitter } from "#base/emitter.ts";
import { readConfig } from "#config/read.ts";
import { createGit } from "#platform/git.ts";
import { isSameProcess } from "#platform/identity.ts";
import { VERSION } from "#protocol/limits.ts";
import { type BackgroundRunner, createBackgroundRunner } from "./agent/background/background-runner.ts";
import { createTitles } from "./agent/background/titles.ts";
import { createBudgetRules } from "./agent/budget/limits.ts";
import { type BudgetMeter, createBudgetMeter } from "./agent/budget/meter.ts";
import { withBudget } from "./agent/budget/with-budget.ts";
import { type CliBackend, createCliBackend } from "./agent/cli-runner/cli-backend.ts";
import { createCodeMode } from "./agent/code-mode/create-code-mode.ts";
import { createHookRunner } from "./agent/hook/runner.ts";
import { registerToolTiming } from "./agent/hook/tool-timing.ts";
import type { LocalEnvironment } from "./agent/local-environment.ts";
import { runTurn } from "./agent/loop/run-turn.ts";
import { createMcpServers, type McpServers } from "./agent/mcp/create-mcp-servers.ts";
import { createPreludeBuilder } from "./agent/prompt/build-prelude.ts";
import { createProviderSelector, type ProviderSelector } from "./agent/provider/select.ts";
import { createRecorder } from "./agent/recorder/create-recorder.ts";
import { createRolloutLibrary } from "./agent/rollout/library.ts";
import type { RolloutLibrary } from "./agent/rollout/port.ts";
import type { ProviderSource, RunnerDeps } from "./agent/runner/deps.ts";
import { createEmbeddedRunner } from "./agent/runner/embedded-runner.ts";
import { findGitHead } from "./agent/runner/git-head.ts";
import type { CodexRunner } from "./agent/runner/runner.ts";
import type { GoalStore } from "./agent/tool/goal-tools.ts";
import { type AgentTools, createAgentTools } from "./agent/tool/index.ts";
import type { ThreadNotice } from "./codex/facade.ts";
import { CODEX_VERSION } from "./codex/version.ts";
import type { DaemonWorld } from "./compose.ts";
import { entryUrl } from "./entry-url.ts";
import type { Publish } from "./gateway/hub.ts";
import { createRuleBook } from "./policy/rule-book.ts";
import { createBudgetStore } from "./storage/repository/budget.ts";
import {
	findThread,
	noteProviderThreadWrite,
	readThreadEnv,
	updateSettingsWrite,
} from "./storage/repository/chat-thread.ts";
import type { Store } from "./storage/store.ts";

interface AgentParts {
	readonly store: Store;
	readonly publish: Publish;
	readonly environment: LocalEnvironment;
}

/** What the rest of the daemon needs of the agent. Disposing ends turns, servers and programs, then saves what was spent. */
export interface Agent extends AsyncDisposable {
	readonly selector: ProviderSelector;
	readonly runner: CodexRunner;
	readonly meter: BudgetMeter;
	readonly mcp: McpServers;
	readonly tools: AgentTools;
	readonly background: BackgroundRunner;
	/** For clients of the Codex protocol. */
	readonly notices: { on(listener: (notice: ThreadNotice) => void): Disposable };
	/** Threads of the Codex CLI beside our own. */
	readonly rollouts: RolloutLibrary;
}

function openMcp(
	{ clock, env, paths }: DaemonWorld,
	{ store }: AgentParts,
	{ selector, notices }: Pick<Agent, "selector"> & { notices: Emitter<ThreadNotice> },
): McpServers {
	return createMcpServers({
		clock,
		version: CODEX_VERSION,
		defaultCwd: paths.home,
		table: () => selector.settingsFor().mcpServers,
		env: (threadId) => (threadId === null ? env : { ...env, ...readThreadEnv(store, threadId) }),
		notify: (threadId, method, params) => notices.emit({ threadId, method, params }),
	});
}

/** Where each turn runs: here, or in the real program. */
function openBackend({ env, clock, random, logger, paths }: DaemonWorld, { store }: AgentParts) {
	return createCliBackend({
		...{ env, clock, random, logger },
		async onThreadMade(thread_id, provider_thread_id) {
			await store.write(noteProviderThreadWrite, { thread_id, provider_thread_id });
		},
		codexHome: paths.codexHome,
		cwd: paths.home,
		version: VERSION,
		embedded: runTurn,
	});
}

/** Names threads after their first turn, where a title's price is agreed to. */
function openTitles(
	{ env, paths, newId }: DaemonWorld,
	parts: { runner: CodexRunner; selector: ProviderSelector; background: BackgroundRunner },
): Disposable {
	const { runner, selector, background } = parts;
	return createTitles({
		background,
		enabled() {
			const wanted = readConfig(paths.config, env).get("titles.enabled");
			return typeof wanted === "boolean" ? wanted : selector.account().login !== "none";
		},
		port: {
			onTurnEnded: runner.onTurnEnded,
			read: (threadId) => runner.readThread({ thread_id: threadId, limit: 3 }),
			async setTitle(threadId, title) {
				const call = { label: "titles", clientId: newId(), idempotency: undefined };
				await runner.suggestTitle({ thread_id: threadId, title }, call);
			},
		},
	});
}

function commandsOf(tools: AgentTools, backend: CliBackend): NonNullable<RunnerDeps["commands"]> {
	return {
		runUserCommand: tools.runUserCommand,
		terminate: (id, threadId) => tools.running.terminate(id, threadId),
		killTurn(turnId) {
			backend.killTurn(turnId);
			return tools.running.killTurn(turnId);
		},
	};
}

/** The goal that a model sets is the one that clients show. */
function openGoals(store: Store, notices: Emitter<ThreadNotice>): GoalStore {
	return {
		read: async (threadId) => findThread(store, threadId)?.settings?.["goal"] ?? null,
		async write(threadId, goal) {
			await store.write(updateSettingsWrite, { thread_id: threadId, settings: { goal } });
			const params = { threadId, turnId: null, goal };
			notices.emit({ threadId, method: "thread/goal/updated", params });
		},
	};
}

function openTools(
	{ clock, newId, env, paths, logger }: DaemonWorld,
	{ environment, store }: AgentParts,
	{ selector, mcp, notices }: Pick<Agent, "selector" | "mcp"> & { notices: Emitter<ThreadNotice> },
): AgentTools {
	return createAgentTools({
		...{ newId, clock },
		protectedPaths: environment.protectedPaths,
		userHome: env["HOME"],
		rules: createRuleBook({
			codexHome: paths.codexHome,
			onProblem: (file, message) => logger.warn("a file of rules counts for nothing", { file, message }),
		}),
		goals: openGoals(store, notices),
		isPlanToolEnabled: ({ settings }) => selector.settingsFor(settings).tools.updatePlan ?? false,
		more: mcp.source,
	});
}

/** The agent: providers, tools, the two ways to run a turn, and the runner over them. */
export function openAgent(world: DaemonWorld, parts: AgentParts): Agent {
	const stack = new AsyncDisposableStack();
	const { paths, env, clock, newId, random, telemetry, logger, fault } = world;
	const { store, publish, environment } = parts;
	const identity = { name: "weave_codex", version: VERSION };
	const selector = stack.use(createProviderSelector({ paths, env, clock, newId, identity }));
	const meter = stack.use(
		createBudgetMeter({
			store: createBudgetStore(store),
			...{ clock, logger },
			rules: createBudgetRules(paths.config, env),
		}),
	);
	const providers: ProviderSource = {
		resolve: (provider, model, overrides) => withBudget(selector.resolve(provider, model, overrides), meter),
		defaults: selector.defaults,
	};
	const notices = createEmitter<ThreadNotice>();
	const hooks = createHookRunner({ logger, telemetry });
	stack.use(registerToolTiming(hooks, telemetry));
	const mcp = stack.use(openMcp(world, parts, { selector, notices }));
	const tools = openTools(world, parts, { selector, mcp, notices });
	const workerUrl = entryUrl("code-worker", "./agent/code-mode/worker-entry.ts");
	const codeMode = stack.use(createCodeMode({ workerUrl, clock, newId }));
	const backend = stack.use(openBackend(world, parts));
	const git = createGit(env);
	const runner = createEmbeddedRunner({
		...{ store, publish, clock, newId, random, environment, providers, hooks, logger, telemetry, fault },
		runTurn: backend.runTurn,
		isEmbedded: backend.isEmbedded,
		tools: codeMode.wrap(tools.source),
		commands: commandsOf(tools, backend),
		loopSettings: () => selector.settingsFor(),
		prelude: createPreludeBuilder({
			...{ clock, env, codexHome: paths.codexHome, environment },
			settings: () => selector.promptSettings(),
		}),
		recorder: world.flags.isEnabled("record_runs")
			? createRecorder({ folder: join(paths.home, "recordings"), clock, logger })
			: undefined,
		gitHead: (cwd) => findGitHead({ readText: environment.readText, askGit: git.head }, cwd),
		mergeBase: git.mergeBase,
		isProcessAlive: (pid, startTime) => startTime !== null && isSameProcess({ pid, start_time: startTime }),
	});
	stack.use(runner);
	function leave(threadId: string): void {
		codeMode.forget(threadId);
		void mcp.close(threadId);
	}
	stack.use(runner.onThreadDeleted(leave));
	stack.use(runner.onThreadChanged((thread) => (thread.archived ? leave(thread.thread_id) : undefined)));
	const setting = (name: "background.provider" | "background.model"): string | null => {
		const value = readConfig(paths.config, env).get(name);
		return typeof value === "string" ? value : null;
	};
	const background = stack.use(
		createBackgroundRunner({
			resolve: providers.resolve,
			settings: () => ({ provider: setting("background.provider"), model: setting("background.model") }),
			...{ clock, newId, logger },
		}),
	);
	stack.use(openTitles(world, { runner, selector, background }));
	const rollouts = stack.use(
		createRolloutLibrary({
			...{ store, clock, logger },
			codexHome: paths.codexHome,
			machineId: environment.machineId,
			version: CODEX_VERSION,
			provider: () => selector.defaults().provider,
			changed: runner.threadTouched,
		}),
	);
	return {
		...{ rollouts, notices },
		...{ selector, runner, meter, mcp, tools, background },
		[Symbol.asyncDispose]: () => stack.disposeAsync(),
	};
}
