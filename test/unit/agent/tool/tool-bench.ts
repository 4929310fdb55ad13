import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { createLocalEnvironment, type LocalEnvironment } from "#daemon/agent/local-environment.ts";
import { type AgentTools, createAgentTools } from "#daemon/agent/tool/index.ts";
import type {
	ApprovalOutcome,
	ApprovalRequest,
	ClientQuestion,
	Tool,
	ToolContext,
} from "#daemon/agent/tool.ts";
import type { ToolSetRequest } from "#daemon/agent/tool-source.ts";
import { createRuleBook } from "#daemon/policy/rule-book.ts";
import { resolvePaths } from "#platform/paths.ts";

/** A turn in plan mode of a model that takes everything. */
export const TOOL_REQUEST: ToolSetRequest = {
	threadId: "thread",
	cwd: "/",
	kind: "regular",
	mode: "plan",
	settings: {},
	model: {
		id: "m",
		toolMode: "classic",
		toolsInInput: false,
		contextWindow: null,
		autoCompactTokens: null,
		baseInstructions: null,
		supportsParallelToolCalls: true,
		takesImages: true,
		defaultEffort: null,
		toolNamespaces: true,
		toolSearch: true,
	},
};

/** One thing a tool told its context, in order. */
export type Told =
	| {
			kind: "started" | "completed";
			item: {
				id: string;
				status?: unknown;
				source?: unknown;
				processId?: unknown;
				[member: string]: unknown;
			};
	  }
	| { kind: "output"; text: string }
	| { kind: "input"; processId: string; text: string }
	| { kind: "plan"; steps: readonly unknown[] }
	| { kind: "question"; question: ClientQuestion }
	| { kind: "diff"; diff: string }
	| { kind: "ask"; request: ApprovalRequest }
	| { kind: "intend" | "spawned" | "done"; detail: Readonly<Record<string, unknown>> };

export interface ToolBench extends AsyncDisposable {
	readonly root: string;
	readonly cwd: string;
	readonly environment: LocalEnvironment;
	readonly told: Told[];
	readonly exec: Tool;
	readonly patch: Tool;
	readonly agent: AgentTools;
	/** A tool of a turn in plan mode; throws when it is not offered. */
	tool(name: string): Tool;
	readonly context: ToolContext;
	/** A context that differs in some members. */
	with(changes: Partial<ToolContext>): ToolContext;
	/** What was told, by kind and status, for comparing an order. */
	order(): string[];
}

/** A real folder, a real environment, and a context that writes down what it hears. */
export async function createToolBench(
	answer: (request: ApprovalRequest) => Promise<ApprovalOutcome> = () =>
		Promise.resolve({ decision: "accept", resolvedBy: "test" }),
): Promise<ToolBench> {
	const root = await realpath(await mkdtemp(join(tmpdir(), "weave-tool-")));
	const cwd = join(root, "work");
	const homes = {
		HOMIE_HOME: join(root, "homie"),
		WEAVE_HOME: join(root, "weave"),
		CODEX_HOME: join(root, "codex"),
	};
	for (const folder of [cwd, join(root, "user"), ...Object.values(homes)])
		await mkdir(folder, { recursive: true });
	const env = { PATH: process.env["PATH"], HOME: join(root, "user"), ...homes };
	const environment = await createLocalEnvironment({
		machineId: "local",
		paths: resolvePaths(env),
		env,
		clock: systemClock,
	});
	const agent = createAgentTools({
		newId: () => "0000-abcdef",
		protectedPaths: environment.protectedPaths,
		userHome: env.HOME,
		rules: createRuleBook({ codexHome: homes.CODEX_HOME }),
	});
	const tools = await agent.source(TOOL_REQUEST);
	const tool = (name: string): Tool => {
		const found = tools.find((one) => one.name === name);
		if (found === undefined) throw new Error(`there is no tool ${name}`);
		return found;
	};
	const told: Told[] = [];
	function note(one: Told): Promise<void> {
		told.push(one);
		return Promise.resolve();
	}
	const context: ToolContext = {
		threadId: "thread",
		turnId: "turn",
		callId: "call",
		cwd,
		env: { PATH: env.PATH ?? "", HOME: env.HOME },
		approvalPolicy: "on-request",
		sandbox: "workspace-write",
		environment,
		signal: new AbortController().signal,
		sessionGrants: new Set(),
		turnBaseline: new Map(),
		items: {
			started: (item) => note({ kind: "started", item }),
			output: (_itemId, text) => void note({ kind: "output", text }),
			completed: (item) => note({ kind: "completed", item }),
			diff: (diff) => void note({ kind: "diff", diff }),
			input: (_itemId, processId, text) => void note({ kind: "input", processId, text }),
			plan: (_explanation, steps) => void note({ kind: "plan", steps }),
		},
		effects: {
			intend: ({ detail }) => note({ kind: "intend", detail }),
			started: (_itemId, detail) => note({ kind: "spawned", detail }),
			done: (_itemId, detail) => note({ kind: "done", detail }),
		},
		async requestApproval(request) {
			await note({ kind: "ask", request });
			return answer(request);
		},
		nowMs: () => Date.now(),
	};
	return {
		root,
		cwd,
		environment,
		told,
		exec: tool("exec_command"),
		patch: tool("apply_patch"),
		agent,
		tool,
		context,
		with: (changes) => ({ ...context, ...changes }),
		order: () =>
			told
				.filter((one) => one.kind !== "output")
				.map((one) => ("item" in one ? `${one.kind}:${one.item.status}` : one.kind)),
		async [Symbol.asyncDispose]() {
			await environment[Symbol.asyncDispose]();
			await rm(root, { recursive: true, force: true });
		},
	};
}

/** The last item that was completed; throws when there is none. */
export function lastItem(told: readonly Told[]): Extract<Told, { item: unknown }>["item"] {
	const found = told.findLast((one) => one.kind === "completed");
	if (found === undefined || !("item" in found)) throw new Error("no item was completed");
	return found.item;
}
