import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import { claimsOf } from "./claims.ts";

const tokensSchema = z.looseObject({
	id_token: z.string().optional(),
	access_token: z.string().min(1),
	refresh_token: z.string().nullish(),
	account_id: z.string().nullish(),
});
const authSchema = z.looseObject({
	auth_mode: z.string().nullish(),
	OPENAI_API_KEY: z.string().nullish(),
	tokens: tokensSchema.nullish().catch(null),
	last_refresh: z.string().nullish().catch(null),
});
/** What auth.json holds; members unknown to us stay as they are. */
export type AuthFile = z.infer<typeof authSchema>;

export interface ChatgptLogin {
	readonly kind: "chatgpt";
	readonly accessToken: string;
	/** Null: it cannot be renewed here. */
	readonly refreshToken: string | null;
	readonly accountId: string | null;
	readonly userId: string | null;
	readonly email: string | null;
	readonly plan: string | null;
	/** Of the access token. */
	readonly expiresAtMs: number | null;
	/** A client brought the tokens and renews them. */
	readonly external: boolean;
}

/** A login of Codex's auth.json, or one that a client brought. */
export type Login =
	| { readonly kind: "none" }
	| { readonly kind: "api_key"; readonly apiKey: string }
	| ChatgptLogin;

export const NO_LOGIN: Login = { kind: "none" };

/**
 * Parses auth.json.
 * @throws AppError CONFIG_INVALID naming the file; never anything of its content.
 */
export function parseAuthFile(text: string, file: string): AuthFile {
	const data = { file };
	let raw: unknown;
	try {
		raw = JSON.parse(text);
	} catch {
		throw new AppError(
			"CONFIG_INVALID",
			`${file}: not valid JSON. Log in again with \`weave-codex login\`.`,
			{
				data,
			},
		);
	}
	const parsed = authSchema.safeParse(raw);
	if (parsed.success) return parsed.data;
	const member = parsed.error.issues[0]?.path.join(".") ?? "";
	const message = `${file}: member ${member} is not as expected. Log in again with \`weave-codex login\`.`;
	throw new AppError("CONFIG_INVALID", message, { data });
}

/** The login a file means; its mode decides where it holds both kinds. */
export function loginOf(file: AuthFile): Login {
	const { auth_mode: mode, OPENAI_API_KEY: apiKey, tokens } = file;
	const wantsKey = mode === "apikey" || mode === "apiKey";
	if (!tokens || (wantsKey && apiKey)) return apiKey ? { kind: "api_key", apiKey } : NO_LOGIN;
	const id = claimsOf(tokens.id_token);
	const access = claimsOf(tokens.access_token);
	return {
		kind: "chatgpt",
		accessToken: tokens.access_token,
		refreshToken: tokens.refresh_token || null,
		accountId: tokens.account_id ?? id?.accountId ?? access?.accountId ?? null,
		userId: id?.userId ?? access?.userId ?? null,
		email: id?.email ?? access?.email ?? null,
		plan: id?.plan ?? access?.plan ?? null,
		expiresAtMs: access?.expiresAtMs ?? null,
		external: false,
	};
}

/** Parses auth.json straight to its login. @throws AppError CONFIG_INVALID. */
export function parseAuth(text: string, file: string): Login {
	return loginOf(parseAuthFile(text, file));
}

/** As Codex writes it: two spaces, its order of members first. */
export function renderAuthFile(file: AuthFile): string {
	const { auth_mode, OPENAI_API_KEY, tokens, last_refresh, ...rest } = file;
	const ordered = {
		...(auth_mode === undefined ? {} : { auth_mode }),
		OPENAI_API_KEY: OPENAI_API_KEY ?? null,
		...(tokens ? { tokens } : {}),
		...(last_refresh ? { last_refresh } : {}),
		...rest,
	};
	return JSON.stringify(ordered, null, 2);
}
