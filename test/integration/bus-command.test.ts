import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "#base/app-error.ts";
import { systemClock } from "#base/clock.ts";
import { agentListCommand } from "#cli/command/agent-list.ts";
import { agentRemoveCommand } from "#cli/command/agent-remove.ts";
import { agentRenameCommand } from "#cli/command/agent-rename.ts";
import { inboxCommand } from "#cli/command/inbox.ts";
import { sendCommand } from "#cli/command/send.ts";
import { sessionCloseCommand } from "#cli/command/session-close.ts";
import { sessionCreateCommand } from "#cli/command/session-create.ts";
import { sessionListCommand } from "#cli/command/session-list.ts";
import { tailCommand } from "#cli/command/tail.ts";
import type { CliContext, CommandDescriptor, CommandInput } from "#cli/descriptor.ts";
import { connectLocal } from "#client/node/connect-local.ts";
import { createGateway, type Gateway } from "#daemon/gateway/create-gateway.ts";
import { createHub } from "#daemon/gateway/create-hub.ts";
import type { Hub } from "#daemon/gateway/hub.ts";
import { createWeaveHandlers } from "#daemon/service/weave/handlers.ts";
import { resolvePaths } from "#platform/paths.ts";
import type { WeaveMessage } from "#protocol/record.ts";
import { openTestBus, quietTelemetry, type TestBus } from "#test/support/bus.ts";
import { createMemoryLogger } from "#test/support/logger.ts";
import { completeHandlers } from "./gateway-fixture.ts";

let folder: string;
let hub: Hub;
let test: TestBus;
let gateway: Gateway;

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "bus-cli-"));
	hub = createHub({ epoch: "e1" });
	test = await openTestBus({ publish: (...event) => hub.publish(...event) });
	hub.provide("sessions.activity", (id) => test.bus.snapshots.activity(id));
	gateway = await createGateway({
		paths: { daemonSocket: join(folder, "daemon.sock") },
		port: 0,
		web: false,
		token: "0123456789abcdef0123456789abcdef",
		epoch: "e1",
		handlers: completeHandlers(createWeaveHandlers({ bus: test.bus })),
		hub,
		store: test.store,
		telemetry: quietTelemetry,
		renderMetrics: () => "",
		logger: createMemoryLogger(),
		clock: systemClock,
		isReady: () => true,
	});
});
afterEach(async () => {
	await gateway[Symbol.asyncDispose]();
	hub[Symbol.dispose]();
	await test[Symbol.asyncDispose]();
	await rm(folder, { recursive: true, force: true });
});

interface Ran {
	code: number | undefined;
	out: string[];
	said: string[];
}

/** Runs a command as the program would, on the gateway's Unix socket. */
async function run(
	command: CommandDescriptor,
	input: Partial<CommandInput> & { json?: boolean; stdin?: string; signal?: AbortSignal } = {},
): Promise<Ran> {
	const paths = resolvePaths({ HOME: folder, HOMIE_HOME: folder, WEAVE_HOME: folder });
	const ran: Ran = { code: undefined, out: [], said: [] };
	await using owned = new AsyncDisposableStack();
	const stdin = new PassThrough();
	stdin.end(input.stdin ?? "");
	const context: CliContext = {
		program: "weave-codex",
		stdin: stdin as unknown as CliContext["stdin"],
		stdout: new PassThrough() as unknown as CliContext["stdout"],
		stderr: new PassThrough() as unknown as CliContext["stderr"],
		env: {},
		cwd: folder,
		paths,
		signal: input.signal ?? new AbortController().signal,
		json: input.json ?? false,
		async connect() {
			const client = owned.use(connectLocal(paths, { kind: "cli" }));
			await client.ready();
			return client;
		},
		connectOrStart: () => context.connect(),
		print: (value, human) => {
			if (context.json) ran.out.push(JSON.stringify(value));
			else if (human !== undefined) ran.out.push(human);
		},
		say: (line) => void ran.said.push(line),
	};
	ran.code = await command.run(context, { args: input.args ?? [], options: input.options ?? {} });
	return ran;
}

function onMail(answer: (messageId: string) => void): void {
	test.threads.onDeliver = ({ message_id }) => void setImmediate(() => answer(message_id));
}

describe("weave commands", () => {
	it("send: prints id and state once the message is stored", async () => {
		await test.addThread("tester");
		const ran = await run(sendCommand, { args: ["#tester", "run", "the", "tests"] });
		expect(ran.code).toBe(0);
		expect(ran.out[0]).toMatch(/^[0-9a-f-]{36} {2}accepted$/);
		expect(test.bus.listMessages({ limit: 5 })[0]).toMatchObject({
			text: "run the tests",
			from_name: "you",
			to_name: "tester",
		});
	});

	it("send --wait: prints the answer, exits 1 with the reason when there is none", async () => {
		await test.addThread("tester");
		onMail((id) => test.threads.endTurn({ message_ids: [id], final_text: "all green" }));
		expect(await run(sendCommand, { args: ["#Tester report"], options: { wait: true } })).toEqual({
			code: 0,
			out: ["all green"],
			said: [],
		});
		onMail((id) => test.threads.endTurn({ message_ids: [id], status: "interrupted" }));
		const failed = await run(sendCommand, { args: ["#tester again"], options: { wait: true } });
		expect(failed).toEqual({ code: 1, out: [], said: ["#tester did not answer: failed (interrupted)"] });
		onMail((id) => test.threads.endTurn({ message_ids: [id], final_text: "from stdin" }));
		const json = await run(sendCommand, {
			args: ["#tester", "-"],
			options: { wait: true },
			stdin: "a\nb\n",
			json: true,
		});
		expect(JSON.parse(json.out[0] ?? "")).toMatchObject({
			message: { text: "a\nb\n", state: "answered", answer: "from stdin" },
		});
	});

	it("send: refuses what names nobody, and whom nobody knows", async () => {
		await expect(run(sendCommand, { args: ["hello"] })).rejects.toMatchObject({ code: "USAGE" });
		await expect(run(sendCommand, { args: ["#nobody hello"] })).rejects.toMatchObject({
			code: "AGENT_NOT_FOUND",
		});
		await expect(run(sendCommand, { args: ["#x y"], options: { session: "nowhere" } })).rejects.toMatchObject(
			{ code: "SESSION_NOT_FOUND" },
		);
	});

	it("send --wait: ends when it is interrupted", async () => {
		await test.addThread("tester");
		const stop = new AbortController();
		onMail(() => stop.abort(new AppError("CANCELLED")));
		await expect(
			run(sendCommand, { args: ["#tester hi"], options: { wait: true }, signal: stop.signal }),
		).rejects.toMatchObject({ code: "CANCELLED" });
	});

	it("tail: a line at each change of state", async () => {
		await test.addThread("tester");
		await test.bus.send({ to: "tester", text: "before", from: { identity: "local", name: "you" } });
		await expect.poll(() => test.bus.listMessages({ agent: "tester", limit: 1 })[0]?.state).toBe("delivered");
		onMail((id) => test.threads.endTurn({ message_ids: [id], final_text: "ok" }));
		const tailing = run(tailCommand, { options: { count: "3" }, json: true });
		await expect.poll(() => hub.counts.subscribers).toBe(1);
		await run(sendCommand, { args: ["#tester now"] });
		const ran = await tailing;
		const messages = ran.out.map((line) => JSON.parse(line) as WeaveMessage);
		expect(messages.map((message) => [message.text, message.state])).toEqual([
			["now", "accepted"],
			["now", "delivered"],
			["now", "answered"],
		]);
		expect(ran.said).toEqual(["following default"]);
	});

	it("inbox: shows what was asked with its answer, and marks mail as seen", async () => {
		const threadId = await test.addThread("tester");
		onMail((id) => test.threads.endTurn({ thread_id: threadId, message_ids: [id], final_text: "ok" }));
		await run(sendCommand, { args: ["#tester question"], options: { wait: true } });
		await test.bus.send({ to: "you", text: "by the way", from: { agent: "tester" } });
		const ran = await run(inboxCommand);
		expect(ran.out[0]).toMatch(
			/#you → #tester {2}answered {2}question\n\s+= ok\n.*#tester → #you {2}accepted {2}by the way/,
		);
		expect(test.bus.listMessages({ agent: "you", limit: 1 })[0]?.state).toBe("seen");
		expect((await run(inboxCommand, { args: ["#tester"] })).out[0]).toContain("question");
	});

	it("session and agent: create, list, rename, remove, close", async () => {
		await test.addThread("amber");
		const created = await run(sessionCreateCommand, { args: ["release"] });
		expect((await run(sessionListCommand)).out[0]).toMatch(
			/default +idle +1 agent .*\nrelease +empty +0 agents/,
		);
		expect((await run(agentListCommand)).out[0]).toMatch(/^#amber +thread +idle/);
		expect((await run(agentListCommand, { options: { session: "release" } })).out).toEqual(["No agents."]);
		expect((await run(agentRenameCommand, { args: ["#amber", "#tester"] })).out).toEqual(["#tester"]);
		expect((await run(agentRemoveCommand, { args: ["tester"], json: true })).out[0]).toContain(
			'"name":"tester"',
		);
		expect((await run(sessionCloseCommand, { args: [created.out[0] ?? ""] })).out).toEqual([
			"release is closed.",
		]);
		await expect(run(sessionCloseCommand, { args: ["default"] })).rejects.toMatchObject({ code: "CONFLICT" });
	});
});
