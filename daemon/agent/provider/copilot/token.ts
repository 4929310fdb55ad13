import { z } from "zod";
import type { Clock } from "#base/clock.ts";
import type { ModelFailure } from "#daemon/agent/model.ts";
import { fatalFailure, HIGH_DEMAND, sendFailure } from "../codex/failure.ts";
import type { ClientIdentity } from "../codex/request.ts";

/** A token is renewed when it has less than this left. */
const RENEW_BEFORE_MS = 5 * 60_000;
const EXCHANGE_TIMEOUT_MS = 30_000;

const tokenSchema = z.looseObject({
	token: z.string().min(1),
	/** Seconds since 1970. */
	expires_at: z.number().positive(),
	endpoints: z.looseObject({ api: z.string().optional() }).nullish().catch(null),
});

export interface CopilotToken {
	readonly token: string;
	readonly expiresAtMs: number;
	/** Where the account's models are. */
	readonly apiUrl: string | null;
}

/** Tokens of the models' API, in memory only: they live for minutes and come from the GitHub login. */
export interface CopilotTokens {
	get(githubToken: string, signal: AbortSignal): Promise<CopilotToken | { failure: ModelFailure }>;
	/** Forgets what is kept, after the API refused it. */
	forget(): void;
}

/** Older tokens name the address within, as `proxy-ep=`. */
function addressIn(token: string): string | null {
	const host = /(?:^|;)proxy-ep=([^;]+)/.exec(token)?.[1];
	if (host === undefined) return null;
	const url = `https://${host.replace(/^https?:\/\//, "").replace(/^proxy\./, "api.")}`;
	return URL.canParse(url) ? url : null;
}

export function createCopilotTokens(options: {
	apiUrl: string;
	clock: Clock;
	identity: ClientIdentity;
	loginHint: string;
}): CopilotTokens {
	const { clock, identity } = options;
	let kept: { from: string; token: CopilotToken } | null = null;
	let running: { from: string; result: Promise<CopilotToken | { failure: ModelFailure }> } | null = null;

	async function exchange(githubToken: string): Promise<CopilotToken | { failure: ModelFailure }> {
		const timeout = new AbortController();
		using _timer = clock.after(EXCHANGE_TIMEOUT_MS, () => timeout.abort());
		let response: Response;
		let body: unknown;
		try {
			response = await fetch(`${options.apiUrl}/copilot_internal/v2/token`, {
				headers: {
					accept: "application/json",
					authorization: `Bearer ${githubToken}`,
					"user-agent": `${identity.name}/${identity.version}`,
				},
				redirect: "manual",
				signal: timeout.signal,
			});
			body = await response.json().catch(() => null);
		} catch (error) {
			return { failure: sendFailure(error) };
		}
		const { status } = response;
		if (status === 401 || status === 403 || status === 404) {
			const text = `GitHub gave no Copilot token (${status}): the login is not valid, or the account has no Copilot. ${options.loginHint}`;
			return { failure: { ...fatalFailure(text, "unauthorized"), httpStatusCode: status } };
		}
		const parsed = tokenSchema.safeParse(body);
		if (status !== 200 || !parsed.success)
			return { failure: { ...fatalFailure(HIGH_DEMAND, "internalServerError"), kind: "request" } };
		const { token, expires_at: expiresAt, endpoints } = parsed.data;
		const apiUrl = endpoints?.api ?? addressIn(token);
		const made = { token, expiresAtMs: expiresAt * 1000, apiUrl };
		kept = { from: githubToken, token: made };
		return made;
	}

	return {
		async get(githubToken, signal) {
			if (kept?.from === githubToken && kept.token.expiresAtMs - clock.nowMs() > RENEW_BEFORE_MS)
				return kept.token;
			if (running?.from !== githubToken) {
				// Not bound to one asker's signal: others may wait for the same token.
				const result = exchange(githubToken).finally(() => {
					if (running?.result === result) running = null;
				});
				running = { from: githubToken, result };
			}
			const aborted = Promise.withResolvers<{ failure: ModelFailure }>();
			const onAbort = (): void => aborted.resolve({ failure: fatalFailure("aborted") });
			signal.addEventListener("abort", onAbort, { once: true });
			if (signal.aborted) onAbort();
			try {
				return await Promise.race([running.result, aborted.promise]);
			} finally {
				signal.removeEventListener("abort", onAbort);
			}
		},
		forget() {
			kept = null;
		},
	};
}
