import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { readText, sendHttp } from "#daemon/agent/provider/wire/http.ts";

const stack: AsyncDisposable[] = [];

afterEach(async () => {
	for (const each of stack.splice(0)) await each[Symbol.asyncDispose]();
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server of its own; the connections that it has seen are counted. */
async function serve(handler: Handler): Promise<{ url: string; connections: () => number }> {
	let connections = 0;
	const server = createServer(handler).on("connection", () => {
		connections += 1;
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	stack.push({
		[Symbol.asyncDispose]: () =>
			new Promise<void>((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	});
	const { port } = server.address() as AddressInfo;
	return { url: `http://127.0.0.1:${port}/v1/x`, connections: () => connections };
}

function post(url: string, signal = new AbortController().signal) {
	return sendHttp({ method: "POST", url, headers: { "x-own": "a" }, body: "{}", clock: systemClock, signal });
}

test("http: a connection serves the next request when nothing of the answer is missed", async () => {
	const { url, connections } = await serve((_request, response) => {
		response.write("one ");
		setImmediate(() => response.end("two"));
	});
	const first = await post(url);
	await first.read();
	first.close(true);
	await expect
		.poll(async () => {
			const before = connections();
			await readText(await post(url), 100);
			return connections() - before;
		})
		.toBe(0);
});

test("http: an answer that is left early loses its connection", async () => {
	const closed = Promise.withResolvers<void>();
	const { url } = await serve((_request, response) => {
		response.once("close", () => closed.resolve());
		response.write("and so on");
	});
	(await post(url)).close();
	await closed.promise;
});

test("http: a server that goes on after its last event loses its connection too", async () => {
	const closed = Promise.withResolvers<void>();
	const { url } = await serve((_request, response) => {
		response.once("close", () => closed.resolve());
		response.write("and so on");
	});
	(await post(url)).close(true);
	await closed.promise;
});

test("http: an abort ends the wait and the body", async () => {
	const { url } = await serve((request, response) => {
		if (request.url !== "/v1/x") response.write("head");
	});
	const before = new AbortController();
	const waiting = post(url, before.signal);
	before.abort();
	await expect(waiting).rejects.toThrow("aborted");
	const during = new AbortController();
	const answer = await post(`${url}/y`, during.signal);
	await answer.read();
	const next = answer.read();
	during.abort();
	await expect(next).rejects.toThrow();
	await expect(post(url, AbortSignal.abort())).rejects.toThrow();
});

test("http: a broken body throws at the read, and nobody listening at once", async () => {
	const { url } = await serve((_request, response) => {
		response.write("half", () => response.destroy());
	});
	const answer = await post(url);
	await expect(readText(answer, 100)).rejects.toThrow();
	await expect(post("http://127.0.0.1:9/x")).rejects.toMatchObject({ code: "ECONNREFUSED" });
	await expect(post("ftp://127.0.0.1/x")).rejects.toThrow(TypeError);
	await expect(post("no url")).rejects.toThrow();
});

test("http: redirects are not followed, packed bodies are unpacked, large ones refused", async () => {
	const { url } = await serve((request, response) => {
		if (request.url?.endsWith("/moved")) response.writeHead(302, { location: "http://127.0.0.1:9/" }).end();
		else response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("packed ".repeat(10)));
	});
	const moved = await post(`${url}/moved`);
	expect([moved.status, moved.headers.get("Location")]).toEqual([302, "http://127.0.0.1:9/"]);
	moved.close();
	expect(await readText(await post(url), 100)).toBe("packed ".repeat(10));
	await expect(readText(await post(url), 10)).rejects.toThrow(RangeError);
});
