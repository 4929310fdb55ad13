import { z } from "zod";
import { defineMethod } from "../define.ts";

const loginId = z.string().min(1).max(100);
const noParams = z.strictObject({});

/** Who is logged in, as far as the Codex home and its issuer say; no secrets. */
const accountResult = z.looseObject({
	login: z.enum(["none", "api_key", "chatgpt"]),
	email: z.string().nullable(),
	plan: z.string().nullable(),
	/** ChatGPT workspace. */
	workspace: z.string().nullable(),
});

export const chatAccountRefresh = defineMethod({
	name: "chat.account.refresh",
	summary: "Renews the login's tokens now and says who is logged in.",
	scope: "chat.write",
	params: noParams,
	result: accountResult,
	errors: ["CONFIG_INVALID", "PROVIDER_AUTH", "PROVIDER_UNAVAILABLE"],
	mutates: true,
	perConnection: true,
});

export const chatAccountLoginStart = defineMethod({
	name: "chat.account.login.start",
	summary:
		"Starts a login: in a browser on this machine, by a code on any device, or with an API key at once.",
	scope: "daemon.admin",
	params: z.strictObject({
		kind: z.enum(["browser", "device", "api_key"]),
		/** With kind api_key. */
		api_key: z.string().min(1).max(10_000).optional(),
	}),
	result: z.looseObject({
		/** To poll and to cancel; null: it is done already. */
		login_id: z.string().nullable(),
		/** The page to open. */
		url: z.string().nullable(),
		/** What to enter there, for device logins. */
		user_code: z.string().nullable(),
	}),
	errors: ["INVALID_PARAMS", "PORT_IN_USE", "PROVIDER_UNAVAILABLE"],
	mutates: true,
	perConnection: true,
});

export const chatAccountLoginPoll = defineMethod({
	name: "chat.account.login.poll",
	summary: "Says how a login stands, after waiting for it for a while.",
	scope: "daemon.admin",
	params: z.strictObject({
		login_id: loginId,
		/** Longest wait; the answer comes as soon as it ends. */
		wait_ms: z.int().min(0).max(20_000).default(0),
	}),
	result: z.looseObject({
		state: z.enum(["pending", "completed", "failed"]),
		error: z.string().nullable(),
	}),
	errors: ["NOT_FOUND"],
	mutates: false,
});

export const chatAccountLoginCancel = defineMethod({
	name: "chat.account.login.cancel",
	summary: "Gives up a login that was started.",
	scope: "daemon.admin",
	params: z.strictObject({ login_id: loginId }),
	result: z.looseObject({ cancelled: z.boolean() }),
	errors: ["INVALID_PARAMS"],
	mutates: true,
	perConnection: true,
});

export const chatAccountLogout = defineMethod({
	name: "chat.account.logout",
	summary: "Takes the login back at its issuer, as far as that answers, and forgets it here.",
	scope: "daemon.admin",
	params: noParams,
	result: z.looseObject({}),
	errors: [],
	mutates: true,
	perConnection: true,
});

export const accountMethods = [
	chatAccountRefresh,
	chatAccountLoginStart,
	chatAccountLoginPoll,
	chatAccountLoginCancel,
	chatAccountLogout,
] as const;
