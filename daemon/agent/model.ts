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
	/** Absent: a turn. */
	kind?: "turn" | "compaction" | "review" | "background";
	/** How often the thread's history was compacted; the suffix of the window id. */
	windowNumber?: number;
	options?: ModelOptions;
}

/** Settings of one request; an absent member means config.toml's, then the model's default. */
export interface ModelOptions {
	effort?: string | undefined;
	summary?: string | undefined;
	verbosity?: string | undefined;
	serviceTier?: string | undefined;
	/** JSON Schema that the answer must follow. */
	outputSchema?: Readonly<Record<string, unknown>> | undefined;
	/** For request metadata: the thread's sandbox and folder. */
	sandbox?: string | undefined;
	originator?: string | undefined;
}

/** What is known of a model; the loop and the tools follow it. */
export interface ModelDescription {
	readonly id: string;
	/** `code`: the model is offered a JavaScript `exec` tool over the others; `classic`: the tools themselves. */
	readonly toolMode: "classic" | "code";
	/** Tools go into the input as `additional_tools` (codex.md section 3). */
	readonly toolsInInput: boolean;
	/** Usable tokens of the window. */
	readonly contextWindow: number | null;
	/** Tokens at which the history is compacted by itself; null: never. */
	readonly autoCompactTokens: number | null;
	/** Instructions the catalogue brings for this model; null: our own. */
	readonly baseInstructions: string | null;
	readonly supportsParallelToolCalls: boolean;
	/** `image` among the kinds of input it takes. */
	readonly takesImages: boolean;
	readonly defaultEffort: string | null;
	/**
	 * It takes tools in `namespace` specs and calls them with a `namespace` member; absent or false: MCP tools are plain
	 * functions named `mcp__SERVER__TOOL`.
	 */
	readonly toolNamespaces?: boolean;
	/** Nothing is known of it but its name: it is offered no `apply_patch`, and a turn warns. Absent: false. */
	readonly isUnknown?: boolean;
	/** It finds `defer_loading` tools by `tool_search`; such specs are not sent with requests. Only with `toolNamespaces`. */
	readonly toolSearch?: boolean;
}

/** What a provider streams. It never throws for expected failures: those are `failed`. Ends after `completed` or `failed`. */
export type ModelEvent =
	| { type: "item_started"; item: { id: string; kind: "message" | "reasoning"; phase: string | null } }
	| { type: "text_delta"; itemId: string; delta: string }
	| { type: "reasoning_part"; itemId: string; summaryIndex: number }
	| { type: "reasoning_delta"; itemId: string; summaryIndex: number; delta: string }
	/** Raw reasoning text. */
	| { type: "reasoning_text_delta"; itemId: string; contentIndex: number; delta: string }
	/** Codex `RateLimitSnapshot`, from the response's headers or events. */
	| { type: "rate_limits"; rateLimits: Readonly<Record<string, unknown>> }
	/** A finished item, verbatim: message, reasoning, function_call, custom_tool_call, ... */
	| { type: "item_done"; item: ModelItem }
	| { type: "completed"; usage: TokenCounts | null; responseId?: string | null }
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
	/** Null or absent: the provider's default model. */
	describe(model?: string | null): ModelDescription;
	/** `remote`: a request that ends in a `compaction_trigger` item brings an encrypted `compaction` item (codex.md section 3). */
	readonly compaction: "local" | "remote";
	/** Id in config.toml (`model_provider`), or the provider's own name. */
	readonly providerId: string;
	listModels(): readonly string[];
}
