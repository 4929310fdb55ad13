import { type Clock, systemClock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import type { ThreadSettings } from "#protocol/record.ts";
import type { ProtectedPaths } from "../../policy/protected.ts";
import type { RuleBook } from "../../policy/rule-book.ts";
import { createToolSearch } from "../mcp/search.ts";
import type { Tool } from "../tool.ts";
import { joinToolSources, type ToolSetRequest, type ToolSource } from "../tool-source.ts";
import { createApplyPatch } from "./apply-patch.ts";
import { type RunUserCommand, userCommandRunner } from "./command/user-command.ts";
import { createDynamicTools } from "./dynamic-tools.ts";
import { createExecCommand } from "./exec-command.ts";
import { createGoalTools, type GoalStore } from "./goal-tools.ts";
import { createWebSearch } from "./hosted.ts";
import { createRequestUserInput } from "./request-user-input.ts";
import type { ToolServices } from "./services.ts";
import { createCommandSessions, type RunningCommands } from "./session/running-commands.ts";
import { createUpdatePlan } from "./update-plan.ts";
import { createViewImage } from "./view-image.ts";
import { createWriteStdin } from "./write-stdin.ts";

export interface ToolOptions {
	readonly newId: NewId;
	/** As the environment hides them (`LocalEnvironment.protectedPaths`). */
	readonly protectedPaths: ProtectedPaths;
	/** Absolute path; /bin/bash by default. */
	readonly shell?: string;
	/** The person's home, to read `~` in a command. */
	readonly userHome?: string | undefined;
	/** Whether sandboxed commands may use the network where the thread says nothing; no by default. */
	readonly networkAccess?: boolean;
	readonly clock?: Clock;
	/** None: no rules, and none can be laid down. */
	readonly rules?: RuleBook;
	/** None: goals live as long as the daemon. */
	readonly goals?: GoalStore;
	/** config.toml's `tools.update_plan.enabled`; a thread's own config counts first. */
	isPlanToolEnabled?(request: ToolSetRequest): boolean;
	/** Further tools of a turn, behind the agent's own (MCP); what of them is deferred is found by `tool_search`. */
	readonly more?: ToolSource;
}

/** What the agent can do, and what of it still runs. */
export interface AgentTools {
	readonly source: ToolSource;
	readonly running: RunningCommands;
	readonly runUserCommand: RunUserCommand;
}

const NO_RULES: RuleBook = { current: () => [], allow: () => Promise.resolve() };

function createServices(options: ToolOptions): ToolServices {
	return {
		newId: options.newId,
		clock: options.clock ?? systemClock,
		sessions: createCommandSessions(),
		rules: options.rules ?? NO_RULES,
		protectedPaths: options.protectedPaths,
		shell: options.shell ?? "/bin/bash",
		userHome: options.userHome,
		networkAccess: options.networkAccess ?? false,
		warned: new Set(),
		moves: new WeakMap<object, Map<string, string>>(),
	};
}

/** Every tool of the agent, in the order in which models are told of them. */
export function createAgentTools(options: ToolOptions): AgentTools {
	const services = createServices(options);
	const exec = createExecCommand(services);
	const stdin = createWriteStdin(services);
	const patch = createApplyPatch(services);
	const image = createViewImage(services);
	const plan = createUpdatePlan();
	const goalTools = createGoalTools(options.goals ?? memoryGoals());
	const webSearch = createWebSearch();

	function first(request: ToolSetRequest): Tool[] {
		const tools = [exec, stdin];
		if (isPlanOffered(request, options)) tools.push(plan);
		tools.push(createRequestUserInput(request.mode));
		if (request.model.isUnknown !== true) tools.push(patch);
		if (request.model.takesImages) tools.push(image);
		// A review works alone: it has no goal, and looks at what is here.
		return request.kind === "review" ? tools : [...tools, ...goalTools];
	}

	const own: ToolSource = (request) => Promise.resolve(first(request));
	const dynamic: ToolSource = (request) =>
		Promise.resolve(request.kind === "review" ? [] : createDynamicTools(request.settings, request.model));
	const more: ToolSource = options.more ?? (() => Promise.resolve([]));
	const brought = joinToolSources([dynamic, more]);
	return {
		async source(request) {
			if (request.kind === "review") return own(request);
			const others = (await brought(request)).filter((tool) => tool.name !== "tool_search");
			// One search over everything deferred, whoever brought it.
			const search = request.model.toolSearch === true ? [createToolSearch(others.filter(isDeferred))] : [];
			return joinToolSources([own, () => Promise.resolve([...others, ...search, webSearch])])(request);
		},
		running: services.sessions,
		runUserCommand: userCommandRunner(services),
	};
}

/** `defer_loading` in the function itself, also inside a namespace. */
function isDeferred(tool: Tool): boolean {
	const inner = tool.spec["tools"];
	const specs: readonly unknown[] = Array.isArray(inner) ? inner : [tool.spec];
	return specs.some((spec) => typeof spec === "object" && spec !== null && "defer_loading" in spec);
}

function isPlanOffered(request: ToolSetRequest, options: ToolOptions): boolean {
	const own = planSetting(request.settings);
	return own ?? options.isPlanToolEnabled?.(request) ?? false;
}

/** The thread's own override, by dotted key or nested. */
function planSetting({ config }: ThreadSettings): boolean | undefined {
	let at: unknown = config?.["tools.update_plan.enabled"] ?? config;
	for (const key of ["tools", "update_plan", "enabled"]) {
		if (typeof at !== "object" || at === null) break;
		at = (at as Record<string, unknown>)[key];
	}
	return typeof at === "boolean" ? at : undefined;
}

function memoryGoals(): GoalStore {
	const goals = new Map<string, unknown>();
	return {
		read: (threadId) => Promise.resolve(goals.get(threadId) ?? null),
		write: (threadId, goal) => Promise.resolve(void goals.set(threadId, goal)),
	};
}
