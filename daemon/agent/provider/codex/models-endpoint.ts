import type { Credentials } from "#daemon/agent/account/credentials.ts";
import { OPENAI_PROVIDER_ID } from "./constants.ts";
import { resolveEndpoint } from "./endpoint.ts";
import type { CodexHome } from "./home.ts";
import type { ModelsEndpoint } from "./models.ts";
import { type ClientIdentity, CODEX_WIRE_VERSION, userAgentOf } from "./request.ts";

export interface ModelsEndpointPorts {
	readonly home: CodexHome;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly credentials: Credentials;
	readonly identity: ClientIdentity;
}

/** Where the OpenAI provider's models are listed; null without a ChatGPT login, as the API's own list says nothing of them. */
export async function modelsEndpointOf(ports: ModelsEndpointPorts): Promise<ModelsEndpoint | null> {
	const { home, env, credentials, identity } = ports;
	await credentials.prepare();
	const endpoint = resolveEndpoint(home.read(), OPENAI_PROVIDER_ID, env);
	if (endpoint.unusable !== null || !endpoint.isChatgpt) return null;
	const url = new URL(endpoint.url);
	url.pathname = url.pathname.replace(/\/responses$/, "/models");
	url.searchParams.set("client_version", CODEX_WIRE_VERSION);
	return {
		url: url.href,
		headers: {
			...endpoint.headers,
			version: CODEX_WIRE_VERSION,
			originator: identity.name,
			"user-agent": userAgentOf(identity.name, identity.version),
		},
	};
}
