import { randomBytes } from "node:crypto";
import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import type { AuthFile } from "./auth-file.ts";
import { type FinishedLogin, startBrowserLogin } from "./browser-login.ts";
import { claimsOf } from "./claims.ts";
import { startDeviceLogin } from "./device-login.ts";
import { CLIENT_ID, type Oauth } from "./oauth.ts";
import type { LoginStarted, LoginState } from "./port.ts";

/** How long the end of a login can be asked for. */
const KEPT_MS = 10 * 60_000;
/** Nobody leaves a login open for longer; then its port is free again. */
const OPEN_MS = 20 * 60_000;

interface Pending {
	readonly kind: "browser" | "device";
	state: LoginState;
	cancel(): void;
	readonly timer: Disposable;
}

/** Logins that a person has to finish elsewhere. */
export interface Logins extends AsyncDisposable {
	/** The one that waits before is cancelled, as its port is needed. @throws AppError PORT_IN_USE. */
	startBrowser(originator: string): Promise<LoginStarted>;
	/** @throws AppError PROVIDER_UNAVAILABLE. */
	startDevice(): Promise<LoginStarted>;
	state(loginId: string): LoginState | null;
	cancel(loginId: string): "canceled" | "notFound";
}

export interface LoginsOptions {
	readonly oauth: Oauth;
	readonly clock: Clock;
	readonly newId: NewId;
	readonly ports?: readonly number[] | undefined;
	save(file: AuthFile): Promise<void>;
	/** A login ended; `error` null: it is stored. */
	onEnd(loginId: string, error: string | null): void;
}

/** auth.json for a ChatGPT login, with Codex's own members. */
function authFileOf({ tokens, apiKey }: FinishedLogin, issuer: string, nowMs: number): AuthFile {
	const accountId = claimsOf(tokens.idToken)?.accountId ?? claimsOf(tokens.accessToken)?.accountId ?? null;
	return {
		auth_mode: "chatgpt",
		OPENAI_API_KEY: apiKey,
		tokens: {
			id_token: tokens.idToken ?? "",
			access_token: tokens.accessToken ?? "",
			refresh_token: tokens.refreshToken ?? "",
			oauth_provenance: { issuer, client_id: CLIENT_ID },
			login_owner_id: randomBytes(32).toString("base64url"),
			account_id: accountId,
		},
		last_refresh: new Date(nowMs).toISOString(),
	};
}

export function createLogins(options: LoginsOptions): Logins {
	const { oauth, clock, newId, onEnd } = options;
	const pending = new Map<string, Pending>();
	const running = new Set<Promise<void>>();

	function save(login: FinishedLogin): Promise<void> {
		return options.save(authFileOf(login, oauth.urls.issuer, clock.nowMs()));
	}

	function settle(id: string, error: string | null): void {
		const login = pending.get(id);
		if (login?.state.state !== "pending") return;
		login.timer[Symbol.dispose]();
		login.state = error === null ? { state: "completed" } : { state: "failed", error };
		clock.after(KEPT_MS, () => pending.delete(id));
		onEnd(id, error);
	}

	function add(kind: Pending["kind"], cancel: () => void): string {
		const id = newId();
		pending.set(id, { kind, state: { state: "pending" }, cancel, timer: clock.after(OPEN_MS, cancel) });
		return id;
	}

	function follow(work: Promise<void>): void {
		const tracked = work.finally(() => running.delete(tracked));
		running.add(tracked);
	}

	/** A second login of a kind takes the place of the first. */
	async function cancelAll(kind: Pending["kind"]): Promise<void> {
		for (const login of pending.values()) {
			if (login.kind === kind && login.state.state === "pending") login.cancel();
		}
		await Promise.allSettled([...running]);
	}

	return {
		async startBrowser(originator) {
			await cancelAll("browser");
			const login = await startBrowserLogin({ oauth, originator, ports: options.ports, save });
			const loginId = add("browser", login.cancel);
			follow(
				login.ended.then((error) => settle(loginId, error === null ? null : `Login server error: ${error}`)),
			);
			return { type: "chatgpt", loginId, authUrl: login.authUrl };
		},
		async startDevice() {
			const login = await startDeviceLogin(oauth, clock);
			const loginId = add("device", login.cancel);
			async function finish(): Promise<void> {
				const tokens = await login.ended;
				if (typeof tokens === "string") return settle(loginId, tokens);
				try {
					await save({ tokens, apiKey: null });
					settle(loginId, null);
				} catch {
					settle(loginId, "Sign-in completed but credentials could not be saved locally.");
				}
			}
			follow(finish());
			const { verificationUrl, userCode } = login;
			return { type: "chatgptDeviceCode", loginId, verificationUrl, userCode };
		},
		state: (loginId) => pending.get(loginId)?.state ?? null,
		cancel(loginId) {
			if (!/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(loginId)) {
				throw new AppError("INVALID_PARAMS", `invalid login id: ${loginId}`);
			}
			const login = pending.get(loginId);
			if (login?.state.state !== "pending") return "notFound";
			login.cancel();
			return "canceled";
		},
		async [Symbol.asyncDispose]() {
			for (const login of pending.values()) {
				login.timer[Symbol.dispose]();
				login.cancel();
			}
			await Promise.allSettled([...running]);
		},
	};
}
