import { fetchModels } from "../catalogue/fetch-models.ts";
import { defineProvider } from "../descriptor.ts";
import { CLAUDE_LOGIN_HINT, resolveClaudeAccess } from "./auth.ts";
import { CLAUDE_FALLBACK_MODELS } from "./models.ts";
import { createClaudeProvider } from "./provider.ts";

/** Anthropic's own API. */
export const claudeDescriptor = defineProvider({
	name: "claude",
	label: "Claude",
	loginHint: CLAUDE_LOGIN_HINT,
	toolPolicy: { parallelCalls: true, images: true },
	fallbackModels: CLAUDE_FALLBACK_MODELS,
	login(ports, settings) {
		const access = resolveClaudeAccess(ports.env, ports.credentials, settings.baseUrl ?? undefined);
		return {
			usable: access.unusable === null,
			detail: access.unusable ?? `login from ${access.source}`,
		};
	},
	create: createClaudeProvider,
	async discover(ports, settings, signal) {
		const access = resolveClaudeAccess(ports.env, ports.credentials, settings.baseUrl ?? undefined);
		if (access.unusable !== null) throw new Error(access.unusable);
		const headers = { ...settings.headers, ...access.headers };
		return fetchModels({ url: `${access.baseUrl}/v1/models?limit=100`, headers, signal });
	},
});
