import { createDeferred } from "#base/deferred.ts";
import type { ToolResult } from "#daemon/agent/tool.ts";
import { ABORTED_OUTPUT, outputItem, type ToolCall } from "./history.ts";
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
		return `failed to parse function arguments: ${error instanceof Error ? error.message : String(error)}`;
	}
}

async function runCall(turn: Turn, call: ToolCall): Promise<ToolResult> {
	const { tools, hooks, clock } = turn.ports;
	const tool = tools.find((candidate) => candidate.name === call.name);
	if (tool === undefined) return refusal(`unsupported call: ${call.name}`);
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
		result = await tool.execute(call.input, turn.ports.toolContext(call.callId));
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

export function createToolCalls(turn: Turn): ToolCalls {
	const calls: { call: ToolCall; result: ToolResult | null; done: Promise<void> }[] = [];
	const stop = createDeferred<void>();

	return {
		start(call) {
			const entry: (typeof calls)[number] = { call, result: null, done: Promise.resolve() };
			entry.done = runCall(turn, call).then((result) => {
				entry.result = result;
				if (result.stopTurn) stop.resolve();
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
			// Taken once: a call that ends from here on must not change what was told.
			const outcomes = calls.map(({ call, result }) => ({ call, result }));
			for (const { call, result } of outcomes) {
				const output = result?.output ?? ABORTED_OUTPUT;
				const { threadId, turnId } = turn.input;
				const about = { threadId, turnId, callId: call.callId, tool: call.name, sizeChars: output.length };
				await turn.ports.hooks.run("tool_result_persist", about);
				await remember(turn, [outputItem(call, output)]);
			}
			return outcomes.some(({ result }) => result?.stopTurn === true) ? "stopped" : "done";
		},
	};
}
