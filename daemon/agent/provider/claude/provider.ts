import type { ModelEvent, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import { fatalFailure } from "../codex/failure.ts";
import type { ProviderPorts, ProviderSettings } from "../descriptor.ts";
import { refusedFailure } from "../wire/failure.ts";
import { guardStream } from "../wire/guard.ts";
import { postStream, type WireEvent } from "../wire/post-stream.ts";
import { wireTools } from "../wire/tools.ts";
import { CLAUDE_LOGIN_HINT, type ClaudeAccess, resolveClaudeAccess } from "./auth.ts";
import { claudeModel, DEFAULT_CLAUDE_MODEL } from "./models.ts";
import { type ClaudeReader, createClaudeReader } from "./reader.ts";
import { buildClaudeBody } from "./request.ts";

const NAME = "Claude";
/** Tokens of the window that are for use, and where the history is compacted by itself. */
const WINDOW_SHARE = 0.95;
const COMPACT_SHARE = 0.8;

interface Source {
	access(): ClaudeAccess;
	model: string;
	ports: ProviderPorts;
	settings: ProviderSettings;
}

async function* ask(source: Source, request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
	const { ports, settings } = source;
	const access = source.access();
	if (access.unusable !== null) {
		yield { type: "failed", failure: fatalFailure(`${NAME}: ${access.unusable}`, "unauthorized") };
		return;
	}
	const tools = wireTools(request.tools, settings.denyTools);
	const body = buildClaudeBody(request, {
		model: request.model ?? source.model,
		tools,
		takesImages: settings.images ?? true,
		maxOutputTokens: settings.maxOutputTokens,
	});
	const reader = createClaudeReader(tools, ports.newId);
	const events = postStream({
		url: `${access.baseUrl}/v1/messages`,
		headers: {
			"content-type": "application/json",
			accept: "text/event-stream",
			"user-agent": `${ports.identity.name}/${ports.identity.version}`,
			...settings.headers,
			...access.headers,
		},
		body: JSON.stringify(body),
		idleMs: settings.idleMs,
		clock: ports.clock,
		signal,
	});
	for await (const event of events) {
		if (event.type === "headers") continue;
		const told = event.type === "event" ? reader.push(event.data) : lastEvents(event, reader);
		yield* told;
		const last = told.at(-1)?.type;
		if (last === "completed" || last === "failed") return;
	}
}

/** What the end of an exchange means, whichever it is. */
function lastEvents(
	event: Exclude<WireEvent, { type: "headers" } | { type: "event" }>,
	reader: ClaudeReader,
): ModelEvent[] {
	switch (event.type) {
		case "end":
			return reader.end();
		case "refused":
			return [{ type: "failed", failure: refusedFailure(event.refusal, NAME, CLAUDE_LOGIN_HINT) }];
		case "failed":
			return [event];
		case "whole":
			return [{ type: "failed", failure: fatalFailure(`${NAME}: the server answered without a stream`) }];
	}
}

/**
 * The Anthropic Messages API. Key and settings are read anew for each request. Thoughts go back as they came, signatures
 * included; it retries nothing, the loop does.
 */
export function createClaudeProvider(
	ports: ProviderPorts,
	settings: ProviderSettings,
	choice: { name: string; model: string | null },
): ModelProvider {
	const access = (): ClaudeAccess =>
		resolveClaudeAccess(ports.env, ports.credentials, settings.baseUrl ?? undefined);
	const model = choice.model ?? settings.model ?? DEFAULT_CLAUDE_MODEL;
	const now = access();
	const windowOf = (name: string): number => settings.contextWindow ?? claudeModel(name).contextWindow;
	const usable = (name: string): number => Math.floor(windowOf(name) * WINDOW_SHARE);
	return {
		name: choice.name,
		providerId: choice.name,
		detail: `${NAME} at ${now.baseUrl}, ${now.unusable === null ? `login from ${now.source}` : "no login"}`,
		defaultModel: model,
		contextWindow: usable(model),
		retries: settings.retries,
		compaction: "local",
		stream: (request, signal) =>
			guardStream(
				(inner) => ask({ access, model, ports, settings }, request, inner),
				signal,
				() => access().secrets,
			),
		describe(asked) {
			const id = asked ?? model;
			return {
				id,
				toolMode: "classic",
				toolsInInput: false,
				contextWindow: usable(id),
				autoCompactTokens: Math.floor(windowOf(id) * COMPACT_SHARE),
				baseInstructions: null,
				supportsParallelToolCalls: true,
				takesImages: settings.images ?? true,
				defaultEffort: claudeModel(id).thinking === "none" ? null : "medium",
			};
		},
		listModels: () => ports.listModels(choice.name, [model]),
	};
}
