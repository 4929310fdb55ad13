import type { Clock } from "#base/clock.ts";
import type { Credentials } from "#daemon/agent/account/credentials.ts";
import type { ModelEvent, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import type { AnswerHeaders } from "../wire/http.ts";
import type { CatalogueModel } from "./catalogue.ts";
import { type CodexConfig, overrideConfig } from "./config.ts";
import { OPENAI_PROVIDER_ID } from "./constants.ts";
import { DEFAULT_MODEL, describeModel, findModel } from "./describe.ts";
import { type Endpoint, resolveEndpoint } from "./endpoint.ts";
import { exchange } from "./exchange.ts";
import { fatalFailure, redactFailure } from "./failure.ts";
import type { CodexHome, CodexSettings } from "./home.ts";
import { withRecovery } from "./recovery.ts";
import { buildBody, buildHeaders, type ClientIdentity, encodeBody, type RequestFrame } from "./request.ts";

/** The models that are known now. */
export interface ModelSource {
	/** What the backend told last, else the built-in catalogue. */
	models(): readonly CatalogueModel[];
	/** The backend's tag of its list, as each answer carries it; another one than before has the list read anew. */
	noteEtag(etag: string): void;
}

export interface CodexProviderPorts {
	readonly home: CodexHome;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly clock: Clock;
	readonly identity: ClientIdentity;
	/** Who renews the login of Codex's home; absent: it is used as it stands in the file. */
	readonly credentials?: Credentials | undefined;
	readonly models: ModelSource;
}

export interface CodexProviderChoice {
	/** As the thread keeps it: `codex` follows config.toml, another name is the id of a provider there. */
	name: string;
	providerId: string;
	model: string | null;
	/** The thread's own members over config.toml (`settings.config`). */
	overrides?: Readonly<Record<string, unknown>> | undefined;
}

/** Settings with the thread's overrides. */
function settingsOf(home: CodexHome, overrides: CodexProviderChoice["overrides"]): CodexSettings {
	const settings = home.read();
	const config = overrideConfig(settings.config, overrides);
	return config === settings.config ? settings : { ...settings, config };
}

/** Codex's sticky routing: what an answer says comes back with the turn's next request. */
const TURN_STATE = "x-codex-turn-state";

/**
 * The Responses API over HTTP and SSE, as Codex's own home configures it: read anew for each request, so that a login or
 * an edit counts at once. It retries nothing but a refused login, which it renews; the loop does the rest. An abort ends
 * the stream without an event.
 */
export function createCodexProvider(ports: CodexProviderPorts, choice: CodexProviderChoice): ModelProvider {
	const { home, env, clock, identity, credentials, models } = ports;
	const settings = settingsOf(home, choice.overrides);
	const endpoint = resolveEndpoint(settings, choice.providerId, env);
	const model = choice.model ?? settings.config.model ?? DEFAULT_MODEL;
	let turnState: { turnId: string; value: string } | null = null;

	function config(): CodexConfig {
		return settingsOf(home, choice.overrides).config;
	}

	/** One try; a refused login is `unauthorized` before anything else was told. */
	async function* attempt(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
		const current = settingsOf(home, choice.overrides);
		const target = resolveEndpoint(current, choice.providerId, env);
		if (target.unusable !== null) {
			yield { type: "failed", failure: fatalFailure(`${target.detail}: ${target.unusable}`, "unauthorized") };
			return;
		}
		const id = request.model ?? model;
		const known = findModel(id, models.models());
		const { config: currentConfig, installationId } = current;
		const frame: RequestFrame = { model: id, known, config: currentConfig, installationId };
		const body = encodeBody(buildBody(request, frame), target);
		const sticky = turnState?.turnId === request.turnId ? { [TURN_STATE]: turnState.value } : {};
		const left = new AbortController();
		const events = exchange({
			url: target.url,
			headers: { ...buildHeaders(request, frame, target, identity), ...sticky, ...body.headers },
			body: body.bytes,
			idleMs: target.config.stream_idle_timeout_ms,
			clock,
			signal: AbortSignal.any([signal, left.signal]),
			onHeaders: (headers) => noteHeaders(headers, request.turnId, target),
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

	function noteHeaders(headers: AnswerHeaders, turnId: string, target: Endpoint): void {
		const value = headers.get(TURN_STATE);
		if (value !== null) turnState = { turnId, value };
		const etag = headers.get("x-models-etag");
		if (etag !== null && target.providerId === OPENAI_PROVIDER_ID) models.noteEtag(etag);
	}

	async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
		if (!endpoint.usesLogin || credentials === undefined) {
			yield* attempt(request, signal);
			return;
		}
		await credentials.prepare();
		if (signal.aborted) return;
		yield* withRecovery(() => attempt(request, signal), credentials.createRecovery(), signal);
	}

	return {
		name: choice.name,
		detail: endpoint.detail,
		defaultModel: model,
		contextWindow: describeModel(model, settings.config, models.models()).contextWindow,
		retries: { request: endpoint.config.request_max_retries, stream: endpoint.config.stream_max_retries },
		stream,
		providerId: choice.providerId,
		// Only the OpenAI backend behind a ChatGPT login knows the trigger item (codex.md section 3).
		compaction: choice.providerId === OPENAI_PROVIDER_ID && endpoint.isChatgpt ? "remote" : "local",
		describe: (id) => describeModel(id ?? model, config(), models.models()),
		listModels() {
			const own = home.read().config.model;
			const listed = choice.providerId === OPENAI_PROVIDER_ID ? models.models() : [];
			const ids = listed.filter((row) => !row.hidden).map((row) => row.id);
			return [...new Set([model, ...(own === undefined ? [] : [own]), ...ids])];
		},
	};
}
