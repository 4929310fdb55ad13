import type { ModelItem, ModelRequest } from "#daemon/agent/model.ts";
import { fetchModels } from "../catalogue/fetch-models.ts";
import { type ChatTarget, createChatProvider } from "../chat-completions/provider.ts";
import { fatalFailure } from "../codex/failure.ts";
import type { ClientIdentity } from "../codex/request.ts";
import {
	defineProvider,
	type ProviderDescriptor,
	type ProviderPorts,
	type ProviderSettings,
} from "../descriptor.ts";
import { copilotSettings } from "./settings.ts";
import { type CopilotTokens, createCopilotTokens } from "./token.ts";

const LABEL = "GitHub Copilot";
const LOGIN_HINT =
	"Log in with the device login of provider copilot, or set COPILOT_GITHUB_TOKEN to a token of an account with Copilot.";
const DEFAULT_API_URL = "https://api.individual.githubcopilot.com";
const API_VERSION = "2025-05-01";

function githubToken(ports: ProviderPorts): { token: string; source: string } | null {
	const fromEnv = ports.env["COPILOT_GITHUB_TOKEN"]?.trim();
	if (fromEnv) return { token: fromEnv, source: "COPILOT_GITHUB_TOKEN" };
	const stored = ports.credentials.read("copilot")?.auth_token;
	return stored ? { token: stored, source: "credentials/copilot.json" } : null;
}

function hasImages(item: ModelItem): boolean {
	const parts = item["content"] ?? item["output"];
	return (
		Array.isArray(parts) && parts.some((part: { type?: unknown } | null) => part?.type === "input_image")
	);
}

function apiHeaders(identity: ClientIdentity, integrationId: string | null): Record<string, string> {
	const self = `weave-codex/${identity.version}`;
	return {
		"editor-version": self,
		"editor-plugin-version": self,
		"x-github-api-version": API_VERSION,
		"openai-intent": "conversation-agent",
		...(integrationId === null ? {} : { "copilot-integration-id": integrationId }),
	};
}

/** A request that only goes on with the outputs of tools is the agent's own; anything else a person asked for. */
function initiatorOf(request: ModelRequest): "agent" | "user" {
	const last = request.input.at(-1);
	return last?.type === "message" && last["role"] === "user" && request.kind !== "background"
		? "user"
		: "agent";
}

/** Makes the descriptor with its tokens in memory: one exchange serves all threads of this daemon. */
export function createCopilotDescriptor(): ProviderDescriptor {
	const byAddress = new Map<string, CopilotTokens>();

	function tokensOf(ports: ProviderPorts, settings: ProviderSettings): CopilotTokens {
		const { apiUrl } = copilotSettings(ports.env, settings);
		let tokens = byAddress.get(apiUrl);
		if (tokens === undefined) {
			const { clock, identity } = ports;
			tokens = createCopilotTokens({ apiUrl, clock, identity, loginHint: LOGIN_HINT });
			byAddress.set(apiUrl, tokens);
		}
		return tokens;
	}

	async function access(
		ports: ProviderPorts,
		settings: ProviderSettings,
		signal: AbortSignal,
	): Promise<ChatTarget> {
		const login = githubToken(ports);
		if (login === null)
			return { failure: fatalFailure(`${LABEL}: nobody is logged in. ${LOGIN_HINT}`, "unauthorized") };
		const token = await tokensOf(ports, settings).get(login.token, signal);
		if ("failure" in token) return token;
		const { integrationId } = copilotSettings(ports.env, settings);
		const url = (settings.baseUrl ?? token.apiUrl ?? DEFAULT_API_URL).replace(/\/+$/, "");
		const headers = {
			...apiHeaders(ports.identity, integrationId),
			...settings.headers,
			authorization: `Bearer ${token.token}`,
		};
		return { url, headers, secrets: [login.token, token.token] };
	}

	return defineProvider({
		name: "copilot",
		label: LABEL,
		loginHint: LOGIN_HINT,
		toolPolicy: { parallelCalls: true, images: true },
		fallbackModels: [],
		login(ports) {
			const login = githubToken(ports);
			return login === null
				? { usable: false, detail: `nobody is logged in. ${LOGIN_HINT}` }
				: { usable: true, detail: `login from ${login.source}` };
		},
		create(ports, settings, choice) {
			const known = ports.listModels(choice.name, settings.models);
			const login = githubToken(ports);
			return createChatProvider({
				name: choice.name,
				label: LABEL,
				detail: `${LABEL}, ${login === null ? "no login" : `login from ${login.source}`}`,
				loginHint: LOGIN_HINT,
				model: choice.model ?? settings.model ?? known[0] ?? null,
				settings,
				ports,
				images: true,
				onUnauthorized: () => tokensOf(ports, settings).forget(),
				async target(request, signal) {
					const reached = await access(ports, settings, signal);
					if ("failure" in reached) return reached;
					const vision = request.input.some(hasImages) ? { "copilot-vision-request": "true" } : {};
					const headers = { ...reached.headers, ...vision, "x-initiator": initiatorOf(request) };
					return { ...reached, url: `${reached.url}/chat/completions`, headers };
				},
			});
		},
		async discover(ports, settings, signal) {
			const reached = await access(ports, settings, signal);
			if ("failure" in reached) throw new Error(reached.failure.message);
			return fetchModels({
				url: `${reached.url}/models`,
				headers: reached.headers,
				signal,
				keep: (entry) => entry.capabilities?.type == null || entry.capabilities.type === "chat",
			});
		},
	});
}
