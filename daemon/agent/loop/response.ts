import { AppError } from "#base/app-error.ts";
import type { ModelEvent, ModelFailure } from "#daemon/agent/model.ts";
import type { TokenCounts } from "#protocol/codex-item.ts";
import { parseToolCall, withOutputs } from "./history.ts";
import type { ToolCalls } from "./tool-calls.ts";
import { createOpenItems, type OpenItems, remember, type Turn } from "./turn.ts";

/** How one model response ended. */
export type ResponseEnd =
	| { type: "completed"; usage: TokenCounts | null }
	| { type: "failed"; failure: ModelFailure }
	/** A message arrived; the rest of the stream is not wanted. */
	| { type: "steered" }
	| { type: "interrupted" };

const CLOSED: ModelFailure = {
	message: "stream disconnected before completion: stream closed before response.completed",
	codexErrorInfo: "other",
	additionalDetails: null,
	kind: "stream",
	retryAfterMs: null,
	httpStatusCode: null,
};

/** A provider that throws is refused for good: what it throws is a setting to correct, or a mistake of ours. */
function thrownFailure(error: unknown): ModelFailure {
	const message = error instanceof AppError ? error.message : `the model provider failed: ${String(error)}`;
	return { ...CLOSED, message, kind: "fatal" };
}

async function takeEvent(
	turn: Turn,
	event: ModelEvent,
	parts: { open: OpenItems; calls: ToolCalls },
): Promise<ResponseEnd | null> {
	switch (event.type) {
		case "item_started":
			await parts.open.start(event.item.id, event.item.kind, event.item.phase);
			return null;
		case "text_delta":
			await turn.ports.emit({ type: "message_delta", itemId: event.itemId, delta: event.delta });
			return null;
		case "reasoning_delta":
			await turn.ports.emit(event);
			return null;
		case "reasoning_part":
			return null;
		case "item_done": {
			const call = parseToolCall(event.item);
			await remember(turn, [event.item]);
			await parts.open.complete(event.item);
			if (call !== null) parts.calls.start(call);
			return null;
		}
		case "completed":
			return { type: "completed", usage: event.usage };
		case "failed":
			return { type: "failed", failure: event.failure };
	}
}

/**
 * Streams one model response and starts its calls as they come. Ends at once when `cut` or the turn's signal is aborted;
 * items that were open then stay open, and what was finished stays in the history.
 */
export async function streamResponse(turn: Turn, calls: ToolCalls, cut: AbortSignal): Promise<ResponseEnd> {
	const { input, ports, signal } = turn;
	const stop = AbortSignal.any([signal, cut]);
	const stopped = new Promise<null>((resolve) => {
		if (stop.aborted) resolve(null);
		else stop.addEventListener("abort", () => resolve(null), { once: true });
	});
	const ended = (): ResponseEnd => ({ type: signal.aborted ? "interrupted" : "steered" });
	if (stop.aborted) return ended();
	const request = {
		threadId: input.threadId,
		turnId: input.turnId,
		model: input.model,
		cwd: input.cwd,
		input: [...input.prelude, ...withOutputs(turn.history)],
		tools: ports.tools.map((tool) => tool.spec),
	};
	const open = createOpenItems(turn);
	const events = ports.provider.stream(request, stop)[Symbol.asyncIterator]();
	try {
		for (;;) {
			const next = events.next().catch((error: unknown) => ({ thrown: error }));
			const step = await Promise.race([next, stopped]);
			if (step === null || stop.aborted) return ended();
			if ("thrown" in step) return { type: "failed", failure: thrownFailure(step.thrown) };
			if (step.done) return { type: "failed", failure: CLOSED };
			const end = await takeEvent(turn, step.value, { open, calls });
			if (end !== null) return end;
		}
	} finally {
		// Not awaited: a provider that is slow to stop must not hold up an interrupt.
		events.return?.().then(undefined, () => undefined);
	}
}
