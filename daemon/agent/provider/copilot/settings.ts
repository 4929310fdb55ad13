import { z } from "zod";
import type { ProviderPorts, ProviderSettings } from "../descriptor.ts";

const text = z.string().min(1).nullish().catch(null);
const extraSchema = z.looseObject({
	client_id: text,
	integration_id: text,
	github_url: text,
	github_api_url: text,
});

/** Where GitHub is and as whom we come; all of it can be set, so that a test or an enterprise has its own. */
export interface CopilotSettings {
	/** `https://github.com`: the device login. */
	readonly githubUrl: string;
	/** `https://api.github.com`: the token exchange. */
	readonly apiUrl: string;
	/**
	 * Id of the OAuth app that the login is for. There is no default: GitHub gives one to each app, and to use another
	 * app's is for the person to decide, not for us.
	 */
	readonly clientId: string | null;
	/** Sent as Copilot-Integration-Id, which the API wants of most accounts; no default for the same reason. */
	readonly integrationId: string | null;
}

const clean = (url: string): string => url.replace(/\/+$/, "");

/** Environment over settings over GitHub's own addresses. */
export function copilotSettings(env: ProviderPorts["env"], settings: ProviderSettings): CopilotSettings {
	const extra = extraSchema.parse(settings.extra);
	const pick = (variable: string, own: string | null | undefined): string | null =>
		env[variable]?.trim() || own || null;
	return {
		githubUrl: clean(pick("HOMIE_COPILOT_GITHUB_URL", extra.github_url) ?? "https://github.com"),
		apiUrl: clean(pick("HOMIE_COPILOT_GITHUB_API_URL", extra.github_api_url) ?? "https://api.github.com"),
		clientId: pick("HOMIE_COPILOT_CLIENT_ID", extra.client_id),
		integrationId: pick("HOMIE_COPILOT_INTEGRATION_ID", extra.integration_id),
	};
}
