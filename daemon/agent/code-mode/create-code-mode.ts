import { z } from "zod";
import { type Clock, waitMs } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import { defineTool, type Tool, type ToolContext, type ToolResult } from "#daemon/agent/tool.ts";
import type { ToolSource } from "#daemon/agent/tool-source.ts";
import type { Cell } from "./cell.ts";
import { execSpec, WAIT_SPEC } from "./description.ts";
import { type NestedTool, splitTools } from "./nested.ts";
import { cellResult } from "./output.ts";
import { DEFAULT_MAX_TOKENS, parseScript } from "./pragma.ts";
import { type CodeSession, createCodeSession, RUNNING_MAX } from "./session.ts";
import { createWorkerPool } from "./worker-pool.ts";
import type { SandboxLimits } from "./worker-protocol.ts";

export interface CodeModeOptions {
	/** Entry of the script threads: dist/code-worker.js, or worker-entry.ts when run from source. */
	readonly workerUrl: URL;
	readonly clock: Clock;
	readonly newId: NewId;
	/** For tests; absent members keep the defaults. */
	readonly limits?: Partial<SandboxLimits & { memoryBytes: number }>;
}

/** `exec` and `wait` over other tools, for models that are offered a script instead of single calls. */
export interface CodeMode extends AsyncDisposable {
	/** Leaves the tools of other models as they are. */
	wrap(inner: ToolSource): ToolSource;
	/** A thread that is gone: its scripts end and what they kept is dropped. */
	forget(threadId: string): void;
	/** Scripts that run now, for the daemon's status. */
	readonly running: number;
}

/** A minute of computing is far more than composing calls takes; 128 MB and 16 MB hold what tools give. */
const LIMITS = { memoryBytes: 128 * 1024 * 1024, cpuMs: 60_000, outputBytes: 16 * 1024 * 1024 };
const WAIT_YIELD_MS = 10_000;

const waitArguments = z.looseObject({
	cell_id: z.string(),
	max_tokens: z.number().int().nonnegative().optional(),
	terminate: z.boolean().optional(),
	yield_time_ms: z.number().int().nonnegative().optional(),
});

const refusal = (output: string): ToolResult => ({ output, success: false, stopTurn: false });

interface ReportRequest {
	readonly session: CodeSession;
	readonly cell: Cell;
	readonly context: ToolContext;
	readonly clock: Clock;
	readonly yieldMs: number;
	readonly maxTokens: number;
}

function headline(cell: Cell): string {
	return cell.state === "running" ? `Script running with cell ID ${cell.id}` : `Script ${cell.state}`;
}

/** Waits for the cell's end, its yield or the time, and tells what came of it since the last report. */
async function report({
	session,
	cell,
	context,
	clock,
	yieldMs,
	maxTokens,
}: ReportRequest): Promise<ToolResult> {
	const startedMs = clock.monotonicMs();
	const enough = new AbortController();
	const waited = waitMs(clock, yieldMs, AbortSignal.any([context.signal, enough.signal]));
	await Promise.race([cell.reportable(), waited.catch(() => undefined)]);
	enough.abort();
	await waited.catch(() => undefined);
	if (context.signal.aborted) {
		cell.end();
		session.close(cell);
		return { ...refusal("aborted by user"), stopTurn: true };
	}
	const { state, stopTurn } = cell;
	if (state !== "running") session.close(cell);
	if (stopTurn !== null) return { ...stopTurn, stopTurn: true };
	return cellResult({
		headline: headline(cell),
		wallMs: clock.monotonicMs() - startedMs,
		...cell.take(),
		maxTokens,
		success: state === "running" || state === "completed",
	});
}

function createExec(session: CodeSession, tools: readonly NestedTool[], clock: Clock): Tool {
	return defineTool({
		name: "exec",
		spec: execSpec(tools),
		async execute(input, context) {
			const script = parseScript(input);
			if (script.type === "failed") return refusal(script.message);
			if (session.running >= RUNNING_MAX)
				return refusal("too many scripts still run; end one with wait and terminate: true");
			using _attached = session.attach(context);
			const cell = session.start(script.source, tools);
			const { yieldMs, maxTokens } = script;
			return await report({ session, cell, context, clock, yieldMs, maxTokens });
		},
	});
}

function parseWait(input: string): z.infer<typeof waitArguments> | string {
	const args: unknown = JSON.parse(input);
	const parsed = waitArguments.safeParse(args);
	if (parsed.success) return parsed.data;
	const [issue] = parsed.error.issues;
	const name = String(issue?.path[0] ?? "");
	const missing = issue?.code === "invalid_type" && !Object.hasOwn(Object(args), name);
	const said = missing ? `missing field \`${name}\`` : `invalid \`${name}\``;
	return `failed to parse function arguments: ${said} at line 1 column ${input.length}`;
}

function createWait(session: CodeSession, clock: Clock): Tool {
	return defineTool({
		name: "wait",
		spec: WAIT_SPEC,
		async execute(input, context) {
			const args = parseWait(input);
			if (typeof args === "string") return refusal(args);
			const cell = session.find(args.cell_id);
			const maxTokens = args.max_tokens ?? DEFAULT_MAX_TOKENS;
			if (cell === undefined) {
				const text = `Script error:\nexec cell ${args.cell_id} not found`;
				return cellResult({
					headline: "Script failed",
					wallMs: 0,
					parts: [{ type: "text", text }],
					maxTokens,
					success: false,
					notifications: [],
				});
			}
			using _attached = session.attach(context);
			if (args.terminate === true) cell.end();
			const yieldMs = args.yield_time_ms ?? WAIT_YIELD_MS;
			return await report({ session, cell, context, clock, yieldMs, maxTokens });
		},
	});
}

/** Nothing of the interpreter is loaded before the first script; whoever makes it disposes it, which ends every script. */
export function createCodeMode({ workerUrl, clock, newId, limits }: CodeModeOptions): CodeMode {
	const { memoryBytes, ...bounds } = { ...LIMITS, ...limits };
	const pool = createWorkerPool({ url: workerUrl, clock, memoryBytes });
	const sessions = new Map<string, CodeSession>();

	function sessionOf(threadId: string): CodeSession {
		const known = sessions.get(threadId);
		if (known !== undefined) return known;
		const session = createCodeSession({ pool, newId, limits: bounds });
		sessions.set(threadId, session);
		return session;
	}

	function forget(threadId: string): void {
		sessions.get(threadId)?.[Symbol.dispose]();
		sessions.delete(threadId);
	}

	return {
		wrap: (inner) => async (request) => {
			const tools = await inner(request);
			if (request.model.toolMode !== "code") return tools;
			const session = sessionOf(request.threadId);
			const { nested, direct } = splitTools(tools);
			return [createExec(session, nested, clock), createWait(session, clock), ...direct];
		},
		forget,
		get running() {
			return [...sessions.values()].reduce((sum, session) => sum + session.running, 0);
		},
		async [Symbol.asyncDispose]() {
			for (const threadId of [...sessions.keys()]) forget(threadId);
			await pool[Symbol.asyncDispose]();
		},
	};
}
