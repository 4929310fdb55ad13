import { AppError } from "#base/app-error.ts";
import type { ModelEvent, ModelFailure, ModelItem, ModelRequest } from "#daemon/agent/model.ts";
import { functionNamespace, requestSpecs } from "#daemon/agent/tool-specs.ts";
import type { TokenCounts } from "#protocol/codex-item.ts";
import { requestInput } from "./context.ts";
import { withOutputs } from "./history.ts";
import type { Turn } from "./turn.ts";

/** How one model response ended. */
export type ResponseEnd =
	| { type: "completed"; usage: TokenCounts | null; responseId: string | null }
	| { type: "failed"; failure: ModelFailure }
	/** A message arrived; the rest of the stream is not wanted. */
	| { type: "steered" }
	| { type: "interrupted" };

/** `begun`: the server had accepted the request, so usage and limits are told at its end, whatever the end. */
export interface Streamed {
	end: ResponseEnd;
	begun: boolean;
}

const CLOSED: ModelFailure = {
	message: "stream disconnected before completion: stream closed before response.completed",
	codexErrorInfo: "other",
	additionalDetails: null,
	kind: "stream",
	retryAfterMs: null,
	httpStatusCode: null,
};

/** Failures that only a running stream reports. */
const IN_STREAM: ReadonlySet<unknown> = new Set([
	"serverOverloaded",
	"contextWindowExceeded",
	"usageLimitExceeded",
]);

/** A provider that throws is refused for good: what it throws is a setting to correct, or a mistake of ours. */
function thrownFailure(error: unknown): ModelFailure {
	const message = error instanceof AppError ? error.message : `the model provider failed: ${String(error)}`;
	return { ...CLOSED, message, kind: "fatal" };
}

const failedInStream = (failure: ModelFailure): boolean =>
	(failure.kind === "stream" && failure.httpStatusCode === null) || IN_STREAM.has(failure.codexErrorInfo);

/** The request for the conversation as it is now. */
export function requestOf(turn: Turn, kind: NonNullable<ModelRequest["kind"]>): ModelRequest {
	const { input, ports } = turn;
	const conversation = requestInput(input.prelude, withOutputs(turn.history));
	const specs = requestSpecs(ports.tools);
	const tools = functionNamespace(specs);
	// The same in each request of the thread, so that requests keep their common prefix.
	const told = { type: "additional_tools", id: `at_${input.threadId}`, role: "developer", tools };
	return {
		threadId: input.threadId,
		turnId: input.turnId,
		model: input.model,
		cwd: input.cwd,
		input: turn.model.toolsInInput ? [told, ...conversation] : conversation,
		tools: specs,
		kind,
		windowNumber: turn.windowNumber,
		...(input.options === undefined ? {} : { options: input.options }),
	};
}

function endOf(event: ModelEvent): ResponseEnd | null {
	if (event.type === "failed") return { type: "failed", failure: event.failure };
	if (event.type !== "completed") return null;
	return { type: "completed", usage: event.usage, responseId: event.responseId ?? null };
}

/**
 * Reads one response to its end and hands on every event before it. Ends at once when `cut` or the turn's signal is
 * aborted; the provider is not waited for.
 */
export async function readStream(
	turn: Turn,
	request: ModelRequest,
	cut: AbortSignal,
	take: (event: ModelEvent) => Promise<void>,
): Promise<Streamed> {
	const { signal } = turn;
	const stop = AbortSignal.any([signal, cut]);
	const stopped = new Promise<null>((resolve) => {
		if (stop.aborted) resolve(null);
		else stop.addEventListener("abort", () => resolve(null), { once: true });
	});
	const ended = (): ResponseEnd => ({ type: signal.aborted ? "interrupted" : "steered" });
	if (stop.aborted) return { end: ended(), begun: false };
	const events = turn.ports.provider.stream(request, stop)[Symbol.asyncIterator]();
	let begun = false;
	try {
		for (;;) {
			const next = events.next().catch((error: unknown) => ({ thrown: error }));
			const step = await Promise.race([next, stopped]);
			if (step === null || stop.aborted) return { end: ended(), begun: true };
			if ("thrown" in step) return { end: { type: "failed", failure: thrownFailure(step.thrown) }, begun };
			if (step.done) return { end: { type: "failed", failure: CLOSED }, begun: true };
			const event = step.value;
			if (event.type === "rate_limits") turn.rateLimits = event.rateLimits;
			begun ||= event.type !== "failed" || failedInStream(event.failure);
			const end = endOf(event);
			if (end !== null) return { end, begun };
			await take(event);
		}
	} finally {
		// Not awaited: a provider that is slow to stop must not hold up an interrupt.
		events.return?.().then(undefined, () => undefined);
	}
}

/** A response of which only the finished items count; nothing of it is told. */
export async function collectResponse(
	turn: Turn,
	request: ModelRequest,
): Promise<Streamed & { items: ModelItem[] }> {
	const items: ModelItem[] = [];
	const never = new AbortController().signal;
	const streamed = await readStream(turn, request, never, async (event) => {
		if (event.type === "item_done") items.push(event.item);
	});
	return { ...streamed, items };
}
