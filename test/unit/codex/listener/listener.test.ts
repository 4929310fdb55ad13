import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { systemClock } from "#base/clock.ts";
import type { CodexLink } from "#daemon/codex/link.ts";
import { type CodexSocket, createCodexSocket } from "#daemon/codex/listener/create-codex-socket.ts";
import { createLineLink } from "#daemon/codex/listener/line-wire.ts";
import { createCodexUpgrades } from "#daemon/gateway/codex-upgrade.ts";
import { createMemoryLogger } from "#test/support/logger.ts";

/** Answers every message with what it got, and remembers who is connected. */
function createEcho() {
	const links = new Set<CodexLink>();
	return {
		links,
		connect(link: CodexLink): Disposable {
			links.add(link);
			link.onMessage((text) => link.send(`echo ${text}`));
			link.onClose(() => links.delete(link));
			return { [Symbol.dispose]: () => link.close() };
		},
	};
}

let folder: string;
let echo: ReturnType<typeof createEcho>;
let server: CodexSocket;

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "codex-listener-"));
	echo = createEcho();
	const upgrades = createCodexUpgrades({ facade: echo, clock: systemClock });
	const logger = createMemoryLogger();
	server = await createCodexSocket({
		path: join(folder, "in", "codex.sock"),
		facade: echo,
		upgrades,
		logger,
	});
});

afterEach(async () => {
	await server[Symbol.asyncDispose]();
	await rm(folder, { recursive: true, force: true });
});

async function readLine(socket: Socket): Promise<string> {
	let text = "";
	for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
		text += String(chunk);
		if (text.endsWith("\n")) break;
	}
	return text;
}

function turnOfLoop(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

async function gone(): Promise<void> {
	while (echo.links.size > 0) await turnOfLoop();
}

describe("codex.sock", () => {
	test("codex socket: JSON lines are served when the first byte is an object", async () => {
		const socket = connect(server.path);
		socket.write('{"id":1}\n{"id":');
		expect(await readLine(socket)).toBe('echo {"id":1}\n');
		socket.write("2}\n");
		expect(await readLine(socket)).toBe('echo {"id":2}\n');
		socket.end();
		await gone();
	});

	test("codex socket: a WebSocket is served at any path when a client upgrades", async () => {
		const client = new WebSocket(`ws+unix:${server.path}:/rpc`);
		await once(client, "open");
		client.send('{"id":1}');
		const [first] = await once(client, "message");
		expect(String(first)).toBe('echo {"id":1}');
		const big = "x".repeat(3_000_000);
		client.send(big);
		const [second] = await once(client, "message");
		expect(String(second)).toHaveLength(big.length + 5);
		client.close();
		await gone();
	});

	test("codex socket: a plain HTTP request is told to upgrade when it asks for a page", async () => {
		const socket = connect(server.path);
		socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
		const [answer] = await once(socket, "data");
		expect(String(answer)).toMatch(/^HTTP\/1.1 426 /);
		socket.destroy();
	});

	test("codex socket: only this user may connect when it listens", async () => {
		expect((await stat(server.path)).mode & 0o777).toBe(0o600);
		expect((await stat(join(folder, "in"))).mode & 0o777).toBe(0o700);
	});

	test("codex socket: who says nothing, or half an upgrade, is ended, and who speaks stays", async () => {
		const upgrades = createCodexUpgrades({ facade: echo, clock: systemClock });
		const path = join(folder, "short.sock");
		await using _short = await createCodexSocket({
			...{ path, facade: echo, upgrades, logger: createMemoryLogger(), openingMs: 100 },
		});
		const speaking = connect(path);
		speaking.write("{}\n");
		expect(await readLine(speaking)).toBe("echo {}\n");
		const client = new WebSocket(`ws+unix:${path}:/`);
		await once(client, "open");
		const silent = ["", "GET / HT", "GET / HTTP/1.1\r\nUpgrade: websocket\r\n"].map((start) => {
			const socket = connect(path);
			socket.on("error", () => undefined);
			socket.write(start);
			return once(socket, "close");
		});
		await Promise.all(silent);
		speaking.write("{}\n");
		expect(await readLine(speaking)).toBe("echo {}\n");
		client.send("x");
		expect(String((await once(client, "message"))[0])).toBe("echo x");
		speaking.destroy();
		client.terminate();
	});

	test("codex socket: a second listener is refused when the first lives", async () => {
		const upgrades = createCodexUpgrades({ facade: echo, clock: systemClock });
		const second = createCodexSocket({
			...{ path: server.path, facade: echo, upgrades, logger: createMemoryLogger() },
		});
		await expect(second).rejects.toMatchObject({ code: "SOCKET_IN_USE" });
		const socket = connect(server.path);
		socket.write("{}\n");
		expect(await readLine(socket)).toBe("echo {}\n");
		socket.destroy();
		await gone();
	});
});

describe("line link", () => {
	test("codex link: what came before the listener is kept for it, in order", async () => {
		const input = new PassThrough();
		const link = createLineLink({ label: "stdio", kind: "stdio", input, output: new PassThrough() });
		input.write("1\n2\n");
		await turnOfLoop();
		const seen: string[] = [];
		link.onMessage((text) => seen.push(text));
		input.write("3\n");
		await turnOfLoop();
		expect(seen).toEqual(["1", "2", "3"]);
	});

	test("codex link: messages of one tick leave in one write, and those of the last tick too when the input ends", async () => {
		const input = new PassThrough();
		const output = new PassThrough();
		const link = createLineLink({ label: "stdio", kind: "stdio", input, output });
		let closed = 0;
		link.onClose(() => {
			closed += 1;
		});
		link.send("a");
		link.send("b");
		input.end();
		await once(input, "end");
		expect(String(output.read())).toBe("a\nb\n");
		link.send("late");
		expect(output.read()).toBeNull();
		expect(closed).toBe(1);
	});

	test("codex link: a client that does not read is paused, then ended when it is too far behind", async () => {
		const input = new PassThrough();
		const output = new PassThrough();
		const link = createLineLink({ label: "stdio", kind: "stdio", input, output });
		const closed = new Promise<void>((resolve) => link.onClose(resolve));
		link.send("x".repeat(5 * 1024 * 1024));
		await Promise.resolve();
		expect(input.isPaused()).toBe(true);
		output.resume();
		await once(output, "drain");
		expect(input.isPaused()).toBe(false);
		output.pause();
		for (let count = 0; count < 14; count += 1) link.send("x".repeat(5 * 1024 * 1024));
		await closed;
		expect(output.destroyed).toBe(true);
	});
});
