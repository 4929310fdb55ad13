import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { createLocalEnvironment, type LocalEnvironment } from "#daemon/agent/local-environment.ts";
import { createTools } from "#daemon/agent/tool/index.ts";
import type { ApprovalOutcome, ApprovalRequest, Tool, ToolContext } from "#daemon/agent/tool.ts";
import { resolvePaths } from "#platform/paths.ts";

/** One thing a tool told its context, in order. */
export type Told =
	| {
			kind: "started" | "completed";
			item: { id: string; status: string; source?: unknown; processId?: unknown; [member: string]: unknown };
	  }
	| { kind: "output"; text: string }
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
	const [exec, patch] = createTools({
		newId: () => "0000-abcdef",
		protectedPaths: environment.protectedPaths,
		userHome: env.HOME,
	});
	if (exec === undefined || patch === undefined) throw new Error("tools are missing");
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
		exec,
		patch,
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
