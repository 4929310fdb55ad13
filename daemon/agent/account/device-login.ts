import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import { type Clock, waitMs } from "#base/clock.ts";
import { CLIENT_ID, type NewTokens, type Oauth } from "./oauth.ts";

const BASE = "/api/accounts/deviceauth";
/** As the real one: the code is good for 15 minutes. */
const VALID_MS = 15 * 60_000;
const DEFAULT_INTERVAL_S = 5;

const codeSchema = z.looseObject({
	device_auth_id: z.string(),
	user_code: z.string().optional(),
	usercode: z.string().optional(),
	interval: z.coerce.number().min(0).max(60).optional().catch(undefined),
});
const grantSchema = z.looseObject({ authorization_code: z.string(), code_verifier: z.string() });

export interface DeviceLogin {
	readonly verificationUrl: string;
	readonly userCode: string;
	/** Tokens once the person has entered the code; a text: why not. Never rejects. */
	readonly ended: Promise<NewTokens | string>;
	cancel(): void;
}

/** @throws AppError PROVIDER_UNAVAILABLE when no code is to be had. */
export async function startDeviceLogin(oauth: Oauth, clock: Clock): Promise<DeviceLogin> {
	const left = new AbortController();
	const { signal } = left;
	const asked = await oauth.postIssuer(`${BASE}/usercode`, { client_id: CLIENT_ID }, signal);
	const parsed = codeSchema.safeParse(asked.body);
	const userCode = parsed.data?.user_code ?? parsed.data?.usercode;
	if (asked.status !== 200 || !parsed.success || userCode === undefined) {
		const why =
			asked.status === 404
				? "device code login is not enabled for this Codex server. Use the browser login or verify the server URL."
				: `failed to request device code: device code request failed with status ${asked.status}`;
		throw new AppError("PROVIDER_UNAVAILABLE", why);
	}
	const { device_auth_id: id, interval = DEFAULT_INTERVAL_S } = parsed.data;

	async function wait(): Promise<NewTokens | string> {
		const until = clock.monotonicMs() + VALID_MS;
		while (clock.monotonicMs() < until) {
			await waitMs(clock, interval * 1000, signal);
			const reply = await oauth.postIssuer(
				`${BASE}/token`,
				{ device_auth_id: id, user_code: userCode },
				signal,
			);
			const grant = grantSchema.safeParse(reply.body);
			if (reply.status === 200 && grant.success) {
				const { authorization_code: code, code_verifier: verifier } = grant.data;
				const redirectUri = `${oauth.urls.issuer}/deviceauth/callback`;
				const tokens = await oauth.exchangeCode({ code, verifier, redirectUri, signal });
				return tokens ?? "device code exchange failed: the issuer refused the code";
			}
			// 403 and 404 mean that the person has not answered yet; without an answer the next try may have one.
			if (![0, 403, 404].includes(reply.status)) return `device auth failed with status ${reply.status}`;
		}
		return "device auth timed out after 15 minutes";
	}
	return {
		verificationUrl: `${oauth.urls.issuer}/codex/device`,
		userCode,
		ended: wait().catch(() => "Login was not completed"),
		cancel: () => left.abort(),
	};
}
