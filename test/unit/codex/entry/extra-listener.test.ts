import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { systemClock } from "#base/clock.ts";
import { openExtraListener } from "#daemon/codex/entry/extra-listener.ts";
import { connectToDaemon, pipeToDaemon } from "#daemon/codex/entry/join.ts";
import type { CodexLink } from "#daemon/codex/link.ts";
import { type CodexSocket, createCodexSocket } from "#daemon/codex/listener/create-codex-socket.ts";
import { createCodexUpgrades } from "#daemon/gateway/codex-upgrade.ts";
import { createMemoryLogger } from "#test/support/logger.ts";

const TCP = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
let folder: string;
let daemon: CodexSocket;
let paths: { codexSocket: string; token: string };

beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "codex-extra-"));
	paths = { codexSocket: join(folder, "codex.sock"), token: join(folder, "token") };
	writeFileSync(paths.token, "secret\n");
	const facade = {
		connect(link: CodexLink): Disposable {
			link.onMessage((text) => link.send(`echo ${text}`));
			return { [Symbol.dispose]: () => link.close() };
		},
	};
	const upgrades = createCodexUpgrades({ facade, clock: systemClock });
	daemon = await createCodexSocket({
		path: paths.codexSocket,
		facade,
		upgrades,
		logger: createMemoryLogger(),
	});
});
afterEach(async () => {
	await daemon[Symbol.asyncDispose]();
	rmSync(folder, { recursive: true, force: true });
});

test("extra listener: lines on its own Unix socket reach the daemon, and only this user reaches it", async () => {
	const path = join(folder, "own.sock");
	await using listener = await openExtraListener({ kind: "unix", path }, { paths, tokenFile: undefined });
	expect(listener?.address).toBe(`unix://${path}`);
	expect(statSync(path).mode & 0o777).toBe(0o600);
	const socket = connect(path);
	socket.write('{"a":1}\n');
	const [answer] = await once(socket, "data");
	expect(String(answer)).toBe('echo {"a":1}\n');
	socket.destroy();
});

test("extra listener: WebSocket clients need the token, no origin and a name of this machine", async () => {
	await using listener = await openExtraListener(TCP, { paths, tokenFile: undefined });
	const url = listener?.address ?? "";
	const authorization = "Bearer secret";
	const socket = new WebSocket(url, { headers: { authorization } });
	await once(socket, "open");
	socket.send("hello");
	expect(String((await once(socket, "message"))[0])).toBe("echo hello");
	socket.terminate();
	for (const [headers, status] of [
		[{}, 401],
		[{ authorization: "Bearer wrong" }, 401],
		[{ authorization, origin: "http://evil.example" }, 403],
		[{ authorization, host: "evil.example" }, 403],
	] as const) {
		const refused = new WebSocket(url, { headers });
		refused.on("error", () => undefined);
		const [, response] = await once(refused, "unexpected-response");
		expect(response.statusCode).toBe(status);
		refused.terminate();
	}
});

test("extra listener: a token file of its own holds, and an empty one is refused", async () => {
	const tokenFile = join(folder, "own-token");
	writeFileSync(tokenFile, "");
	await expect(openExtraListener(TCP, { paths, tokenFile })).rejects.toMatchObject({ code: "AUTH_REQUIRED" });
	writeFileSync(tokenFile, "other");
	await using listener = await openExtraListener(TCP, { paths, tokenFile });
	const socket = new WebSocket(listener?.address ?? "", { headers: { authorization: "Bearer other" } });
	await once(socket, "open");
	socket.terminate();
});

test("join: lines go to the daemon and back until the input ends, with overrides in those that take them", async () => {
	const [stdin, stdout] = [new PassThrough(), new PassThrough()];
	const socket = await connectToDaemon(paths);
	if (socket === undefined) throw new Error("the daemon of this test does not answer");
	const piped = pipeToDaemon(socket, { stdin, stdout }, { model: "x" });
	stdin.write('{"id":1,"method":"thread/start","params":{}}\n');
	const [answer] = await once(stdout, "data");
	expect(String(answer)).toBe('echo {"id":1,"method":"thread/start","params":{"config":{"model":"x"}}}\n');
	stdin.end();
	await piped;
});

test("join: nobody is found where no daemon lives, and a daemon that ends first is told of", async () => {
	expect(await connectToDaemon({ codexSocket: join(folder, "none.sock") })).toBeUndefined();
	const socket = await connectToDaemon(paths);
	if (socket === undefined) throw new Error("the daemon of this test does not answer");
	const piped = pipeToDaemon(socket, { stdin: new PassThrough(), stdout: new PassThrough() }, {});
	const refused = expect(piped).rejects.toMatchObject({ code: "DAEMON_UNAVAILABLE" });
	await daemon[Symbol.asyncDispose]();
	await refused;
});
