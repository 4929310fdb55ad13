import { z } from "zod";

const authClaims = z.looseObject({
	chatgpt_plan_type: z.string().optional().catch(undefined),
	chatgpt_user_id: z.string().optional().catch(undefined),
	user_id: z.string().optional().catch(undefined),
	chatgpt_account_id: z.string().optional().catch(undefined),
});
const claimsSchema = z.looseObject({
	email: z.string().optional().catch(undefined),
	exp: z.number().optional().catch(undefined),
	"https://api.openai.com/auth": authClaims.optional().catch(undefined),
	"https://api.openai.com/profile": z
		.looseObject({ email: z.string().optional() })
		.optional()
		.catch(undefined),
});

/** What a token says of its owner; null where it says nothing. */
export interface Claims {
	readonly email: string | null;
	readonly plan: string | null;
	readonly userId: string | null;
	readonly accountId: string | null;
	/** Milliseconds since 1970. */
	readonly expiresAtMs: number | null;
}

/** Claims of a token's payload, unverified: who signs them checks them. Null when it is no such token. */
export function claimsOf(token: string | null | undefined): Claims | null {
	const payload = token?.split(".")[1];
	if (payload === undefined) return null;
	try {
		const claims = claimsSchema.parse(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")));
		const auth = claims["https://api.openai.com/auth"];
		return {
			email: claims.email ?? claims["https://api.openai.com/profile"]?.email ?? null,
			plan: auth?.chatgpt_plan_type ?? null,
			userId: auth?.chatgpt_user_id ?? auth?.user_id ?? null,
			accountId: auth?.chatgpt_account_id ?? null,
			expiresAtMs: claims.exp === undefined ? null : claims.exp * 1000,
		};
	} catch {
		return null;
	}
}
