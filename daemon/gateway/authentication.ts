import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "../telemetry/port.ts";
import { createFailureCount } from "./failure-count.ts";

/** What proves a TCP client, and what it is tried against. */
interface AuthenticatorOptions {
	token: string;
	/** The bound port; Host and Origin must name it. */
	port(): number;
	clock: Clock;
	logger: Logger;
}

export interface Authenticator {
	/** Host and Origin only; for what is served without a token. @throws AppError AUTH_ORIGIN. */
	assertPlace(request: IncomingMessage): void;
	/** Place, then token. @throws AppError AUTH_ORIGIN, AUTH_REQUIRED, AUTH_RATE_LIMITED. */
	assertToken(request: IncomingMessage): void;
}

export const SUBPROTOCOL = "weave-codex.v1";
const BEARER_SUBPROTOCOL = "weave-codex.bearer.";
/** Wrong tokens of one address within a minute before it is told to wait; a right one is always let in. */
const FAILURES_MAX = 10;
/** Names under which tokens are put into URLs, where they would end in logs and histories. */
const QUERY_CREDENTIALS = new Set([
	"token",
	"access_token",
	"bearer",
	"auth",
	"authorization",
	"api_key",
	"apikey",
	"key",
	"secret",
]);
const LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"];
const ORIGIN_HOSTS = ["127.0.0.1", "localhost"];

function digest(text: string): Buffer {
	return createHash("sha256").update(text, "utf8").digest();
}

function offeredSubprotocols(request: IncomingMessage): string[] {
	return (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
}

/** Every credential the request carries; more than one is allowed to be wrong as long as none is right. */
function credentialsOf(request: IncomingMessage): string[] {
	const found: string[] = [];
	const bearer = /^Bearer +([^\s]+)$/i.exec(request.headers.authorization ?? "")?.[1];
	if (bearer !== undefined) found.push(bearer);
	const offered = offeredSubprotocols(request);
	if (!offered.includes(SUBPROTOCOL)) return found;
	for (const name of offered) {
		if (name.startsWith(BEARER_SUBPROTOCOL))
			found.push(Buffer.from(name.slice(BEARER_SUBPROTOCOL.length), "base64url").toString("utf8"));
	}
	return found;
}

function hasQueryCredential(request: IncomingMessage): boolean {
	const url = request.url ?? "";
	const at = url.indexOf("?");
	if (at < 0) return false;
	return [...new URLSearchParams(url.slice(at + 1)).keys()].some((name) =>
		QUERY_CREDENTIALS.has(name.toLowerCase()),
	);
}

/** Authentication of the TCP listener; loopback is no credential (contracts.md 5). Everything refused is logged, up to the rate limit. */
export function createAuthenticator({ token, port, clock, logger }: AuthenticatorOptions): Authenticator {
	if (token.length < 16) throw new Error("the gateway's token is too short");
	const expected = digest(token);
	const failures = createFailureCount(clock, FAILURES_MAX);
	const misplaced = createFailureCount(clock, FAILURES_MAX);

	/** A page can ask as often as it likes; the log keeps room for what matters. */
	function auditPlace(request: IncomingMessage, reason: string): void {
		if (misplaced.add(request.socket.remoteAddress ?? "unknown") <= FAILURES_MAX) audit(request, reason);
	}

	function audit(request: IncomingMessage, reason: string): void {
		const { host, origin } = request.headers;
		const remote = request.socket.remoteAddress ?? "unknown";
		const path = (request.url ?? "").split("?", 1)[0]?.slice(0, 200);
		logger.warn("request refused", {
			audit: true,
			reason,
			remote,
			path,
			host: host?.slice(0, 200),
			origin: origin?.slice(0, 200),
		});
	}

	function assertPlace(request: IncomingMessage): void {
		const hosts = request.headersDistinct["host"] ?? [];
		const host = hosts[0]?.toLowerCase();
		if (
			hosts.length !== 1 ||
			host === undefined ||
			!LOOPBACK_HOSTS.some((name) => host === `${name}:${port()}`)
		) {
			auditPlace(request, "host");
			throw new AppError("AUTH_ORIGIN", "The Host header does not name this listener.");
		}
		const { origin } = request.headers;
		if (origin !== undefined && !ORIGIN_HOSTS.some((name) => origin === `http://${name}:${port()}`)) {
			auditPlace(request, "origin");
			throw new AppError("AUTH_ORIGIN", "The Origin is not this listener.");
		}
	}

	function refuse(request: IncomingMessage, message: string): never {
		const count = failures.add(request.socket.remoteAddress ?? "unknown");
		if (count <= FAILURES_MAX) {
			audit(request, "token");
			throw new AppError("AUTH_REQUIRED", message);
		}
		throw new AppError("AUTH_RATE_LIMITED");
	}

	return {
		assertPlace,
		assertToken(request) {
			assertPlace(request);
			if (hasQueryCredential(request))
				refuse(request, "A token in the URL is not accepted; send it as a header.");
			const right = credentialsOf(request).some((credential) =>
				timingSafeEqual(digest(credential), expected),
			);
			if (!right) refuse(request, "Credentials are missing or wrong.");
		},
	};
}
