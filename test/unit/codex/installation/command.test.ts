import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { createLocalEnvironment, type LocalEnvironment } from "#daemon/agent/local-environment.ts";
import { createCommandMethods } from "#daemon/codex/installation/command-methods.ts";
import type { CodexMethods } from "#daemon/codex/method.ts";
import { resolvePaths } from "#platform/paths.ts";
import { createFakeConnection, type FakeConnection } from "./fake-connection.ts";

const FULL = { sandboxPolicy: { type: "dangerFullAccess" } };
let root: string;
let environment: LocalEnvironment;
let methods: CodexMethods;

beforeAll(async () => {
	root = await realpath(await mkdtemp(join(homedir(), "codex-command-")));
	const env = { PATH: process.env["PATH"], HOME: join(root, "user"), HOMIE_HOME: join(root, "homie") };
	await mkdir(join(root, "work"));
	const paths = resolvePaths(env);
	environment = await createLocalEnvironment({ machineId: "m", paths, env, clock: systemClock });
	methods = createCommandMethods({
		environment,
		cwd: join(root, "work"),
		sandboxMode: () => "workspace-write",
	});
});
afterAll(async () => {
	await environment[Symbol.asyncDispose]();
	await rm(root, { recursive: true, force: true });
});

async function ask(connection: FakeConnection, name: string, params: Readonly<Record<string, unknown>>) {
	return (await methods[`command/${name}`]?.(params, connection)) as Record<string, unknown>;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

function heard({ told }: FakeConnection, stream: string): string {
	return told
		.map(({ params }) => params as { stream?: string; deltaBase64?: string })
		.filter((params) => params.stream === stream)
		.map(({ deltaBase64 = "" }) => Buffer.from(deltaBase64, "base64").toString())
		.join("");
}

async function until(check: () => boolean): Promise<void> {
	await expect.poll(check, { timeout: 10_000 }).toBe(true);
}

describe("command/exec", () => {
	test("command/exec: tells output and error output apart when both are written", async () => {
		const command = ["sh", "-c", "echo out; echo err >&2; exit 3"];
		const answer = await ask(createFakeConnection(), "exec", { command, ...FULL });
		expect(answer).toEqual({ exitCode: 3, stdout: "out\n", stderr: "err\n" });
	});

	test("command/exec: tells each stream under its name as it comes when streaming was asked for", async () => {
		const client = createFakeConnection();
		const command = ["sh", "-c", "echo out; echo err >&2"];
		const streams = { processId: "p", streamStdoutStderr: true };
		const answer = await ask(client, "exec", { command, ...streams, ...FULL });
		expect(answer).toEqual({ exitCode: 0, stdout: "", stderr: "" });
		expect([heard(client, "stdout"), heard(client, "stderr")]).toEqual(["out\n", "err\n"]);
	});

	test("command/exec: takes input until it is closed when it has one without a terminal", async () => {
		const client = createFakeConnection();
		const running = ask(client, "exec", { command: ["cat"], processId: "c", streamStdin: true, ...FULL });
		await expect(ask(client, "exec/write", { processId: "c" })).rejects.toMatchObject({ code: -32602 });
		await expect(ask(client, "exec/write", { processId: "c", deltaBase64: "***" })).rejects.toMatchObject({
			code: -32602,
		});
		await expect(ask(client, "exec/resize", { processId: "c", size: { rows: 2, cols: 2 } })).rejects.toThrow(
			"not attached to a PTY",
		);
		await ask(client, "exec/write", { processId: "c", deltaBase64: base64("hello\n") });
		await ask(client, "exec/write", { processId: "c", closeStdin: true });
		expect(await running).toEqual({ exitCode: 0, stdout: "hello\n", stderr: "" });
	});

	test.each([{}, FULL])(
		"command/exec: gives a terminal its first size and another while the program runs (%j)",
		async (policy) => {
			if (!environment.sandbox.available && !("sandboxPolicy" in policy)) return;
			const client = createFakeConnection();
			const loop = "until [ \"$(stty size)\" = '40 120' ]; do :; done";
			const command = ["sh", "-c", `stty size; ${loop}; read x; echo got $x`];
			const terminal = { processId: "t", tty: true, size: { rows: 30, cols: 100 } };
			const running = ask(client, "exec", { command, ...terminal, ...policy });
			await until(() => heard(client, "stdout").includes("30 100"));
			const empty = { processId: "t", size: { rows: 0, cols: 1 } };
			await expect(ask(client, "exec/resize", empty)).rejects.toMatchObject({ code: -32602 });
			await ask(client, "exec/resize", { processId: "t", size: { rows: 40, cols: 120 } });
			await ask(client, "exec/write", { processId: "t", deltaBase64: base64("line\n") });
			expect(await running).toEqual({ exitCode: 0, stdout: "", stderr: "" });
			expect(heard(client, "stdout")).toContain("got line");
		},
	);

	test("command/exec: is over at its time, and ends when its client ends it or goes away", async () => {
		const client = createFakeConnection();
		const sleep = ["sleep", "60"];
		expect(await ask(client, "exec", { command: sleep, timeoutMs: 50, ...FULL })).toMatchObject({
			exitCode: 124,
		});
		const first = ask(client, "exec", { command: sleep, processId: "a", ...FULL });
		await expect(ask(client, "exec", { command: sleep, processId: "a", ...FULL })).rejects.toThrow(
			'duplicate active command/exec process id: "a"',
		);
		await expect(ask(createFakeConnection("two"), "exec/terminate", { processId: "a" })).rejects.toThrow(
			'no active command/exec for process id "a"',
		);
		await ask(client, "exec/terminate", { processId: "a" });
		expect((await first)["exitCode"]).not.toBe(0);
		const second = ask(client, "exec", { command: sleep, processId: "b", ...FULL });
		client.close();
		expect((await second)["exitCode"]).not.toBe(0);
	});

	test.each([
		[{ command: [] }, -32600, "command must not be empty"],
		[{ command: ["true"], tty: true }, -32600, "requires a client-supplied processId"],
		[{ command: ["true"], size: { rows: 1, cols: 1 } }, -32602, "size requires tty: true"],
	])("command/exec: refuses %j with the real server's code", async (params, code, words) => {
		const refused = ask(createFakeConnection(), "exec", params);
		await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
	});

	test("command/exec: cuts what is over the bound of each stream", async () => {
		const command = ["sh", "-c", "echo 123456789; echo abcdefghi >&2"];
		const answer = await ask(createFakeConnection(), "exec", { command, outputBytesCap: 4, ...FULL });
		expect(answer).toEqual({ exitCode: 0, stdout: "1234", stderr: "abcd" });
	});
});
