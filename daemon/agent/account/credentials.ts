import type { Clock } from "#base/clock.ts";
import type { ChatgptLogin, Login } from "./auth-file.ts";
import type { AuthStore } from "./auth-store.ts";
import { claimsOf } from "./claims.ts";
import type { ExternalTokens, RequestExternalTokens } from "./port.ts";

/** An access token this near to its end is renewed first (codex.md section 5: between 240 s and 360 s). */
const RENEW_BEFORE_MS = 5 * 60_000;
/** After an issuer that did not answer, so that a run does not wait for it each time. */
const PAUSE_MS = 10_000;

/** What to do after a 401. */
export type RecoveryStep =
	| { readonly kind: "retry" }
	| { readonly kind: "end"; readonly message: string | null };

/** Tokens for requests to a model. */
export interface Credentials {
	/** @throws AppError CONFIG_INVALID. */
	login(): Login;
	/** Renews a token that is about to end; resolves when that is done or has failed, and never rejects. */
	prepare(): Promise<void>;
	/** For one request; asked after each of its 401s: read again, then renew, then give up. */
	createRecovery(): { next(): Promise<RecoveryStep> };
}

const RETRY: RecoveryStep = { kind: "retry" };
const GIVE_UP: RecoveryStep = { kind: "end", message: null };

export interface CredentialsOptions {
	readonly store: AuthStore;
	readonly clock: Clock;
	/** Null while no client brought tokens, or it is gone. */
	externalSource(): RequestExternalTokens | null;
}

/** The login that external tokens mean; null when the access token is none. */
export function externalLogin(tokens: ExternalTokens): ChatgptLogin | null {
	const claims = claimsOf(tokens.accessToken);
	if (claims === null) return null;
	return {
		kind: "chatgpt",
		accessToken: tokens.accessToken,
		refreshToken: null,
		accountId: tokens.chatgptAccountId,
		userId: claims.userId,
		email: claims.email,
		plan: tokens.chatgptPlanType ?? claims.plan,
		expiresAtMs: claims.expiresAtMs,
		external: true,
	};
}

export function createCredentials({ store, clock, externalSource }: CredentialsOptions): Credentials {
	let pausedUntilMs = 0;

	async function renewExternal(used: ChatgptLogin): Promise<RecoveryStep> {
		const request = externalSource();
		if (request === null) return GIVE_UP;
		try {
			const next = externalLogin(
				await request({ reason: "unauthorized", previousAccountId: used.accountId }),
			);
			if (next === null) return GIVE_UP;
			store.setExternal(next);
			return RETRY;
		} catch {
			return GIVE_UP;
		}
	}

	async function renew(used: ChatgptLogin): Promise<RecoveryStep> {
		const outcome = await store.refresh("unauthorized_recovery", used);
		if (outcome.kind === "renewed") return RETRY;
		return { kind: "end", message: outcome.kind === "dead" ? outcome.message : null };
	}

	/** The first time another process may have renewed the file meanwhile, which the next request reads. */
	async function recover(step: number): Promise<RecoveryStep> {
		const used = store.login();
		if (used.kind !== "chatgpt" || step > 2) return GIVE_UP;
		if (used.external) return step === 1 ? renewExternal(used) : GIVE_UP;
		return step === 1 ? RETRY : renew(used);
	}

	return {
		login: () => store.login(),
		async prepare() {
			const login = store.login();
			if (login.kind !== "chatgpt" || login.external || login.refreshToken === null) return;
			if (login.expiresAtMs === null || login.expiresAtMs - clock.nowMs() > RENEW_BEFORE_MS) return;
			if (clock.monotonicMs() < pausedUntilMs || store.deadReason() !== null) return;
			const outcome = await store
				.refresh("proactive_expiry", login)
				.catch(() => ({ kind: "unreachable" }) as const);
			if (outcome.kind === "unreachable") pausedUntilMs = clock.monotonicMs() + PAUSE_MS;
		},
		createRecovery() {
			let step = 0;
			return {
				next() {
					step += 1;
					return recover(step);
				},
			};
		},
	};
}
