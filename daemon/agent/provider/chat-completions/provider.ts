import type { ModelEvent, ModelFailure, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import { fatalFailure } from "../codex/failure.ts";
import type { ProviderPorts, ProviderSettings } from "../descriptor.ts";
import { refusedFailure } from "../wire/failure.ts";
import { guardStream } from "../wire/guard.ts";
import { postStream, type WireEvent } from "../wire/post-stream.ts";
import { type WireTool, wireTools } from "../wire/tools.ts";
import { toChat } from "./messages.ts";
import { type ChatReader, createChatReader } from "./reader.ts";

const WINDOW_SHARE = 0.95;
const COMPACT_SHARE = 0.8;

/** Where a request goes, as of now; a failure where it cannot go anywhere. */
export type ChatTarget =
	| { url: string; headers: Readonly<Record<string, string>>; secrets: readonly string[] }
	| { failure: ModelFailure };

export interface ChatProviderOptions {
	/** As the thread keeps it. */
	name: string;
	label: string;
	detail: string;
	loginHint: string;
	/** Null: only what the request names. */
	model: string | null;
	settings: ProviderSettings;
	ports: ProviderPorts;
	/** Images as a rule, where neither settings nor catalogue say. */
	images: boolean;
	target(request: ModelRequest, signal: AbortSignal): Promise<ChatTarget>;
	/** The login was refused: what is kept of it is old. */
	onUnauthorized?: () => void;
}

function buildBody(
	request: ModelRequest,
	options: ChatProviderOptions,
	about: { model: string; tools: readonly WireTool[]; takesImages: boolean },
): Record<string, unknown> {
	const { settings } = options;
	const offered = about.tools.map(({ wireName: name, description, parameters }) => ({
		type: "function",
		function: { name, description, parameters },
	}));
	const { effort, outputSchema } = request.options ?? {};
	const parallel = settings.parallelToolCalls;
	return {
		model: about.model,
		messages: toChat(request.input, about.takesImages),
		...(offered.length === 0 ? {} : { tools: offered, tool_choice: "auto" }),
		...(offered.length === 0 || parallel === null ? {} : { parallel_tool_calls: parallel }),
		...(effort === undefined ? {} : { reasoning_effort: effort }),
		...(outputSchema === undefined
			? {}
			: {
					response_format: {
						type: "json_schema",
						json_schema: { name: "answer", strict: true, schema: outputSchema },
					},
				}),
		...(settings.maxOutputTokens === null ? {} : { max_tokens: settings.maxOutputTokens }),
		stream: true,
		stream_options: { include_usage: true },
	};
}

/** Events of one exchange; the last is `completed` or `failed`. */
async function* ask(
	options: ChatProviderOptions,
	request: ModelRequest,
	signal: AbortSignal,
	told: (secrets: readonly string[]) => void,
): AsyncGenerator<ModelEvent> {
	const { ports, settings, label } = options;
	const model = request.model ?? options.model;
	if (model === null) {
		const text = `${label}: no model is named. Choose one with --model, or set it in the provider's settings.`;
		yield { type: "failed", failure: fatalFailure(text, "badRequest") };
		return;
	}
	const target = await options.target(request, signal);
	if ("failure" in target) {
		yield { type: "failed", failure: target.failure };
		return;
	}
	told(target.secrets);
	const tools = wireTools(request.tools, settings.denyTools);
	const takesImages = takesImagesOf(options, model);
	const reader = createChatReader(tools, ports.newId);
	const events = postStream({
		url: target.url,
		headers: {
			"content-type": "application/json",
			accept: "text/event-stream",
			"user-agent": `${ports.identity.name}/${ports.identity.version}`,
			...target.headers,
		},
		body: JSON.stringify(buildBody(request, options, { model, tools, takesImages })),
		idleMs: settings.idleMs,
		clock: ports.clock,
		signal,
	});
	for await (const event of events) {
		if (event.type === "headers") continue;
		const said = event.type === "event" ? reader.push(event.data) : lastEvents(event, reader, options);
		yield* said;
		const last = said.at(-1)?.type;
		if (last === "completed" || last === "failed") return;
	}
}

/** What the end of an exchange means, whichever it is. */
function lastEvents(
	event: Exclude<WireEvent, { type: "headers" } | { type: "event" }>,
	reader: ChatReader,
	options: ChatProviderOptions,
): ModelEvent[] {
	switch (event.type) {
		case "end":
			return reader.end();
		case "whole":
			return readWhole(reader, event.body);
		case "failed":
			// Whoever said why it stopped has said all: a silence after that is no loss.
			return reader.isFinished ? reader.end() : [event];
		case "refused":
			if (event.refusal.status === 401) options.onUnauthorized?.();
			return [{ type: "failed", failure: refusedFailure(event.refusal, options.label, options.loginHint) }];
	}
}

function readWhole(reader: ChatReader, body: string): ModelEvent[] {
	const said = reader.push(body);
	if (said.at(-1)?.type === "failed") return said;
	// A whole message is whole, even when the server says no reason.
	return [...said, ...(reader.isFinished ? reader.end() : reader.push("[DONE]"))];
}

function takesImagesOf({ settings, ports, name, images }: ChatProviderOptions, model: string): boolean {
	return settings.images ?? ports.findModel(name, model)?.images ?? images;
}

/** Any server that speaks chat completions. It retries nothing, the loop does; an abort ends the stream without an event. */
export function createChatProvider(options: ChatProviderOptions): ModelProvider {
	const { settings, ports, name } = options;
	const windowOf = (id: string | null): number | null =>
		settings.contextWindow ?? (id === null ? null : (ports.findModel(name, id)?.context_window ?? null));
	const share = (tokens: number | null, part: number): number | null =>
		tokens === null ? null : Math.floor(tokens * part);
	return {
		name,
		providerId: name,
		detail: options.detail,
		defaultModel: options.model,
		contextWindow: share(windowOf(options.model), WINDOW_SHARE),
		retries: settings.retries,
		compaction: "local",
		stream(request, signal) {
			let secrets: readonly string[] = [];
			const start = (inner: AbortSignal): AsyncIterable<ModelEvent> =>
				ask(options, request, inner, (known) => {
					secrets = known;
				});
			return guardStream(start, signal, () => secrets);
		},
		describe(asked) {
			const id = asked ?? options.model ?? "";
			return {
				id,
				toolMode: "classic",
				toolsInInput: false,
				contextWindow: share(windowOf(id), WINDOW_SHARE),
				autoCompactTokens: share(windowOf(id), COMPACT_SHARE),
				baseInstructions: null,
				supportsParallelToolCalls: settings.parallelToolCalls ?? true,
				takesImages: takesImagesOf(options, id),
				defaultEffort: null,
			};
		},
		listModels: () => {
			const own = options.model === null ? [] : [options.model];
			return ports.listModels(name, [...new Set([...own, ...settings.models])]);
		},
	};
}
