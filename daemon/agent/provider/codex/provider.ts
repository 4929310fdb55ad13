import type { Clock } from "#base/clock.ts";
import type { ModelEvent, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import { DEFAULT_MODEL, describeModel } from "./describe.ts";
import { OPENAI_PROVIDER_ID, resolveEndpoint } from "./endpoint.ts";
import { exchange } from "./exchange.ts";
import { fatalFailure, redactFailure } from "./failure.ts";
import type { CodexHome } from "./home.ts";
import { buildBody, buildHeaders, type ClientIdentity } from "./request.ts";

export interface CodexProviderPorts {
	readonly home: CodexHome;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly clock: Clock;
	readonly identity: ClientIdentity;
}

export interface CodexProviderChoice {
	/** As the thread keeps it: `codex` follows config.toml, another name is the id of a provider there. */
	name: string;
	providerId: string;
	model: string | null;
}

/**
 * The Responses API over HTTP and SSE, as Codex's own home configures it: read anew for each request, so that a login or
 * an edit counts at once. It retries nothing; the loop does. An abort ends the stream without an event.
 */
export function createCodexProvider(ports: CodexProviderPorts, choice: CodexProviderChoice): ModelProvider {
	const { home, env, clock, identity } = ports;
	const settings = home.read();
	const endpoint = resolveEndpoint(settings, choice.providerId, env);
	const model = choice.model ?? settings.config.model ?? DEFAULT_MODEL;

	async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
		const current = home.read();
		const target = resolveEndpoint(current, choice.providerId, env);
		if (target.unusable !== null) {
			yield { type: "failed", failure: fatalFailure(`${target.detail}: ${target.unusable}`, "unauthorized") };
			return;
		}
		const left = new AbortController();
		const events = exchange({
			url: target.url,
			headers: buildHeaders(request, target, identity),
			body: JSON.stringify(buildBody(request, request.model ?? model, current.config)),
			idleMs: target.config.stream_idle_timeout_ms,
			clock,
			signal: AbortSignal.any([signal, left.signal]),
		});
		try {
			for await (const event of events) {
				if (signal.aborted) return;
				if (event.type === "failed")
					yield { type: "failed", failure: redactFailure(event.failure, target.secrets) };
				else yield event;
			}
		} finally {
			// Ends the request where it was left early; nothing happens when it is at its end.
			left.abort();
		}
	}

	return {
		name: choice.name,
		detail: endpoint.detail,
		defaultModel: model,
		contextWindow: describeModel(model, settings.config).contextWindow,
		providerId: choice.providerId,
		// Only the OpenAI backend behind a ChatGPT login knows the trigger item (codex.md section 3).
		compaction:
			choice.providerId === OPENAI_PROVIDER_ID && settings.login.kind === "chatgpt" ? "remote" : "local",
		describe: (id) => describeModel(id ?? model, home.read().config),
		retries: { request: endpoint.config.request_max_retries, stream: endpoint.config.stream_max_retries },
		stream,
		listModels: () => {
			const own = home.read().config.model;
			return [...new Set([model, ...(own === undefined ? [] : [own])])];
		},
	};
}
