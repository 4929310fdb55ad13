import { systemClock } from "#base/clock.ts";
import { newId } from "#base/id.ts";
import { type CodeMode, createCodeMode } from "#daemon/agent/code-mode/create-code-mode.ts";
import type { ModelDescription } from "#daemon/agent/model.ts";
import { defineTool, type Tool, type ToolContext, type ToolResult } from "#daemon/agent/tool.ts";
import type { ToolSetRequest } from "#daemon/agent/tool-source.ts";

const model: ModelDescription = {
	id: "test",
	toolMode: "code",
	toolsInInput: true,
	contextWindow: null,
	autoCompactTokens: null,
	baseInstructions: null,
	supportsParallelToolCalls: false,
	takesImages: true,
	defaultEffort: null,
};

export const request: ToolSetRequest = {
	threadId: "thread",
	cwd: "/",
	kind: "regular",
	model,
	settings: {},
	mode: "default",
};

export interface SeenCall {
	tool: string;
	input: string;
	callId: string;
}

export interface CodeBench extends AsyncDisposable {
	readonly mode: CodeMode;
	readonly calls: SeenCall[];
	exec(source: string, signal?: AbortSignal): Promise<ToolResult>;
	wait(args: Record<string, unknown>, signal?: AbortSignal): Promise<ToolResult>;
	tools(over?: Partial<ToolSetRequest>): Promise<readonly Tool[]>;
}

/** Only what the code mode itself looks at; tools of this bench need no more. */
function contextOf(callId: string, signal: AbortSignal): ToolContext {
	return { threadId: "thread", turnId: "turn", callId, signal } as unknown as ToolContext;
}

export const texts = (result: ToolResult): string[] =>
	(result.content ?? []).slice(1).map((part) => String(part["text"] ?? part["image_url"]));
export const head = (result: ToolResult): string =>
	String(result.content?.[0]?.["text"] ?? result.output).split("\n")[0] ?? "";

const specOf = (name: string) => ({
	type: "function",
	name,
	description: `The ${name} tool.`,
	parameters: {
		type: "object",
		properties: { cmd: { type: "string", description: "What to run." }, n: { type: "integer" } },
		required: ["cmd"],
	},
});

export type Answer = (input: string, context: ToolContext) => ToolResult | Promise<ToolResult>;
export const answer = (output: string, more: Partial<ToolResult> = {}): ToolResult => ({
	output,
	success: true,
	stopTurn: false,
	...more,
});

/** Code mode over scripted tools, with the real interpreter in a real thread. */
export function createCodeBench(
	answers: Readonly<Record<string, Answer>> = {},
	limits: NonNullable<Parameters<typeof createCodeMode>[0]["limits"]> = {},
	more: readonly Tool[] = [],
): CodeBench {
	const calls: SeenCall[] = [];
	const tools = Object.entries(answers).map(([name, say]) =>
		defineTool({
			name,
			spec: name === "apply_patch" ? { type: "custom", name, description: "Patches." } : specOf(name),
			execute(input, context) {
				calls.push({ tool: name, input, callId: context.callId });
				return Promise.resolve(say(input, context));
			},
		}),
	);
	const mode = createCodeMode({
		workerUrl: new URL("../../../../daemon/agent/code-mode/worker-entry.ts", import.meta.url),
		clock: systemClock,
		newId,
		limits,
	});
	const source = mode.wrap(() => Promise.resolve([...tools, ...more]));
	let serial = 0;

	async function run(name: string, input: string, signal?: AbortSignal): Promise<ToolResult> {
		const offered = await source(request);
		const tool = offered.find((candidate) => candidate.name === name);
		if (tool === undefined) throw new Error(`${name} is not offered`);
		serial += 1;
		return tool.execute(input, contextOf(`call_${serial}`, signal ?? new AbortController().signal));
	}
	return {
		mode,
		calls,
		exec: (script, signal) => run("exec", script, signal),
		wait: (args, signal) => run("wait", JSON.stringify(args), signal),
		tools: (over = {}) => source({ ...request, ...over }),
		[Symbol.asyncDispose]: () => mode[Symbol.asyncDispose](),
	};
}
