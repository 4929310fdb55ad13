import { stat } from "node:fs/promises";
import { request } from "node:http";
import { createConnection, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { systemClock } from "#base/clock.ts";
import { rpcOnce } from "#client/node/rpc-once.ts";
import { createGateway } from "#daemon/gateway/create-gateway.ts";
import { createHub } from "#daemon/gateway/create-hub.ts";
import { createGate } from "#daemon/gateway/gate.ts";
import { createMemoryLogger } from "#test/support/logger.ts";
import { completeHandlers, type GatewayFixture, startGateway, TOKEN } from "./gateway-fixture.ts";

interface Answer {
	status: number;
	headers: Readonly<Record<string, string | string[] | undefined>>;
	body: string;
}

interface Ask {
	path?: string;
	method?: string;
	headers?: Record<string, string>;
	body?: string;
	/** An upgrade to a WebSocket instead of a plain request. */
	upgrade?: boolean;
}

const UPGRADE = {
	connection: "Upgrade",
	upgrade: "websocket",
	"sec-websocket-version": "13",
	"sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
};
const BEARER = { authorization: `Bearer ${TOKEN}` };

describe("gateway: authentication over TCP", () => {
	let fixture: GatewayFixture;
	beforeAll(async () => {
		fixture = await startGateway({
			"weave.session.create": ({ name }: { name: string }, { caller }: { caller: { label: string } }) => ({
				session: { name, label: caller.label },
			}),
			"weave.session.list": () => {
				throw new Error("secret detail of a broken handler");
			},
		});
	});
	afterAll(() => fixture[Symbol.asyncDispose]());

	function ask({
		path = "/api/v1/rpc/weave.session.create",
		method = "POST",
		headers = {},
		body,
		upgrade = false,
	}: Ask): Promise<Answer> {
		return new Promise((resolve, reject) => {
			const outgoing = request({
				host: "127.0.0.1",
				port: fixture.port,
				path,
				method: upgrade ? "GET" : method,
				agent: false,
				headers: { host: `127.0.0.1:${fixture.port}`, ...(upgrade ? UPGRADE : {}), ...headers },
			});
			outgoing.once("error", reject);
			outgoing.once("upgrade", (response, socket) => {
				socket.destroy();
				resolve({ status: 101, headers: response.headers, body: "" });
			});
			outgoing.once("response", (response) => {
				let text = "";
				response.setEncoding("utf8");
				response.on("data", (chunk: string) => (text += chunk));
				response.on("end", () =>
					resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
				);
			});
			outgoing.end(body);
		});
	}

	const name = JSON.stringify({ name: "a" });

	test("gateway: serves a right bearer, over HTTP and as an upgrade", async () => {
		const answer = await ask({ headers: { ...BEARER, "weave-client": "cli (pid 1)" }, body: name });
		expect(answer.status).toBe(200);
		expect(JSON.parse(answer.body)).toEqual({ session: { name: "a", label: "cli (pid 1)" } });
		expect((await ask({ path: "/ws", upgrade: true, headers: BEARER })).status).toBe(101);
		expect(
			(
				await ask({
					path: "/api/realtime",
					upgrade: true,
					headers: { ...BEARER, origin: `http://localhost:${fixture.port}` },
				})
			).status,
		).toBe(101);
	});

	test("gateway: takes the token as a subprotocol and selects the plain one", async () => {
		const token = Buffer.from(TOKEN).toString("base64url");
		const offer = (value: string) =>
			ask({ path: "/ws", upgrade: true, headers: { "sec-websocket-protocol": value } });
		const answer = await offer(`weave-codex.v1, weave-codex.bearer.${token}`);
		expect(answer.status).toBe(101);
		expect(answer.headers["sec-websocket-protocol"]).toBe("weave-codex.v1");
		expect((await offer(`weave-codex.bearer.${token}`)).status).toBe(401);
	});

	test.each([
		["a foreign Origin", { ...BEARER, origin: "http://evil.example" }],
		["Origin null", { ...BEARER, origin: "null" }],
		["another port's Origin", { ...BEARER, origin: "http://localhost:1" }],
		["https where http is served", { ...BEARER, origin: "https://localhost" }],
		["a foreign Host", { ...BEARER, host: "evil.example" }],
		["a rebound Host with the right port", { ...BEARER, host: "evil.example:9800" }],
		["a Host without the port", { ...BEARER, host: "127.0.0.1" }],
	])("gateway: answers 403 before the upgrade for %s", async (_what, headers) => {
		for (const upgrade of [true, false]) {
			const answer = await ask({
				path: upgrade ? "/ws" : "/api/v1/rpc/weave.session.create",
				upgrade,
				headers,
				body: upgrade ? "" : name,
			});
			expect(answer.status).toBe(403);
			expect(JSON.parse(answer.body)).toMatchObject({ name: "AUTH_ORIGIN", status: 403 });
		}
		expect((await ask({ path: "/healthz", method: "GET", headers })).status).toBe(403);
	});

	test("gateway: lets no other origin read its answers", async () => {
		const answer = await ask({
			headers: { ...BEARER, origin: `http://127.0.0.1:${fixture.port}` },
			body: name,
		});
		expect(answer.status).toBe(200);
		expect(Object.keys(answer.headers).filter((header) => header.startsWith("access-control"))).toEqual([]);
	});

	test("gateway: answers 401 for a missing, wrong or query token, then 429, and lets the right one in all the while", async () => {
		const wrong: Ask[] = [
			{ body: name },
			{ upgrade: true, path: "/ws" },
			{ body: name, headers: { authorization: `Bearer ${TOKEN}x` } },
			{ upgrade: true, path: "/ws", headers: { authorization: "Basic YTpi" } },
			{ upgrade: true, path: `/ws?token=${TOKEN}` },
			{ upgrade: true, path: `/ws?access_token=${TOKEN}`, headers: BEARER },
			{ path: "/metrics", method: "GET" },
			{ path: "/openapi.json", method: "GET" },
			{ path: "/nothing", method: "GET" },
		];
		for (const one of wrong) {
			const answer = await ask(one);
			expect(answer.status, JSON.stringify(one)).toBe(401);
			expect(JSON.parse(answer.body)).toMatchObject({ name: "AUTH_REQUIRED" });
		}
		const statuses: number[] = [];
		for (let n = 0; n < 4; n += 1) statuses.push((await ask({ body: name })).status);
		expect(statuses).toContain(429);
		expect(statuses.at(-1)).toBe(429);
		expect((await ask({ headers: BEARER, body: name })).status).toBe(200);
		const audited = fixture.log.filter(({ message }) => message === "request refused");
		expect(audited.length).toBeGreaterThanOrEqual(10);
		expect(JSON.stringify(fixture.log)).not.toContain(TOKEN);
	});

	test("gateway: serves health without a token, and the rest of its routes with one", async () => {
		expect(await ask({ path: "/healthz", method: "GET" })).toMatchObject({ status: 200, body: "ok\n" });
		expect(await ask({ path: "/readyz", method: "GET" })).toMatchObject({ status: 200 });
		expect(await ask({ path: "/metrics", method: "GET", headers: BEARER })).toMatchObject({
			status: 200,
			body: "# none\n",
		});
		const openApi = await ask({ path: "/openapi.json", method: "GET", headers: BEARER });
		expect(JSON.parse(openApi.body)).toMatchObject({
			openapi: "3.1.0",
			paths: { "/api/v1/rpc/chat.create": {} },
		});
		expect(await ask({ path: "/elsewhere", method: "GET", headers: BEARER })).toMatchObject({
			status: 404,
			headers: { "content-type": "application/problem+json" },
		});
		expect((await ask({ path: "/elsewhere", upgrade: true, headers: BEARER })).status).toBe(404);
	});

	test("gateway: answers problems with our code for what it cannot run", async () => {
		const call = (method: string, body: string) =>
			ask({ path: `/api/v1/rpc/${method}`, headers: BEARER, body });
		expect(JSON.parse((await call("no.such", "{}")).body)).toMatchObject({
			name: "METHOD_NOT_FOUND",
			status: 404,
		});
		expect(JSON.parse((await call("weave.session.create", "{")).body)).toMatchObject({
			name: "PROTOCOL_INVALID_FRAME",
			status: 400,
		});
		expect(JSON.parse((await call("weave.session.create", '{"nome":1}')).body)).toMatchObject({
			name: "INVALID_PARAMS",
			code: -32010,
			status: 400,
		});
		expect(JSON.parse((await call("events.subscribe", '{"topics":["chats.state"]}')).body)).toMatchObject({
			name: "PROTOCOL_OUT_OF_ORDER",
		});
		const internal = await call("weave.session.list", "{}");
		expect(JSON.parse(internal.body)).toMatchObject({ name: "INTERNAL", status: 500 });
		expect(internal.body).not.toContain("secret detail");
		const huge = await call("weave.session.create", JSON.stringify({ name: "x".repeat(5 * 1024 * 1024) }));
		expect(huge.status).toBe(413);
		const deep = await call("weave.session.create", `{"name":${"[".repeat(100)}${"]".repeat(100)}}`);
		expect(JSON.parse(deep.body)).toMatchObject({ name: "PROTOCOL_LIMIT" });
	});

	test("gateway: keeps its socket to this user and answers one-shot calls on it", async () => {
		expect((await stat(fixture.socketPath)).mode & 0o777).toBe(0o600);
		const paths = { daemonSocket: fixture.socketPath };
		expect(await rpcOnce(paths, "weave.session.create", { name: "b" })).toMatchObject({
			session: { name: "b", label: expect.stringContaining("cli") },
		});
		await expect(rpcOnce(paths, "weave.session.create", {})).rejects.toMatchObject({
			code: "INVALID_PARAMS",
		});
		await expect(
			rpcOnce({ daemonSocket: `${fixture.socketPath}.none` }, "daemon.status", {}),
		).rejects.toMatchObject({ code: "DAEMON_UNAVAILABLE" });
		await expect(rpcOnce(paths, "daemon.status", {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({
			code: "CANCELLED",
		});
	});

	test("gateway: answers a client that speaks no HTTP and goes on", async () => {
		await new Promise<void>((resolve, reject) => {
			const socket = createConnection(fixture.socketPath, () => socket.write("\x00\x01 nonsense\r\n\r\n"));
			socket.on("data", () => undefined);
			socket.on("close", () => resolve());
			socket.on("error", reject);
		});
		expect((await ask({ path: "/healthz", method: "GET" })).status).toBe(200);
	});
});

test("gateway: says PORT_IN_USE for a configured port that is taken, and SOCKET_IN_USE for a living socket", async () => {
	await using fixture = await startGateway({}, { web: false });
	expect(fixture.gateway.listeners).toEqual([{ kind: "unix", address: fixture.socketPath }]);
	const holder = createServer();
	await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
	const address = holder.address();
	const port = typeof address === "object" && address !== null ? address.port : 0;
	const open = (socketPath: string) =>
		createGateway({
			paths: { daemonSocket: socketPath },
			port,
			web: true,
			token: TOKEN,
			epoch: "e",
			handlers: completeHandlers({}),
			hub: createHub({ epoch: "e" }),
			store: fixture.store,
			telemetry: {
				count: () => undefined,
				observe: () => undefined,
				gauge: () => ({ [Symbol.dispose]: () => undefined }),
				trace: () => undefined,
			},
			renderMetrics: () => "",
			logger: createMemoryLogger(),
			clock: systemClock,
			isReady: () => true,
		});
	try {
		await expect(open(`${fixture.socketPath}2`)).rejects.toMatchObject({ code: "PORT_IN_USE" });
		await expect(open(fixture.socketPath)).rejects.toMatchObject({ code: "SOCKET_IN_USE" });
	} finally {
		await new Promise((resolve) => holder.close(resolve));
	}
});

test("gateway: lets nobody in and refuses changes while it drains", async () => {
	await using fixture = await startGateway(
		{ "weave.session.create": () => ({}), "daemon.status": () => ({}) },
		{ web: false },
	);
	const paths = { daemonSocket: fixture.socketPath };
	fixture.gateway.beginDrain();
	await expect(rpcOnce(paths, "weave.session.create", { name: "a" })).rejects.toMatchObject({
		code: "DAEMON_STOPPING",
	});
	await expect(rpcOnce(paths, "daemon.status", {})).resolves.toEqual({});
	const socket = new WebSocket("ws://localhost/ws", {
		createConnection: () => createConnection(fixture.socketPath),
	});
	const status = await new Promise((resolve) => {
		socket.on("unexpected-response", (_request, response) => {
			response.destroy();
			resolve(response.statusCode);
		});
		socket.on("error", () => undefined);
	});
	expect(status).toBe(503);
	socket.terminate();
});

test("gateway: refuses to start when a method has no handler or a handler no method", async () => {
	await using fixture = await startGateway({}, { web: false });
	const { "chat.list": _left, ...some } = completeHandlers({});
	const { createDispatcher } = await import("#daemon/gateway/dispatch.ts");
	const rest = {
		store: fixture.store,
		telemetry: {
			count: () => undefined,
			observe: () => undefined,
			gauge: () => ({ [Symbol.dispose]: () => undefined }),
			trace: () => undefined,
		},
		logger: createMemoryLogger(),
		clock: systemClock,
		gate: createGate({ clock: systemClock, logger: createMemoryLogger() }),
	};
	expect(() => createDispatcher({ ...rest, handlers: some as never })).toThrow("chat.list has no handler");
	expect(() =>
		createDispatcher({ ...rest, handlers: completeHandlers({ "no.method": () => ({}) }) }),
	).toThrow("no.method has no method");
});
