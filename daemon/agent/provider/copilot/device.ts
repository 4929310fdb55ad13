import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { CredentialStore } from "../credentials.ts";
import type { CopilotSettings } from "./settings.ts";

const SCOPE = "read:user";
const GRANT = "urn:ietf:params:oauth:grant-type:device_code";

const startSchema = z.looseObject({
	device_code: z.string().min(1),
	user_code: z.string().min(1),
	verification_uri: z.string().min(1),
	expires_in: z.number().positive().default(900),
	interval: z.number().positive().default(5),
});
const pollSchema = z.looseObject({
	access_token: z.string().min(1).optional(),
	error: z.string().optional(),
	interval: z.number().positive().optional(),
});

/** A login that waits for the person. */
export interface DeviceLogin {
	readonly userCode: string;
	readonly verificationUrl: string;
	readonly deviceCode: string;
	readonly intervalMs: number;
	/** ms since 1970. */
	readonly expiresAtMs: number;
}
export type DevicePoll =
	| { status: "pending"; intervalMs: number | null }
	| { status: "authorized" }
	| { status: "denied" }
	| { status: "expired" };

export interface DevicePorts {
	readonly settings: CopilotSettings;
	readonly credentials: CredentialStore;
	readonly clock: Clock;
}

async function post(url: string, body: Record<string, string>, signal: AbortSignal): Promise<unknown> {
	let response: Response;
	try {
		response = await fetch(url, {
			method: "POST",
			headers: { accept: "application/json", "content-type": "application/json" },
			body: JSON.stringify(body),
			signal,
			redirect: "manual",
		});
	} catch (error) {
		if (signal.aborted) throw error;
		throw new AppError("PROVIDER_UNAVAILABLE", `GitHub cannot be reached at ${new URL(url).origin}.`);
	}
	if (response.status !== 200) {
		await response.body?.cancel();
		throw new AppError("PROVIDER_UNAVAILABLE", `GitHub answered ${response.status} to the login.`);
	}
	return response.json();
}

/** @throws AppError CONFIG_INVALID without a client id, PROVIDER_UNAVAILABLE. */
export async function startDeviceLogin(ports: DevicePorts, signal: AbortSignal): Promise<DeviceLogin> {
	const { settings, clock } = ports;
	if (settings.clientId === null) {
		throw new AppError(
			"CONFIG_INVALID",
			"The login with GitHub needs the id of an OAuth app: set HOMIE_COPILOT_CLIENT_ID, or providers.copilot.client_id in config.json.",
		);
	}
	const body = { client_id: settings.clientId, scope: SCOPE };
	const answer = startSchema.safeParse(await post(`${settings.githubUrl}/login/device/code`, body, signal));
	if (!answer.success)
		throw new AppError("PROVIDER_FAILED", "GitHub's answer to the login was not understood.");
	const { data } = answer;
	return {
		userCode: data.user_code,
		verificationUrl: data.verification_uri,
		deviceCode: data.device_code,
		intervalMs: data.interval * 1000,
		expiresAtMs: clock.nowMs() + data.expires_in * 1000,
	};
}

/** Asks once whether the person has agreed; then the token is kept. @throws AppError as the start does. */
export async function pollDeviceLogin(
	ports: DevicePorts,
	login: Pick<DeviceLogin, "deviceCode" | "expiresAtMs">,
	signal: AbortSignal,
): Promise<DevicePoll> {
	const { settings, credentials, clock } = ports;
	if (clock.nowMs() >= login.expiresAtMs) return { status: "expired" };
	const body = { client_id: settings.clientId ?? "", device_code: login.deviceCode, grant_type: GRANT };
	const raw = await post(`${settings.githubUrl}/login/oauth/access_token`, body, signal);
	const answer = pollSchema.safeParse(raw);
	if (!answer.success)
		throw new AppError("PROVIDER_FAILED", "GitHub's answer to the login was not understood.");
	const { access_token: token, error, interval } = answer.data;
	if (token !== undefined) {
		credentials.write("copilot", { auth_token: token });
		return { status: "authorized" };
	}
	if (error === "authorization_pending" || error === "slow_down")
		return { status: "pending", intervalMs: interval === undefined ? null : interval * 1000 };
	if (error === "expired_token") return { status: "expired" };
	if (error === "access_denied") return { status: "denied" };
	throw new AppError("PROVIDER_AUTH", `GitHub refused the login (${error ?? "no reason given"}).`);
}
