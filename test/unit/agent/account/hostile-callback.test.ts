import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BrowserLogin, startBrowserLogin } from "#daemon/agent/account/browser-login.ts";
import type { Oauth } from "#daemon/agent/account/oauth.ts";

let login: BrowserLogin;
let codes: string[];
beforeEach(async () => {
	codes = [];
	const oauth = {
		urls: { issuer: "http://127.0.0.1:1" },
		exchangeCode: ({ code }: { code: string }) => {
			codes.push(code);
			return Promise.resolve(null);
		},
	} as unknown as Oauth;
	const save = (): Promise<void> => Promise.reject(new Error("nothing to save"));
	login = await startBrowserLogin({ oauth, originator: "test", ports: [0], save });
});
afterEach(() => login.cancel());

const query = (): URLSearchParams => new URL(login.authUrl).searchParams;

async function say(target: string): Promise<string> {
	const { port } = new URL(query().get("redirect_uri") ?? "");
	const socket = connect(Number(port), "127.0.0.1");
	await once(socket, "connect");
	socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n`);
	return text(socket);
}

test.each(["//", "http://[", "//[::1", "/%", "*"])(
	"login: the page of the browser lives on when it is asked for %s",
	async (target) => {
		expect(await say(target)).toMatch(/^HTTP\/1\.1 4\d\d /);
		expect(await say("/auth/callback?code=mine")).toContain("State mismatch");
	},
);

test("login: a code counts with the state of this login only, and once", async () => {
	const state = encodeURIComponent(query().get("state") ?? "");
	expect(await say(`/auth/callback?code=a&state=${state}x`)).toContain("State mismatch");
	expect(await say("/auth/callback?error=access_denied")).toContain("State mismatch");
	expect(await say("/success")).toMatch(/^HTTP\/1\.1 404 /);
	expect(codes).toEqual([]);
	const both = await Promise.all([
		say(`/auth/callback?code=b&state=${state}`),
		say(`/auth/callback?code=c&state=${state}`),
	]);
	expect(both.join()).toContain("answered already");
	expect(codes).toHaveLength(1);
});
