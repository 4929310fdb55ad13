import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GatewayFixture, startGateway, TOKEN } from "./gateway-fixture.ts";

let fixture: GatewayFixture;
const open: Socket[] = [];

beforeAll(async () => {
	fixture = await startGateway({ "daemon.status": () => ({ fine: true }) });
});
afterAll(async () => {
	for (const socket of open) socket.destroy();
	await fixture[Symbol.asyncDispose]();
});

/** Says `text` and goes on listening, whatever the other side does; resolves with the first bytes of the answer. */
function say(text: string): Promise<string> {
	const socket = connect({ host: "127.0.0.1", port: fixture.port, allowHalfOpen: true });
	open.push(socket);
	socket.on("error", () => undefined);
	socket.write(text);
	return new Promise((resolve) => {
		socket.once("data", (chunk) => resolve(chunk.toString("utf8")));
		socket.once("close", () => resolve(""));
	});
}

const head = (lines: readonly string[]): string => `${lines.join("\r\n")}\r\n\r\n`;
const post = (...lines: string[]): string =>
	head(["POST /api/v1/rpc/daemon.status HTTP/1.1", ...lines, "Content-Length: 0"]);
const statusOf = (answer: string): number => Number(answer.split(" ", 2)[1]);
const host = (): string => `Host: 127.0.0.1:${fixture.port}`;
const bearer = `Authorization: Bearer ${TOKEN}`;

describe("gateway: hostile peers", () => {
	test.each([
		["a name that begins with ours", "Host: localhost.evil:PORT"],
		["a trailing dot", "Host: localhost.:PORT"],
		["another person in front", "Host: 127.0.0.1:PORT@evil.example"],
		["no port", "Host: 127.0.0.1"],
		["another port", "Host: 127.0.0.1:1"],
		["the address in another spelling", "Host: 2130706433:PORT"],
		["an address that is mapped", "Host: [::ffff:127.0.0.1]:PORT"],
		["any address", "Host: 0.0.0.0:PORT"],
	])("gateway: refused, token or not, when the Host is %s", async (_what, line) => {
		expect(statusOf(await say(post(line.replace("PORT", String(fixture.port)), bearer)))).toBe(403);
	});

	test("gateway: a request whose end is told in two ways, or by two hosts, gets no answer of a method", async () => {
		const tails = [
			[host(), bearer, "Transfer-Encoding: chunked"],
			[host(), host(), bearer],
			[host(), "Host: evil.example", bearer],
		];
		for (const lines of tails) expect(statusOf(await say(post(...lines)))).toBeGreaterThanOrEqual(400);
		expect(statusOf(await say(post(host(), bearer)))).toBe(200);
	});

	test("gateway: a page's simple request without a token reaches no method", async () => {
		const simple = [host(), "Content-Type: text/plain"];
		expect(statusOf(await say(post(...simple)))).toBe(401);
		expect(statusOf(await say(post(...simple, "Origin: null")))).toBe(403);
		expect(statusOf(await say(post(...simple, `Origin: http://localhost.evil:${fixture.port}`)))).toBe(403);
	});

	test("gateway: what is refused without a credential names no place of this machine", async () => {
		for (const answer of [await say(post(host())), await say(post("Host: evil.example"))])
			expect(answer).not.toMatch(/\/(?:home|root|tmp|work|var)\//);
	});

	test("gateway: refused peers that do not go away take nobody's place", async () => {
		const upgrade = head([
			"GET /ws HTTP/1.1",
			host(),
			"Connection: Upgrade",
			"Upgrade: websocket",
			"Sec-WebSocket-Version: 13",
			"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
		]);
		for (let round = 0; round < 20; round += 1) {
			const answers = await Promise.all(Array.from({ length: 50 }, () => say(upgrade)));
			expect(answers.every((answer) => [401, 429].includes(statusOf(answer)))).toBe(true);
		}
		expect(statusOf(await say(post(host(), bearer)))).toBe(200);
	});

	test("gateway: a flood of refused requests does not flood the log", async () => {
		const before = fixture.log.length;
		for (let at = 0; at < 50; at += 1) await say(post(host(), `Origin: http://evil${at}.example`));
		expect(fixture.log.length - before).toBeLessThanOrEqual(10);
	});
});
