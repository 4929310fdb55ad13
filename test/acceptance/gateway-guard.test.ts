import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fuzzCoord } from "#test/support/fuzz/coord.ts";
import { fuzzGateway, fuzzHello } from "#test/support/fuzz/gateway.ts";
import { fuzzPtyHost } from "#test/support/fuzz/pty-host.ts";
import { createRandom } from "#test/support/fuzz/random.ts";
import { createProduct, isAlive, type Product } from "#test/support/product.ts";

const SEED = 20_260_103;
const UPGRADE = {
	connection: "Upgrade",
	upgrade: "websocket",
	"sec-websocket-version": "13",
	"sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
};

let product: Product;
let port: number;
let token: string;

interface Status {
	pid: number;
	listeners: { kind: string; address: string }[];
}

beforeAll(async () => {
	product = await createProduct();
	expect((await product.weave("start", "--no-tui")).code).toBe(0);
	const { listeners } = await product.json<Status>("status", "--json");
	port = Number(new URL(listeners.find(({ kind }) => kind === "http")?.address ?? "").port);
	token = readFileSync(join(product.home, "token"), "utf8").trim();
});
afterAll(() => product[Symbol.asyncDispose]());

interface Answer {
	status: number;
	/** The machine-readable code of a refusal. */
	code: string | undefined;
	upgraded: boolean;
}

/** One upgrade over TCP, with whatever headers a page, a proxy or a program could send. */
function upgrade(path: string, headers: Record<string, string>): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const outgoing = request({ host: "127.0.0.1", port, path, headers: { ...UPGRADE, ...headers } });
		outgoing.on("upgrade", (response, socket) => {
			socket.destroy();
			resolve({ status: response.statusCode ?? 0, code: undefined, upgraded: true });
		});
		outgoing.on("response", (response) => {
			let body = "";
			response.setEncoding("utf8").on("data", (chunk: string) => {
				body += chunk;
			});
			response.on("end", () => {
				const { name } = JSON.parse(body) as { name?: string };
				resolve({ status: response.statusCode ?? 0, code: name, upgraded: false });
			});
		});
		outgoing.on("error", reject);
		outgoing.end();
	});
}

const right = (): { authorization: string } => ({ authorization: `Bearer ${token}` });

/** What a stranger tries, and what it must get; none of it may become a WebSocket. */
const ATTEMPTS: readonly {
	title: string;
	path?: (path: string) => string;
	headers: () => Record<string, string>;
	status: number;
	code: string;
}[] = [
	{
		title: "a page on a foreign Origin, even with the token",
		headers: () => ({ ...right(), origin: "https://evil.example" }),
		status: 403,
		code: "AUTH_ORIGIN",
	},
	{
		title: "a page on this host's other port",
		headers: () => ({ ...right(), origin: `http://127.0.0.1:${port + 1}` }),
		status: 403,
		code: "AUTH_ORIGIN",
	},
	{
		title: "a foreign Host, even with the token",
		headers: () => ({ ...right(), host: "evil.example" }),
		status: 403,
		code: "AUTH_ORIGIN",
	},
	{ title: "no token", headers: () => ({}), status: 401, code: "AUTH_REQUIRED" },
	{
		title: "a wrong token",
		headers: () => ({ authorization: `Bearer ${"0".repeat(token.length)}` }),
		status: 401,
		code: "AUTH_REQUIRED",
	},
	{
		title: "the token in the query",
		path: (path) => `${path}?token=${token}`,
		headers: () => ({}),
		status: 401,
		code: "AUTH_REQUIRED",
	},
	{
		title: "the token in the query beside a right header",
		path: (path) => `${path}?access_token=${token}`,
		headers: right,
		status: 401,
		code: "AUTH_REQUIRED",
	},
];

describe.each(["/ws", "/api/realtime"])("gateway guard: %s of the installed product over TCP", (path) => {
	test.each(ATTEMPTS)("gateway guard: refuses $title before the upgrade", async (attempt) => {
		const answer = await upgrade(attempt.path?.(path) ?? path, attempt.headers());
		expect(answer).toEqual({ status: attempt.status, code: attempt.code, upgraded: false });
	});

	test("gateway guard: lets the right token in, with and without its own Origin", async () => {
		expect(await upgrade(path, right())).toMatchObject({ status: 101, upgraded: true });
		const own = { ...right(), origin: `http://127.0.0.1:${port}` };
		expect(await upgrade(path, own)).toMatchObject({ status: 101, upgraded: true });
	});
});

test("gateway guard: never writes the token into a log", () => {
	const logs = join(product.home, "logs");
	const written = readdirSync(logs).map((file) => readFileSync(join(logs, file), "utf8"));
	expect(written.join("")).toContain("request refused");
	expect(written.join("")).not.toContain(token);
});

test(`gateway guard: the daemon is unharmed by 10,000 broken frames and by fuzzed sockets (seed ${SEED})`, {
	timeout: 300_000,
}, async () => {
	await product.json("call", "terminal.session.start", '{"name":"kept","argv":["/bin/cat"]}');
	const before = await product.json<Status>("status", "--json");
	const hostPid = product.hostPid();
	const random = createRandom(SEED);
	const unix = { socketPath: join(product.home, "daemon.sock") };
	expect((await fuzzGateway({ port, token }, random, 5_000)).closes).toBeGreaterThan(0);
	expect((await fuzzGateway(unix, random, 5_000)).closes).toBeGreaterThan(0);
	await fuzzHello({ port, token }, random, 100);
	await fuzzCoord(join(product.weaveHome, "coord.sock"), random, 1_000);
	await fuzzPtyHost(join(product.home, "pty.sock"), random, 100);
	const after = await product.json<Status>("status", "--json");
	expect(after.pid).toBe(before.pid);
	expect(after.listeners).toEqual(before.listeners);
	expect(isAlive(after.pid)).toBe(true);
	expect(product.hostPid()).toBe(hostPid);
	const { terminals } = await product.json<{ terminals: { name: string; status: string }[] }>(
		"call",
		"terminal.session.list",
	);
	expect(terminals).toMatchObject([{ name: "kept", status: "running" }]);
	const { threads } = await product.json<{ threads: unknown[] }>("call", "chat.list");
	expect(threads).toEqual([]);
});
