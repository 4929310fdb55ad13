import { mkdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { writeFileAtomic } from "#platform/atomic-file.ts";
import {
	type AuthFile,
	type ChatgptLogin,
	type Login,
	loginOf,
	NO_LOGIN,
	parseAuthFile,
	renderAuthFile,
} from "./auth-file.ts";
import { createCachedFile } from "./cached-file.ts";
import { holdLock } from "./lock.ts";
import type { NewTokens, Oauth, RefreshReason } from "./oauth.ts";

export type RefreshOutcome =
	/** There are other tokens than before; who renewed them does not matter. */
	| { readonly kind: "renewed" }
	/** Log in again; the message says so. */
	| { readonly kind: "dead"; readonly message: string }
	/** The issuer could not be reached; the present tokens may still do. */
	| { readonly kind: "unreachable" };

/** The login of one Codex home. It is the only writer of auth.json in this process. */
export interface AuthStore {
	/** As the file is now, or what a client brought. @throws AppError CONFIG_INVALID. */
	login(): Login;
	/** Why the present login cannot be renewed any more; null as far as is known. */
	deadReason(): string | null;
	/**
	 * Renews the tokens unless somebody did since `used` was read. Callers of one process share one refresh, and processes
	 * take turns by the lock file: the refresh token is used once.
	 */
	refresh(reason: RefreshReason, used: ChatgptLogin): Promise<RefreshOutcome>;
	/** Replaces the login whole. @throws NodeJS.ErrnoException. */
	save(file: AuthFile): Promise<void>;
	setExternal(login: ChatgptLogin | null): void;
	/** Forgets the login of whichever kind; true when there was one. */
	remove(): Promise<boolean>;
}

export interface AuthStoreOptions {
	readonly codexHome: string;
	readonly oauth: Oauth;
	readonly clock: Clock;
}

const GONE =
	"Your access token could not be refreshed because you have since logged out or signed in to another account. Please sign in again.";
const DEAD = "Your access token could not be refreshed. Please log out and sign in again.";

/** Follows a link, so that the file a person keeps elsewhere is replaced and not the link to it. */
function targetOf(file: string): string {
	try {
		return realpathSync(file);
	} catch {
		return file;
	}
}

function readOrNull(file: string): AuthFile | null {
	try {
		return parseAuthFile(readFileSync(file, "utf8"), file);
	} catch {
		return null;
	}
}

function withTokens(file: AuthFile, tokens: NewTokens, nowMs: number): AuthFile {
	return {
		...file,
		tokens: {
			...file.tokens,
			access_token: tokens.accessToken ?? file.tokens?.access_token ?? "",
			...(tokens.idToken === null ? {} : { id_token: tokens.idToken }),
			...(tokens.refreshToken === null ? {} : { refresh_token: tokens.refreshToken }),
		},
		last_refresh: new Date(nowMs).toISOString(),
	};
}

export function createAuthStore({ codexHome, oauth, clock }: AuthStoreOptions): AuthStore {
	const file = join(codexHome, "auth.json");
	const lockFile = join(codexHome, "auth.lock");
	const writeLockFile = join(codexHome, "auth.json.lock");
	let external: ChatgptLogin | null = null;
	let dead: { refreshToken: string; message: string } | null = null;
	let running: Promise<RefreshOutcome> | null = null;
	const read = createCachedFile<Login>(file, (text) =>
		text === null ? NO_LOGIN : loginOf(parseAuthFile(text, file)),
	);

	function login(): Login {
		return external ?? read();
	}

	function write(next: AuthFile): void {
		mkdirSync(codexHome, { recursive: true, mode: 0o700 });
		writeFileAtomic(targetOf(file), renderAuthFile(next), 0o600);
	}

	/** Under the lock: what came back counts only where the file still holds what was sent. */
	async function commit(sent: string, tokens: NewTokens): Promise<void> {
		using _write = await holdLock(writeLockFile, clock);
		const now = readOrNull(file);
		if (now?.tokens?.refresh_token !== sent) return;
		write(withTokens(now, tokens, clock.nowMs()));
	}

	async function refreshLocked(reason: RefreshReason, used: ChatgptLogin): Promise<RefreshOutcome> {
		using _lock = await holdLock(lockFile, clock);
		const now = readOrNull(file);
		const current = now === null ? NO_LOGIN : loginOf(now);
		if (current.kind !== "chatgpt" || current.accountId !== used.accountId)
			return { kind: "dead", message: GONE };
		if (current.accessToken !== used.accessToken) return { kind: "renewed" };
		const { refreshToken } = current;
		if (refreshToken === null) return { kind: "dead", message: DEAD };
		if (dead?.refreshToken === refreshToken) return { kind: "dead", message: dead.message };
		const reply = await oauth.refresh(refreshToken, reason);
		if (reply.kind === "tokens") {
			await commit(refreshToken, reply.tokens);
			return { kind: "renewed" };
		}
		if (reply.kind === "dead") dead = { refreshToken, message: reply.message };
		return reply;
	}

	/** The present file, exchanged under both locks. */
	async function change(apply: () => void): Promise<void> {
		using _lock = await holdLock(lockFile, clock);
		using _write = await holdLock(writeLockFile, clock);
		external = null;
		apply();
	}

	return {
		login,
		deadReason() {
			const now = login();
			return now.kind === "chatgpt" && dead !== null && dead.refreshToken === now.refreshToken
				? dead.message
				: null;
		},
		refresh(reason, used) {
			running ??= refreshLocked(reason, used).finally(() => {
				running = null;
			});
			return running;
		},
		save: (next) => change(() => write(next)),
		setExternal(next) {
			external = next;
		},
		async remove() {
			let had = external !== null;
			await change(() => {
				had ||= readOrNull(file) !== null;
				// The link, where it is one: what it leads to goes too, as it holds the tokens.
				rmSync(targetOf(file), { force: true });
				rmSync(file, { force: true });
			});
			return had;
		},
	};
}
