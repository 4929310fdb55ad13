import { createDeferred } from "#base/deferred.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import { jsonFault } from "#daemon/agent/tool/json-fault.ts";
import type { Tool, ToolContext, ToolResult } from "#daemon/agent/tool.ts";
import { ABORTED_OUTPUT, abortedOutput, developerItem, outputItem, type ToolCall } from "./history.ts";
import { tellRawItem } from "./raw-events.ts";
import { remember, type Turn } from "./turn.ts";

/** The calls of one model response, running side by side. */
export interface ToolCalls {
	start(call: ToolCall): void;
	readonly count: number;
	/**
	 * Waits for all calls, but not beyond an interrupt or a result that stops the turn; then writes the outputs into the
	 * history, in the order of the calls. `stopped`: the turn ends without another model call.
	 */
	settle(): Promise<"done" | "stopped">;
}

const refusal = (output: string): ToolResult => ({ output, success: false, stopTurn: false });

function argumentError(call: ToolCall): string | null {
	if (call.custom) return null;
	try {
		JSON.parse(call.input);
		return null;
	} catch (error) {
		return `failed to parse function arguments: ${jsonFault(call.input) ?? String(error)}`;
	}
}

/** By its name; in a namespace by both, joined as model providers join them. */
function findTool(tools: readonly Tool[], { namespace, name }: ToolCall): Tool | undefined {
	const names = namespace === null ? [name] : [`${namespace}__${name}`, `${namespace}.${name}`, name];
	return names
		.map((each) => tools.find((tool) => tool.name === each))
		.find((tool): tool is Tool => tool !== undefined);
}

/** The context of one call, with an ear for the turn's diff. */
function contextOf(turn: Turn, callId: string): ToolContext {
	const context = turn.ports.toolContext(callId);
	const diff = (text: string): void => {
		turn.diff = text;
		context.items.diff(text);
	};
	return { ...context, items: { ...context.items, diff } };
}

async function runCall(turn: Turn, call: ToolCall): Promise<ToolResult> {
	const { tools, hooks, clock } = turn.ports;
	const tool = findTool(tools, call);
	if (tool === undefined) {
		const kind = call.custom ? "unsupported custom tool call" : "unsupported call";
		return refusal(`${kind}: ${call.namespace ?? ""}${call.name}`);
	}
	const invalid = argumentError(call);
	if (invalid !== null) return refusal(invalid);
	const about = {
		threadId: turn.input.threadId,
		turnId: turn.input.turnId,
		callId: call.callId,
		tool: call.name,
	};
	await hooks.run("before_tool_call", about);
	const startedMs = clock.monotonicMs();
	let result: ToolResult;
	try {
		result = await tool.execute(call.input, contextOf(turn, call.callId));
	} catch (error) {
		// A tool's own mistake must not take the turn down; the model may go another way.
		result = refusal(`${call.name} failed: ${error instanceof Error ? error.message : String(error)}`);
	}
	await hooks.run("after_tool_call", {
		...about,
		success: result.success,
		durationMs: clock.monotonicMs() - startedMs,
	});
	return result;
}

interface Outcome {
	readonly call: ToolCall;
	readonly result: ToolResult | null;
	readonly startedMs: number;
}

/** Calls that end by the interrupt itself (a question that nobody can answer any more) have this moment to say so. */
const nextTick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What the model reads of a call that the person broke off. */
function brokenOff(turn: Turn, { call, startedMs }: Outcome): string {
	return abortedOutput(call, turn.ports.clock.monotonicMs() - startedMs);
}

async function writeOutput(turn: Turn, outcome: Outcome): Promise<void> {
	const { call } = outcome;
	const result = outcome.result?.stopTurn === true ? null : outcome.result;
	const output: string | readonly ModelItem[] = result?.content ?? result?.output ?? brokenOff(turn, outcome);
	const { threadId, turnId } = turn.input;
	const sizeChars = typeof output === "string" ? output.length : JSON.stringify(output).length;
	const about = { threadId, turnId, callId: call.callId, tool: call.name, sizeChars };
	await turn.ports.hooks.run("tool_result_persist", about);
	for (const each of [output, ...(result?.extraOutputs ?? [])]) {
		const item = outputItem(call, each, turn.ports.newId);
		await remember(turn, [item]);
		await tellRawItem(turn, item, "ours");
	}
}

/** What tools have to tell the model beside their outputs: behind all of them, since nothing may part a call from its output. */
async function writeNotes(turn: Turn, outcomes: readonly Outcome[]): Promise<void> {
	for (const { result } of outcomes) {
		if (result?.developerNote === undefined) continue;
		const parts = [{ type: "input_text", text: result.developerNote }];
		await remember(turn, [developerItem(parts, `msg_${turn.ports.newId()}`)]);
	}
}

export function createToolCalls(turn: Turn): ToolCalls {
	const calls: (Outcome & { result: ToolResult | null; done: Promise<void> })[] = [];
	const stop = createDeferred<void>();
	let stopped = false;
	/** Free-form calls (patches, scripts) of one tool change what the next one builds on: one after the other. */
	const lanes = new Map<string, Promise<unknown>>();

	function begin(call: ToolCall): Promise<ToolResult> {
		if (!call.custom) return runCall(turn, call);
		const before = lanes.get(call.name);
		async function inTurn(): Promise<ToolResult> {
			await before;
			return stopped || turn.signal.aborted ? refusal(ABORTED_OUTPUT) : runCall(turn, call);
		}
		const run = before === undefined ? runCall(turn, call) : inTurn();
		lanes.set(
			call.name,
			run.catch(() => undefined),
		);
		return run;
	}

	return {
		start(call) {
			const startedMs = turn.ports.clock.monotonicMs();
			const entry: (typeof calls)[number] = { call, startedMs, result: null, done: Promise.resolve() };
			entry.done = begin(call).then((result) => {
				entry.result = result;
				if (!result.stopTurn) return;
				stopped = true;
				stop.resolve();
			});
			entry.done.catch(() => undefined);
			calls.push(entry);
		},
		get count() {
			return calls.length;
		},
		async settle() {
			if (calls.length === 0) return "done";
			const interrupted = createDeferred<void>();
			const onAbort = (): void => interrupted.resolve();
			turn.signal.addEventListener("abort", onAbort, { once: true });
			if (turn.signal.aborted) onAbort();
			await Promise.race([Promise.all(calls.map((entry) => entry.done)), stop.promise, interrupted.promise]);
			turn.signal.removeEventListener("abort", onAbort);
			if (turn.signal.aborted) await nextTick();
			// Taken once: a call that ends from here on must not change what was told.
			const outcomes = calls.map(({ call, result, startedMs }) => ({ call, result, startedMs }));
			for (const outcome of outcomes) await writeOutput(turn, outcome);
			await writeNotes(turn, outcomes);
			return outcomes.some(({ result }) => result?.stopTurn === true) ? "stopped" : "done";
		},
	};
}
