import type { ModelRequest } from "#daemon/agent/model.ts";
import type { CodexConfig } from "./config.ts";
import type { Endpoint } from "./endpoint.ts";

/** Who we say we are, to providers that ask. */
export interface ClientIdentity {
	/** Sent as the originator. */
	readonly name: string;
	readonly version: string;
}

/** Models that reason take `reasoning` and `text.verbosity`; others refuse members they don't know. */
function reasons(model: string): boolean {
	return /^(gpt-[5-9]|o\d|codex-)/.test(model);
}

/** Body of POST /responses, in the order of members that Codex uses; equal requests give equal bytes. */
export function buildBody(
	request: ModelRequest,
	model: string,
	config: CodexConfig,
): Record<string, unknown> {
	const effort = config.model_reasoning_effort ?? (reasons(model) ? "medium" : null);
	const summary = config.model_reasoning_summary;
	const verbosity = config.model_verbosity ?? (reasons(model) ? "low" : null);
	const reasoning = effort === null ? null : { effort, ...(summary === undefined ? {} : { summary }) };
	return {
		model,
		input: request.input,
		tools: request.tools,
		tool_choice: "auto",
		parallel_tool_calls: true,
		...(reasoning === null ? {} : { reasoning }),
		store: false,
		stream: true,
		include: ["reasoning.encrypted_content"],
		prompt_cache_key: request.threadId,
		...(verbosity === null ? {} : { text: { verbosity } }),
		client_metadata: { session_id: request.threadId, thread_id: request.threadId, turn_id: request.turnId },
	};
}

/** Headers of a request; the provider's own win over ours, authentication included. */
export function buildHeaders(
	request: ModelRequest,
	endpoint: Endpoint,
	identity: ClientIdentity,
): Record<string, string> {
	const { threadId, turnId } = request;
	const metadata = { session_id: threadId, thread_id: threadId, turn_id: turnId, request_kind: "turn" };
	return {
		"content-type": "application/json",
		accept: "text/event-stream",
		originator: identity.name,
		"user-agent": `${identity.name}/${identity.version}`,
		"session-id": threadId,
		"thread-id": threadId,
		"x-client-request-id": threadId,
		"x-codex-window-id": `${threadId}:0`,
		"x-codex-turn-metadata": JSON.stringify(metadata),
		...endpoint.headers,
	};
}
