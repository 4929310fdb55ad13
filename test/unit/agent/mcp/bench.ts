import { tmpdir } from "node:os";
import { systemClock } from "#base/clock.ts";
import { createMcpServers, type McpServers } from "#daemon/agent/mcp/create-mcp-servers.ts";
import type { ModelDescription } from "#daemon/agent/model.ts";
import type { ClientAnswer, ClientQuestion, Tool, ToolContext, ToolResult } from "#daemon/agent/tool.ts";
import type { ToolItem } from "#protocol/codex-item.ts";
import { EXAMPLE_SERVER } from "../../../support/mcp/http-server.ts";

export const model: ModelDescription = {
	id: "test",
	toolMode: "classic",
	toolsInInput: false,
	contextWindow: null,
	autoCompactTokens: null,
	baseInstructions: null,
	supportsParallelToolCalls: true,
	takesImages: true,
	defaultEffort: null,
};
export const example = { command: process.execPath, args: [EXAMPLE_SERVER] };

export interface McpBench extends AsyncDisposable {
	readonly servers: McpServers;
	readonly table: Record<string, unknown>;
	/** `NAME STATUS` as told to clients, with the error. */
	readonly told: { thread: string; name: string; status: string; error: string | null }[];
	readonly items: { event: "started" | "completed"; item: ToolItem }[];
	readonly questions: ClientQuestion[];
	readonly effects: string[];
	/** What the person allowed for good. */
	readonly allowed: string[];
	tools(
		over?: Partial<ModelDescription>,
		thread?: string,
		config?: Record<string, unknown>,
	): Promise<readonly Tool[]>;
	call(tool: string, args?: unknown, over?: Partial<ToolContext>): Promise<ToolResult>;
}

export interface McpBenchOptions {
	table: Record<string, unknown>;
	env?: Record<string, string>;
	/** What the person answers, one after the other. */
	answers?: ClientAnswer[];
}

/** The servers of a thread as the runner has them, every event kept. */
export function createMcpBench({ table, env = {}, answers = [] }: McpBenchOptions): McpBench {
	const told: McpBench["told"] = [];
	const items: McpBench["items"] = [];
	const questions: ClientQuestion[] = [];
	const effects: string[] = [];
	const allowed: string[] = [];
	const servers = createMcpServers({
		clock: systemClock,
		version: "0.0.0",
		// A busy machine takes longer than a second to start one.
		startWaitMs: 30_000,
		defaultCwd: tmpdir(),
		table: () => table,
		env: () => ({ PATH: process.env["PATH"], SECRET_OF_OURS: "no", ...env }),
		allowForGood: (server, tool) => Promise.resolve(void allowed.push(`${server} ${tool}`)),
		notify: (thread, _method, params) => {
			const { name, status, error } = params as unknown as McpBench["told"][number];
			told.push({ thread, name, status, error });
		},
	});
	let serial = 0;

	function context(over: Partial<ToolContext>): ToolContext {
		serial += 1;
		return {
			threadId: "thread",
			turnId: "turn",
			callId: `call_${serial}`,
			approvalPolicy: "on-request",
			sandbox: "workspace-write",
			signal: new AbortController().signal,
			items: {
				started: (item: ToolItem) => void items.push({ event: "started", item }),
				completed: (item: ToolItem) => void items.push({ event: "completed", item }),
			},
			effects: {
				intend: ({ kind }: { kind: string }) => void effects.push(`intend ${kind}`),
				done: () => void effects.push("done"),
			},
			askClient: (question: ClientQuestion) => {
				questions.push(question);
				return Promise.resolve(answers.shift() ?? { type: "failed", message: "nobody" });
			},
			nowMs: () => Date.now(),
			...over,
		} as unknown as ToolContext;
	}

	const tools: McpBench["tools"] = (over = {}, threadId = "thread", config) =>
		servers.source({
			threadId,
			cwd: tmpdir(),
			kind: "regular",
			model: { ...model, ...over },
			settings: config === undefined ? {} : { config },
			mode: "default",
		});
	return {
		servers,
		table,
		told,
		items,
		questions,
		effects,
		allowed,
		tools,
		async call(name, args = {}, over = {}) {
			const tool = (await tools()).find((each) => each.name === name);
			if (tool === undefined) throw new Error(`${name} is not offered`);
			return tool.execute(JSON.stringify(args), context(over));
		},
		[Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
	};
}
