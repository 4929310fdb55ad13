import { z } from "zod";
import { AppError } from "#base/app-error.ts";

const tokensSchema = z.looseObject({
	access_token: z.string().min(1),
	id_token: z.string().optional(),
	account_id: z.string().nullable().optional(),
});
const authSchema = z.looseObject({
	auth_mode: z.string().nullable().optional(),
	OPENAI_API_KEY: z.string().nullable().optional(),
	tokens: tokensSchema.nullable().optional().catch(null),
});

/** A login of Codex's auth.json. */
export type Login =
	| { kind: "none" }
	| { kind: "api_key"; apiKey: string }
	| {
			kind: "chatgpt";
			accessToken: string;
			accountId: string | null;
			email: string | null;
			plan: string | null;
	  };

const claimsSchema = z.looseObject({
	email: z.string().optional(),
	"https://api.openai.com/auth": z
		.looseObject({ chatgpt_plan_type: z.string().optional(), chatgpt_account_id: z.string().optional() })
		.optional(),
});

/** Claims of a token's payload; not verified, it is our own file. Null when it is no token. */
function claimsOf(token: string | undefined): z.infer<typeof claimsSchema> | null {
	const payload = token?.split(".")[1];
	if (payload === undefined) return null;
	try {
		const parsed = claimsSchema.safeParse(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")));
		return parsed.success ? parsed.data : null;
	} catch {
		return null;
	}
}

/**
 * Parses auth.json; the file's mode decides where it holds both kinds of login.
 * @throws AppError CONFIG_INVALID naming the file; never anything of its content.
 */
export function parseAuth(text: string, file: string): Login {
	let raw: unknown;
	try {
		raw = JSON.parse(text);
	} catch {
		throw new AppError("CONFIG_INVALID", `${file}: not valid JSON. Log in again with \`codex login\`.`, {
			data: { file },
		});
	}
	const parsed = authSchema.safeParse(raw);
	if (!parsed.success) {
		const member = parsed.error.issues[0]?.path.join(".") ?? "";
		throw new AppError(
			"CONFIG_INVALID",
			`${file}: member ${member} is not as expected. Log in again with \`codex login\`.`,
			{
				data: { file },
			},
		);
	}
	const { auth_mode: mode, OPENAI_API_KEY: apiKey, tokens } = parsed.data;
	const wantsKey = mode === "apikey" || mode === "apiKey";
	if (tokens && !(wantsKey && apiKey)) {
		const claims = claimsOf(tokens.id_token);
		const auth = claims?.["https://api.openai.com/auth"];
		return {
			kind: "chatgpt",
			accessToken: tokens.access_token,
			accountId: tokens.account_id ?? auth?.chatgpt_account_id ?? null,
			email: claims?.email ?? null,
			plan: auth?.chatgpt_plan_type ?? null,
		};
	}
	return apiKey ? { kind: "api_key", apiKey } : { kind: "none" };
}
