import type { TokenCounts } from "#protocol/codex-item.ts";

/**
 * History items in the Responses API's own shapes, kept verbatim (encrypted reasoning included) so that consecutive
 * requests share their prefix. Loose by nature: a provider's items are passed through.
 */
export type ModelItem = { readonly type: string; readonly [member: string]: unknown };

export interface ModelRequest {
	threadId: string;
	turnId: string;
	model: string | null;
	/** The thread's folder; the offline provider works in it, the others ignore it. */
	cwd: string;
	/** Prompt sections (developer, user context), then history. */
	input: readonly ModelItem[];
	tools: readonly ModelItem[];
}

/** What a provider streams. It never throws for expected failures: those are `failed`. Ends after `completed` or `failed`. */
export type ModelEvent =
	| { type: "item_started"; item: { id: string; kind: "message" | "reasoning"; phase: string | null } }
	| { type: "text_delta"; itemId: string; delta: string }
	| { type: "reasoning_part"; itemId: string; summaryIndex: number }
	| { type: "reasoning_delta"; itemId: string; summaryIndex: number; delta: string }
	/** A finished item, verbatim: message, reasoning, function_call, custom_tool_call, ... */
	| { type: "item_done"; item: ModelItem }
	| { type: "completed"; usage: TokenCounts | null }
	| { type: "failed"; failure: ModelFailure };

export interface ModelFailure {
	message: string;
	/** codex.md section 2, Errors: e.g. "unauthorized", {responseStreamDisconnected:{httpStatusCode:null}}, "other". */
	codexErrorInfo: unknown;
	additionalDetails: string | null;
	/**
	 * `request`: failed before a byte came, retried silently first; `stream`: told and retried; `network`: nobody listens
	 * there or no route, retried until interrupted; `fatal` is not retried.
	 */
	kind: "request" | "stream" | "network" | "fatal";
	retryAfterMs: number | null;
	/** Told with each retry; null where codex.md's table has null. */
	httpStatusCode: number | null;
}

/** One way to reach a model (or, offline, none): own auth, own catalogue. */
export interface ModelProvider {
	readonly name: string;
	/** For status and the TUI: where it comes from, in one line, no secrets. */
	readonly detail: string;
	readonly defaultModel: string | null;
	readonly contextWindow: number | null;
	/** Retries as the provider's config says (codex.md: request_max_retries, stream_max_retries; defaults 4 and 5). */
	readonly retries: { request: number; stream: number };
	stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
	listModels(): readonly string[];
}
