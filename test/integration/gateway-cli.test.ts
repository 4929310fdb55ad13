import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { apiSchemaCommand } from "#cli/command/api.ts";
import { callCommand } from "#cli/command/call.ts";
import { subscribeCommand } from "#cli/command/subscribe.ts";
import type { CliContext, CommandDescriptor } from "#cli/descriptor.ts";
import type { DaemonClient } from "#client/client.ts";
import { connectLocal } from "#client/node/connect-local.ts";
import { resolvePaths } from "#platform/paths.ts";
import { type GatewayFixture, startGateway } from "./gateway-fixture.ts";

interface Run {
	code: number | undefined;
	out: string;
}

interface RunInput {
	args?: string[];
	options?: Record<string, string | boolean>;
	json?: boolean;
	stdin?: string;
	signal?: AbortSignal;
}

/** Runs a command on streams of the test's own. */
async function run(fixture: GatewayFixture, command: CommandDescriptor, input: RunInput): Promise<Run> {
	const stdout = new PassThrough();
	const clients: DaemonClient[] = [];
	const json = input.json === true;
	const connect = async (): Promise<DaemonClient> => {
		const client = connectLocal({ daemonSocket: fixture.socketPath }, { kind: "cli" });
		clients.push(client);
		await client.ready();
		return client;
	};
	const context: CliContext = {
		program: "weave-codex",
		stdin: Readable.from([Buffer.from(input.stdin ?? "")]) as unknown as NodeJS.ReadStream,
		stdout: stdout as unknown as NodeJS.WriteStream,
		stderr: new PassThrough() as unknown as NodeJS.WriteStream,
		env: {},
		cwd: "/",
		paths: { ...resolvePaths({ HOME: "/nonexistent" }), daemonSocket: fixture.socketPath },
		signal: input.signal ?? new AbortController().signal,
		json,
		connect,
		connectOrStart: connect,
		print: (value, human) => void stdout.write(json ? `${JSON.stringify(value)}\n` : `${human ?? ""}\n`),
		say: () => undefined,
	};
	try {
		const code = await command.run(context, { args: input.args ?? [], options: input.options ?? {} });
		return { code, out: String(stdout.read() ?? "") };
	} finally {
		for (const client of clients) await client[Symbol.asyncDispose]();
	}
}

test("cli: call prints the result of any method, with parameters from the line or from stdin", async () => {
	await using fixture = await startGateway(
		{ "weave.session.create": ({ name }: { name: string }) => ({ session: { name } }) },
		{ web: false },
	);
	const line = await run(fixture, callCommand, {
		args: ["weave.session.create", '{"name":"a"}'],
		json: true,
	});
	expect(line).toEqual({ code: 0, out: '{"session":{"name":"a"}}\n' });
	const piped = await run(fixture, callCommand, {
		args: ["weave.session.create", "-"],
		stdin: '{"name":"b"}',
		json: true,
	});
	expect(piped.out).toBe('{"session":{"name":"b"}}\n');
	await expect(run(fixture, callCommand, { args: ["weave.session.create", "{"] })).rejects.toMatchObject({
		code: "USAGE",
	});
	await expect(run(fixture, callCommand, { args: ["no.such"] })).rejects.toMatchObject({
		code: "METHOD_NOT_FOUND",
	});
});

test("cli: subscribe prints one line per message and ends after --count", async () => {
	await using fixture = await startGateway({}, { web: false });
	fixture.hub.provide("agents.state", () => {
		queueMicrotask(() => fixture.hub.publish("agents.state", { op: "remove", key: "a" }));
		return { agents: [] };
	});
	const { code, out } = await run(fixture, subscribeCommand, {
		args: ["agents.state"],
		options: { count: "2" },
	});
	expect(code).toBe(0);
	expect(
		out
			.trim()
			.split("\n")
			.map((text) => JSON.parse(text) as unknown),
	).toEqual([
		{ type: "snapshot", topic: "agents.state", epoch: "epoch-1", seq: 0, payload: { agents: [] } },
		{ type: "event", topic: "agents.state", epoch: "epoch-1", seq: 1, payload: { op: "remove", key: "a" } },
	]);
	await expect(run(fixture, subscribeCommand, { args: ["no.such"] })).rejects.toMatchObject({
		code: "TOPIC_NOT_FOUND",
	});
	await expect(
		run(fixture, subscribeCommand, { args: ["agents.state"], options: { count: "x" } }),
	).rejects.toMatchObject({ code: "USAGE" });
	const stopped = AbortSignal.abort(new Error("stop"));
	await expect(run(fixture, subscribeCommand, { args: ["agents.state"], signal: stopped })).rejects.toThrow(
		"stop",
	);
});

test("cli: api schema lists what there is and shows one", async () => {
	await using fixture = await startGateway({}, { web: false });
	expect((await run(fixture, apiSchemaCommand, {})).out).toContain("chats.state");
	const one = await run(fixture, apiSchemaCommand, { args: ["chat.create"], json: true });
	expect(JSON.parse(one.out)).toMatchObject({ name: "chat.create", params: { type: "object" } });
	await expect(run(fixture, apiSchemaCommand, { args: ["nope"] })).rejects.toMatchObject({
		code: "NOT_FOUND",
	});
});
