import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { AppError } from "#base/app-error.ts";
import { claimsOf } from "./claims.ts";
import { loginPage } from "./login-page.ts";
import { authorizeUrl, type NewTokens, type Oauth } from "./oauth.ts";

/** Redirect ports that the client is registered with, in the order they are tried. */
export const LOGIN_PORTS: readonly number[] = [1455, 1457];

export interface FinishedLogin {
	readonly tokens: NewTokens;
	readonly apiKey: string | null;
}

export interface BrowserLoginOptions {
	readonly oauth: Oauth;
	readonly originator: string;
	/** Default LOGIN_PORTS; tests take free ones. */
	readonly ports?: readonly number[] | undefined;
	/** Stores what the browser brought; the person sees whether it worked. */
	save(login: FinishedLogin): Promise<void>;
}

/** A login page that waits in the browser. */
export interface BrowserLogin {
	readonly authUrl: string;
	/** Null: the person has seen that it worked. A text: why it failed. Never rejects. */
	readonly ended: Promise<string | null>;
	cancel(): void;
}

function listen(server: Server, port: number): Promise<number | null> {
	const { promise, resolve, reject } = Promise.withResolvers<number | null>();
	server.once("error", (error: NodeJS.ErrnoException) => {
		if (error.code === "EADDRINUSE") resolve(null);
		else reject(error);
	});
	server.listen(port, "127.0.0.1", () => {
		const address = server.address();
		resolve(typeof address === "object" && address !== null ? address.port : port);
	});
	return promise;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

async function openServer(ports: readonly number[], onRequest: Listener) {
	for (const port of ports) {
		const server = createServer(onRequest);
		const bound = await listen(server, port);
		if (bound !== null) return { server, port: bound };
	}
	throw new AppError(
		"PORT_IN_USE",
		`The login needs port ${ports.join(" or ")} on this machine, and all are taken.`,
	);
}

function answer(response: ServerResponse, status: number, text: string, type = "text/plain"): void {
	response.writeHead(status, { "content-type": `${type}; charset=utf-8`, connection: "close" }).end(text);
}

function successUrl(port: number, tokens: NewTokens): string {
	// The token is left out of the address: it would stay in the browser's history, and the page needs none of it.
	const plan = claimsOf(tokens.accessToken)?.plan ?? "";
	return `http://127.0.0.1:${port}/success?plan_type=${encodeURIComponent(plan)}`;
}

/**
 * Opens the local page that the issuer sends the browser back to (authorization code with PKCE).
 * @throws AppError PORT_IN_USE when no registered port is free.
 */
export async function startBrowserLogin(options: BrowserLoginOptions): Promise<BrowserLogin> {
	const { oauth, originator, save, ports = LOGIN_PORTS } = options;
	const verifier = randomBytes(64).toString("base64url");
	const challenge = createHash("sha256").update(verifier).digest("base64url");
	const state = randomBytes(32).toString("base64url");
	const left = new AbortController();
	const end = Promise.withResolvers<string | null>();
	let taken = false;
	let saved = false;
	let redirectUri = "";
	let port = 0;

	function fail(response: ServerResponse, reason: string): void {
		answer(response, 200, loginPage("Not signed in", reason), "text/html");
		end.resolve(reason);
	}

	async function finish(code: string, response: ServerResponse): Promise<void> {
		const tokens = await oauth.exchangeCode({ code, verifier, redirectUri, signal: left.signal });
		if (tokens === null) return fail(response, "The sign-in was refused when its code was exchanged.");
		const apiKey = tokens.idToken === null ? null : await oauth.exchangeApiKey(tokens.idToken, left.signal);
		if (left.signal.aborted) return fail(response, "Login was not completed");
		try {
			await save({ tokens, apiKey });
		} catch {
			return fail(response, "Sign-in completed but credentials could not be saved locally.");
		}
		saved = true;
		response.writeHead(302, { location: successUrl(port, tokens), connection: "close" }).end();
	}

	async function callback(query: URLSearchParams, response: ServerResponse): Promise<void> {
		if (query.get("state") !== state) return answer(response, 400, "State mismatch");
		const refused = query.get("error");
		if (refused !== null) {
			return fail(response, `Sign-in failed: ${(query.get("error_description") ?? refused).slice(0, 300)}`);
		}
		const code = query.get("code");
		if (!code) return fail(response, "Missing authorization code. Sign-in could not be completed.");
		if (taken) return answer(response, 400, "This sign-in was answered already");
		taken = true;
		await finish(code, response);
	}

	const opened = await openServer(ports, (request, response) => {
		// Any page of the browser may ask for anything here, also for what is no address.
		const url = URL.parse(request.url ?? "/", "http://127.0.0.1");
		if (url === null) answer(response, 400, "Bad Request");
		else if (url.pathname === "/auth/callback") {
			void callback(url.searchParams, response);
		} else if (url.pathname === "/success" && saved) {
			answer(
				response,
				200,
				loginPage("Signed in", "You can close this page and go back to the terminal."),
				"text/html",
			);
			end.resolve(null);
		} else if (url.pathname === "/cancel") {
			answer(response, 200, "Login cancelled");
			end.resolve("Login was not completed");
		} else answer(response, 404, "Not Found");
	});
	port = opened.port;
	redirectUri = `http://127.0.0.1:${port}/auth/callback`;
	const { server } = opened;
	const ended = end.promise.finally(() => {
		left.abort();
		server.close();
		server.closeIdleConnections();
	});
	return {
		authUrl: authorizeUrl(oauth.urls.issuer, { redirectUri, challenge, state, originator }),
		ended,
		cancel: () => end.resolve("Login was not completed"),
	};
}
