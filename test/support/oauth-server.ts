import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface OauthRequest {
	readonly method: string;
	readonly path: string;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly body: string;
}
export type OauthAnswer = readonly [status: number, body: unknown];

/** An issuer and ChatGPT backend on loopback; `answers` by path win over its own. */
export interface OauthServer extends AsyncDisposable {
	readonly url: string;
	readonly requests: OauthRequest[];
	readonly answers: Map<string, (request: OauthRequest) => OauthAnswer | Promise<OauthAnswer>>;
	/** Requests to a path, in order. */
	to(path: string): OauthRequest[];
}

/** A token with claims and no signature, as nobody here checks one. */
export function fakeToken(claims: unknown): string {
	return `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;
}

/** An access or id token of one account; `serial` tells tokens apart. */
export function accountToken(options: { expiresAtMs: number; serial?: number; account?: string }): string {
	return fakeToken({
		email: "u@example.com",
		exp: Math.floor(options.expiresAtMs / 1000),
		serial: options.serial ?? 0,
		"https://api.openai.com/auth": {
			chatgpt_plan_type: "plus",
			chatgpt_user_id: "user-1",
			chatgpt_account_id: options.account ?? "acct-1",
		},
	});
}

const WORKSPACE = {
	id: "acct-1",
	name: "Personal",
	structure: "personal",
	workspace_backend_origin: "https://chatgpt.example",
	account_routing_override: "NO_CONSTRAINT",
};

/** Starts it; each refresh or exchange gives the next serial of tokens. */
export async function startOauthServer(): Promise<OauthServer> {
	const requests: OauthRequest[] = [];
	const answers: OauthServer["answers"] = new Map();
	let serial = 0;

	function own({ path, body }: OauthRequest): OauthAnswer {
		if (path === "/oauth/token" && body.includes("token-exchange"))
			return [200, { access_token: "sk-exchanged" }];
		if (path === "/oauth/token") {
			serial += 1;
			const token = accountToken({ expiresAtMs: Date.now() + 3_600_000, serial });
			return [200, { id_token: token, access_token: token, refresh_token: `rt-new-${serial}` }];
		}
		if (path === "/oauth/revoke") return [200, {}];
		if (path.endsWith("/wham/accounts/check")) return [200, { accounts: [WORKSPACE] }];
		return [404, {}];
	}

	async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
		const pieces: Buffer[] = [];
		for await (const piece of incoming) pieces.push(piece as Buffer);
		const request = {
			method: incoming.method ?? "",
			path: new URL(incoming.url ?? "/", "http://x").pathname,
			headers: incoming.headers,
			body: Buffer.concat(pieces).toString("utf8"),
		};
		requests.push(request);
		const [status, body] = await (answers.get(request.path) ?? own)(request);
		response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
	}
	const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
	const ready = Promise.withResolvers<void>();
	server.listen(0, "127.0.0.1", () => ready.resolve());
	await ready.promise;
	const address = server.address();
	const port = typeof address === "object" && address !== null ? address.port : 0;
	return {
		url: `http://127.0.0.1:${port}`,
		requests,
		answers,
		to: (path) => requests.filter((request) => request.path === path),
		async [Symbol.asyncDispose]() {
			const closed = Promise.withResolvers<void>();
			server.close(() => closed.resolve());
			server.closeAllConnections();
			await closed.promise;
		},
	};
}
