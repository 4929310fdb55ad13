import type { ModelEvent, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import { OFFLINE_PROVIDER_NAME } from "#daemon/agent/provider/offline/provider.ts";
import type { TokenCounts } from "#protocol/codex-item.ts";
import type { BudgetCall, BudgetHit, BudgetMeter } from "./meter.ts";

/** Characters to a token where nobody counted; English prose and code are near it. */
const CHARS_PER_TOKEN = 4;

function failed(hit: BudgetHit): ModelEvent {
	return {
		type: "failed",
		failure: {
			kind: "fatal",
			message: hit.message.replace(/^BUDGET_EXCEEDED: /, ""),
			codexErrorInfo: "usageLimitExceeded",
			additionalDetails: hit.message,
			retryAfterMs: null,
			httpStatusCode: null,
		},
	};
}

function estimate(request: ModelRequest, outputChars: number): TokenCounts {
	const inputTokens = Math.ceil(JSON.stringify([request.input, request.tools]).length / CHARS_PER_TOKEN);
	const outputTokens = Math.ceil(outputChars / CHARS_PER_TOKEN);
	return {
		totalTokens: inputTokens + outputTokens,
		inputTokens,
		cachedInputTokens: 0,
		cacheWriteInputTokens: 0,
		outputTokens,
		reasoningOutputTokens: 0,
	};
}

const charsOf = (event: ModelEvent): number =>
	event.type === "text_delta" || event.type === "reasoning_delta" || event.type === "reasoning_text_delta"
		? event.delta.length
		: 0;

/**
 * The same provider behind the meter: a call over a budget fails before it is made, and what a call cost is counted also
 * when it is cut. A call that failed before anything came counts nothing; the offline agent is free.
 */
export function withBudget(provider: ModelProvider, meter: BudgetMeter): ModelProvider {
	async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
		const call: BudgetCall = {
			threadId: request.threadId,
			turnId: request.turnId,
			provider: provider.name,
			model: request.model ?? provider.defaultModel ?? provider.describe(request.model).id,
			background: request.kind === "background",
		};
		const hit = meter.admit(call);
		if (hit !== null) {
			yield failed(hit);
			return;
		}
		using reserved = meter.reserve(call, () => estimate(request, 0));
		let counted = false;
		let began = false;
		let chars = 0;
		try {
			for await (const event of provider.stream(request, signal)) {
				began ||= event.type !== "failed" && event.type !== "rate_limits";
				chars += charsOf(event);
				if (event.type === "completed") {
					reserved[Symbol.dispose]();
					meter.spend(call, event.usage ?? estimate(request, chars));
					counted = true;
				}
				yield event;
			}
		} finally {
			if (began && !counted) meter.spend(call, estimate(request, chars));
		}
	}
	return provider.name === OFFLINE_PROVIDER_NAME ? provider : { ...provider, stream };
}
